//! Known issues of what real hosts run, and of what a deploy would bring.

use std::process::Output;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::runtime::Runtime;

use super::fleet::Fleet;
use super::github::{FakeIssue, LocalGitHub};

/// A local GitHub and the runtime that it lives on.
struct Tracker {
    github: LocalGitHub,
    _runtime: Runtime,
}

impl Tracker {
    fn start(titles: &[&str]) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let issues = titles
            .iter()
            .zip(1..)
            .map(|(title, number)| FakeIssue::bug(number, title, i64::try_from(now).unwrap() - 1000));
        let runtime = Runtime::new().unwrap();
        let github = runtime.block_on(LocalGitHub::start(issues.collect()));
        Self { github, _runtime: runtime }
    }

    fn settings(&self) -> String {
        format!("[issues]\napi_url = \"{}\"\n", self.github.url())
    }
}

fn issues(fleet: &Fleet, arguments: &[&str]) -> (Output, Vec<Value>) {
    let all: Vec<&str> = ["issues", "--output", "json"].into_iter().chain(arguments.iter().copied()).collect();
    let output = fleet.nix_deploy(&all).env("GITHUB_TOKEN", "t0ken").output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let reports = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, reports)
}

fn found(report: &Value) -> Vec<(u64, String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let package = format!("{} {}", text(finding, "package"), finding["versions"]);
            (finding["number"].as_u64().unwrap(), package, text(finding, "severity"))
        })
        .collect()
}

#[test]
fn what_a_host_runs_is_compared_with_what_is_known() {
    let tracker = Tracker::start(&[
        "nginx 1.24.0: worker segfaults on reload",
        "nginx 1.26: http3 is broken",
        "htop: wrong memory usage",
        "Wrong time after dual boot",
        "firefox: crashes",
    ]);
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(&tracker.settings());
    let before = fleet.look("p620");
    let (output, reports) = issues(&fleet, &["p620"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = [(1, "nginx [\"1.24.0\"]", "high"), (3, "htop [\"3.3.0\"]", "medium")];
    let expected =
        expected.map(|(number, package, severity)| (number, package.to_owned(), severity.to_owned()));
    assert_eq!(found(&reports[0]), expected);
    assert_eq!(reports[0]["advice"], "caution");
    assert_eq!(fleet.look("p620"), before);
}

#[test]
fn a_kernel_that_is_known_not_to_boot_blocks_before_it_is_deployed() {
    let tracker = Tracker::start(&["linux 6.6.69 does not boot"]);
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(&tracker.settings());
    let (output, reports) = issues(&fleet, &["p620"]);
    assert_eq!((output.status.code(), found(&reports[0]).len()), (Some(0), 0));
    fleet.variant("p620", "kernel-change");
    assert_eq!(fleet.deploy(&["p620", "--action", "dry-activate"]).code, Some(0));
    let (output, reports) = issues(&fleet, &["p620", "--next"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(found(&reports[0]), [(1, "linux [\"6.6.69\"]".to_owned(), "critical".to_owned())]);
    assert_eq!(reports[0]["advice"], "do-not-update");
    assert!(
        reports[0]["hints"][0].as_str().unwrap().contains("stay at linux 6.6.68"),
        "{}",
        reports[0]["hints"]
    );
}

#[test]
fn a_host_that_cannot_be_reached_does_not_hide_the_others() {
    let tracker = Tracker::start(&["htop: wrong memory usage"]);
    let fleet = Fleet::start(&["p620", "p510"]);
    fleet.write_settings(&tracker.settings());
    fleet.on_fleet("kill", &["p510"]);
    let (output, reports) = issues(&fleet, &["all"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!((reports.len(), reports[0]["host"].as_str()), (1, Some("p620")));
    assert!(String::from_utf8_lossy(&output.stderr).contains("p510"));
}
