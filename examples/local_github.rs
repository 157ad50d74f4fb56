//! A local GitHub for benchmarks and for trying `nix-deploy issues` out.
//!
//! `cargo run --example local_github -- ADDRESS ISSUES [LATENCY_MS [TITLES]]`
//! serves so many open issues of NixOS/nixpkgs at `http://ADDRESS`, until it is
//! ended. Their titles are the lines of the file TITLES, and then those of
//! tests/fixtures/issues, again and again.

#![expect(clippy::print_stderr, reason = "the output of this program is for people")]

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use github::{FakeIssue, LocalGitHub};

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/support/github.rs"]
mod github;

const LABELLED: &str = include_str!("../tests/fixtures/issues/labelled.json");
const TITLES: &str = include_str!("../tests/fixtures/issues/titles.json");

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<u64>().ok());
    let (Some(address), Some(count)) = (arguments.first(), number(1)) else {
        eprintln!("usage: local_github ADDRESS ISSUES [LATENCY_MS [TITLES]]");
        return ExitCode::from(2);
    };
    let own = match arguments.get(3).map(std::fs::read_to_string) {
        Some(Ok(text)) => text,
        Some(Err(error)) => {
            eprintln!("error: {}: {error}", arguments[3]);
            return ExitCode::FAILURE;
        }
        None => String::new(),
    };
    let github = LocalGitHub::start_at(address, issues(count, &own)).await;
    github.set_latency(Duration::from_millis(number(2).unwrap_or_default()));
    github.set_body(4096);
    github.set_left(u32::MAX, u32::MAX);
    eprintln!("serving {count} issues at {}", github.url());
    std::future::pending().await
}

fn issues(count: u64, own: &str) -> Vec<FakeIssue> {
    let list = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap_or_default();
    let fixtures: Vec<String> = [list(LABELLED), list(TITLES)]
        .concat()
        .iter()
        .filter_map(|issue| Some(issue.get("title")?.as_str()?.to_owned()))
        .collect();
    let titles: Vec<String> = own.lines().map(str::to_owned).chain(fixtures).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let begun = i64::try_from(now.saturating_sub(count * 60)).unwrap_or_default();
    (1..=count)
        .zip(titles.iter().cycle())
        .zip(begun..)
        .map(|((number, title), at)| FakeIssue::bug(number, title, at))
        .collect()
}
