//! The parts of `benches/issues.sh` that are measured inside of the program.
//!
//! `bench_issues match ISSUES PACKAGES` prints the median time to compare so
//! many issues with so many packages; `bench_issues diff OLD NEW` that of the
//! difference of two closures whose listings are in these files. Milliseconds.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the output of this program is its purpose")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

const LABELLED: &str = include_str!("../tests/fixtures/issues/labelled.json");
const TITLES: &str = include_str!("../tests/fixtures/issues/titles.json");
const INSTALLED: &str = include_str!("../tests/fixtures/issues/installed.txt");
const RUNS: usize = 11;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let median = match words[..] {
        ["match", issues, packages] => matching(issues, packages),
        ["diff", old, new] => difference(old, new),
        _ => Err("usage: bench_issues match ISSUES PACKAGES | diff OLD NEW".to_owned()),
    };
    match median {
        Ok(median) => {
            println!("{:.1}", median.as_secs_f64() * 1000.0);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn median(mut run: impl FnMut() -> Result<Duration, String>) -> Result<Duration, String> {
    let mut times = (0..RUNS).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    times.sort();
    Ok(times[RUNS / 2])
}

fn matching(issues: &str, packages: &str) -> Result<Duration, String> {
    let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
    let (issues, packages) = (number(issues)?, number(packages)?);
    let read =
        |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).map_err(|error| error.to_string());
    let all = [read(LABELLED)?, read(TITLES)?].concat();
    let many: Vec<&serde_json::Value> = all.iter().cycle().take(issues).collect();
    let json = serde_json::to_string(&many).map_err(|error| error.to_string())?;
    let inventory: Vec<&str> = INSTALLED.lines().take(packages).collect();
    let inventory = inventory.join("\n");
    median(|| Ok(nix_deploy::issues::judge(&json, &inventory).map_err(|error| error.to_string())?.matching))
}

fn difference(old: &str, new: &str) -> Result<Duration, String> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let (old, new) = (read(old)?, read(new)?);
    median(|| {
        let begun = Instant::now();
        let difference = nix_deploy::closure_diff(&old, &new)?;
        let elapsed = begun.elapsed();
        if difference.packages.is_empty() { Err("the closures do not differ".to_owned()) } else { Ok(elapsed) }
    })
}
