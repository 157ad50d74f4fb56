//! Reports, commits and what is refused before a deploy, from outside; the hosts
//! cannot be reached.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::program::{Outcome, Place};

/// A repository with a flake, a host's file, and a host that is not there.
fn place(more: &str) -> Place {
    let place = Place::with_hosts(&format!(
        "{more}[defaults.timeouts]\nconnect = \"1s\"\n[hosts.p620]\naddress = \"p620.invalid\"\n"
    ));
    for program in ["git", "sh", "cat"] {
        place.link(program);
    }
    place.script("nix", "echo 'error: not in this test' >&2; exit 1");
    place.script("ssh", "echo 'ssh: Could not resolve hostname p620.invalid' >&2; exit 255");
    place.write("hosts/p620.nix", "{ }\n");
    place.write("hosts/other.nix", "{ }\n");
    place.write(".gitignore", "report.*\nsummary.md\n");
    git(&place, &["init", "-q", "-b", "main"]);
    git(&place, &["config", "user.name", "Ada"]);
    git(&place, &["config", "user.email", "ada@localhost"]);
    git(&place, &["add", "-A"]);
    git(&place, &["commit", "-q", "-m", "first"]);
    place
}

#[expect(clippy::disallowed_methods, reason = "a test looks at the repository with git")]
fn git(place: &Place, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(place.work())
        .args(arguments)
        .env("HOME", place.work())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn deploy(place: &Place, arguments: &[&str]) -> Outcome {
    let all: Vec<&str> = ["p620", "--yes"].into_iter().chain(arguments.iter().copied()).collect();
    place.run(&all)
}

#[test]
fn a_commit_holds_what_is_named_and_staged_and_comes_before_the_deploy() {
    let place = place("");
    place.write("hosts/p620.nix", "{ a = 1; }\n");
    place.write("hosts/other.nix", "{ b = 1; }\n");
    let reports = ["--report", "report.md", "--report", "report.html", "--report", "report.json"];
    let arguments = [&["--issue", "12", "--commit=hosts/p620.nix"], &reports[..]].concat();
    let outcome = deploy(&place, &arguments);
    assert_ne!(outcome.code, 0, "the host cannot be reached");
    assert!(outcome.stderr.contains(": feat(p620): change hosts/p620.nix (#12)"), "{}", outcome.stderr);
    assert_eq!(git(&place, &["log", "-1", "--format=%s"]), "feat(p620): change hosts/p620.nix (#12)");
    assert_eq!(git(&place, &["show", "--name-only", "--format=", "HEAD"]), "hosts/p620.nix");
    // What was not named is as it was.
    assert_eq!(git(&place, &["status", "--porcelain", "--untracked-files=no"]), "M hosts/other.nix");
    // Reports are written for a run that failed, too.
    let report: Value = serde_json::from_str(&place.read("report.json")).unwrap();
    assert_eq!((&report["issue"], &report["exit_code"]), (&Value::from(12), &Value::from(outcome.code)));
    assert_eq!(report["hosts"][0]["host"], "p620");
    assert!(place.read("report.md").contains("issue #12"), "{}", place.read("report.md"));
    assert!(place.read("report.html").contains("#12"));
    assert!(outcome.stdout.contains("issue #12"), "{}", outcome.stdout);
}

#[test]
fn a_run_that_is_taken_up_keeps_its_issue_and_is_reported_like_the_first() {
    let place = place("[pull_request]\nrepository = \"ada/infra\"\nbase = \"main\"\n");
    git(&place, &["remote", "add", "origin", "/nowhere/infra.git"]);
    let first = deploy(&place, &["--issue", "12", "--report", "report.json"]);
    assert_ne!(first.code, 0, "the host cannot be reached");
    let report: Value = serde_json::from_str(&place.read("report.json")).unwrap();
    let run = report["run"].as_str().unwrap();

    let reports = ["--report", "report.md", "--report", "report.json", "--wait-for-host=1s"];
    let outcome = place.run(&[&["resume", run, "--yes", "--output", "json"], &reports[..]].concat());
    assert_eq!(outcome.code, first.code, "{}", outcome.stderr);
    let report: Value = serde_json::from_str(&place.read("report.json")).unwrap();
    assert_eq!(report["issue"], 12);
    assert!(place.read("report.md").contains("issue #12"), "{}", place.read("report.md"));
    let started: Value = serde_json::from_str(outcome.stdout.lines().next().unwrap()).unwrap();
    let event = &started["event"];
    assert_eq!((&event["resumes"], &event["issue"]), (&Value::from(run), &Value::from(12)), "{event}");

    let outcome = place.run_with(&["resume", run, "--yes", "--pr"], &[("GITHUB_TOKEN", "t0ken")]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("a pull request from main into itself"), "{}", outcome.stderr);
}

#[test]
fn without_a_commit_nothing_is_deployed() {
    let place = place("");
    place.write("hosts/p620.nix", "{ a = 1; }\n");
    let outcome = deploy(&place, &["--commit"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--commit=hosts/p620.nix"), "{}", outcome.stderr);

    place.write(".git/hooks/pre-commit", "#!/bin/sh\necho 'the tests are red'\nexit 1\n");
    let hook = place.work().join(".git/hooks/pre-commit");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let outcome = deploy(&place, &["--commit=hosts/p620.nix"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the tests are red"), "{}", outcome.stderr);
    assert_eq!(git(&place, &["log", "--format=%s"]), "first");
    let outcome = deploy(&place, &["--commit=hosts/nothing.nix"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_done() {
    let place = place("[pull_request]\nrepository = \"ada/infra\"\nbase = \"main\"\n");
    git(&place, &["remote", "add", "origin", "/nowhere/infra.git"]);
    let token = [("GITHUB_TOKEN", "t0ken")];
    place.write("hosts/p620.nix", "{ a = 1; }\n");
    let rows: [(&[&str], &str); 6] = [
        (&["--update", "--pr"], "--pr of an update needs --commit"),
        (&["--update", "--commit=hosts/nothing.nix"], "git could not stage what was named"),
        (&["--pr", "--commit=hosts/p620.nix"], "a pull request from main into itself"),
        (&["--report", "report.pdf"], ".md, .html or .json"),
        (&["--report", "nowhere/report.md"], "make the folder first"),
        (&["--message", "x"], "--commit"),
    ];
    for (arguments, part) in rows {
        let all: Vec<&str> = ["p620", "--yes"].iter().chain(arguments).copied().collect();
        let outcome = place.run_with(&all, &token);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(part), "{arguments:?}: {}", outcome.stderr);
    }
    assert_eq!(git(&place, &["log", "--format=%s"]), "first");
}

#[test]
fn github_actions_get_annotations_groups_and_a_summary() {
    let place = place("");
    let summary = place.work().join("summary.md");
    let environment = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let outcome = place.run_with(&["p620", "--yes"], &environment);
    assert_ne!(outcome.code, 0);
    assert!(outcome.stderr.starts_with("::stop-commands::"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("\n::error title=p620%3A failed::"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("\n::group::p620: failed in "), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("::"), "{}", outcome.stdout);
    assert!(place.read("summary.md").starts_with("# Deployment: "));
}

#[test]
fn whoever_cannot_be_told_is_a_warning_and_no_address_is_ever_shown() {
    let place = place(
        "[notify.ops]\nkind = \"slack\"\nurl = \"http://127.0.0.1:9/very-secret\"\n\
         [notify.phone]\nkind = \"ntfy\"\nurl_env = \"NOBODY_SETS_THIS\"\n",
    );
    let outcome = deploy(&place, &[]);
    assert!(outcome.stderr.contains("[notify.phone] is not told"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("[notify.ops] was not told of the failure"), "{}", outcome.stderr);
    for text in [outcome.stdout, outcome.stderr, place.run(&["p620", "--dry-run", "--output", "json"]).stdout] {
        assert!(!text.contains("very-secret"), "{text}");
    }
}
