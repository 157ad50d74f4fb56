//! `nix-deploy issues` against a local GitHub; the host is this machine with a
//! Nix that is a script.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::github::{FakeIssue, Fault, LocalGitHub};
use super::program::{Outcome, Place};

const NO_CLI: (&str, &str) = ("GH_TOKEN", "t0ken");

/// A machine with a few packages.
fn place(github: &LocalGitHub, more: &str) -> Place {
    let place = Place::with_hosts(&format!(
        "[issues]\napi_url = \"{}\"\n{more}\n[hosts.desk]\naddress = \"local\"\n",
        github.url()
    ));
    let names =
        ["linux-6.17.2", "firefox-126.0", "firefox-126.0-man", "vlc-3.0.20", "unit-vlc.service", "time-1.9"];
    let lines: Vec<String> =
        names.iter().map(|name| format!("echo '/nix/store/{}-{name} 100'", "0".repeat(32))).collect();
    place.script("nix", &lines.join("\n"));
    place.script("gh", "exit 1");
    place
}

async fn github() -> LocalGitHub {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    LocalGitHub::start(vec![
        FakeIssue::bug(1, "Nixos no longer boots since kernel 6.17", now - 3),
        FakeIssue::bug(2, "firefox: \u{1b}[2Jcrashes <b>hard</b>\u{202e}", now - 2),
        FakeIssue::bug(3, "vlc: subtitles are too small", now - 1),
        FakeIssue::bug(4, "Wrong time after update", now),
        FakeIssue { is_pull_request: true, ..FakeIssue::bug(5, "vlc: 3.0.20 -> 3.0.21", now) },
    ])
    .await
}

async fn run(place: &Place, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let all: Vec<&str> = std::iter::once("issues").chain(arguments.iter().copied()).collect();
    tokio::task::block_in_place(|| place.run_with(&all, environment))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_read_from_the_worst_to_the_mildest() {
    let github = github().await;
    let outcome = run(&place(&github, ""), &["desk"], &[NO_CLI]).await;
    let shown = outcome.stdout.replace(&github.url(), "[GITHUB]").replace(" of 0.0 s ago", "");
    assert_eq!(
        (outcome.code, shown.as_str(), outcome.stderr.as_str()),
        (
            0,
            "desk: 1 critical, 2 medium (4 packages, 4 open issues, up to date)\n\n  critical\n    linux 6.17.2\n      \
             #1 Nixos no longer boots since kernel 6.17\n        [GITHUB]/NixOS/nixpkgs/issues/1\n        \
             the title is about kernel, and names version 6.17 and newer, which this is\n\n  medium\n    \
             firefox 126.0\n      #2 firefox: crashes <b>hard</b>\n        [GITHUB]/NixOS/nixpkgs/issues/2\n        \
             the title begins with firefox\n    vlc 3.0.20\n      #3 vlc: subtitles are too small\n        \
             [GITHUB]/NixOS/nixpkgs/issues/3\n        the title begins with vlc\n\n  recommendation: update with caution\n    \
             → pin linux to a version older than 6.17, which #1 does not name\n",
            ""
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_read_one_line_per_host() {
    let github = github().await;
    let ignore = "ignore = [{ match = \"#1\", reason = \"older kernel pinned\", until = 2999-01-01 }]";
    let outcome = run(&place(&github, ignore), &["--output", "json"], &[NO_CLI]).await;
    assert_eq!(outcome.stdout.lines().count(), 1);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((report["host"].as_str(), report["advice"].as_str()), (Some("desk"), Some("clear")));
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 3);
    let first = findings.iter().find(|finding| finding["number"] == 1).unwrap();
    assert_eq!(first["ignored"], "older kernel pinned");
    assert_eq!(
        (first["severity"].as_str(), first["version_fit"].as_str()),
        (Some("critical"), Some("affected"))
    );
    assert_eq!(first["unaffected"], serde_json::json!({ "older_than": "6.17" }));
    assert!(!outcome.stdout.contains("\\u001b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_set_is_named_where_the_lock_file_has_one() {
    let github = github().await;
    let place = place(&github, "");
    let lock = |names: &[&str]| {
        let edges: Vec<String> = names.iter().map(|name| format!("\"{name}\": \"{name}\"")).collect();
        let nodes: String = names
            .iter()
            .map(|name| {
                format!(",\"{name}\": {{ \"locked\": {{ \"type\": \"github\", \"owner\": \"NixOS\", \"repo\": \"nixpkgs\" }} }}")
            })
            .collect();
        let edges = edges.join(", ");
        place.write(
            "flake.lock",
            format!("{{ \"nodes\": {{ \"root\": {{ \"inputs\": {{ {edges} }} }}{nodes} }}, \"root\": \"root\", \"version\": 7 }}"),
        );
    };
    lock(&["pkgs\\u001b[2J"]);
    let outcome = run(&place, &["desk"], &[NO_CLI]).await;
    let hint = "    → the flake's package set is the input pkgs: `nix-deploy desk --preview --input pkgs` shows what \
                moving it would bring\n";
    assert!(outcome.stdout.ends_with(hint), "{}", outcome.stdout);
    let report = |outcome: Outcome| serde_json::from_str::<Value>(&outcome.stdout).unwrap();
    let shown = report(run(&place, &["--output", "json"], &[NO_CLI]).await);
    assert_eq!((&shown["package_set"], shown["hints"].as_array().unwrap().len()), (&"pkgs".into(), 2));
    // Which of two it is, or whether a broken file has one, is not guessed.
    lock(&["pkgs", "unstable"]);
    assert_eq!(report(run(&place, &["--output", "json"], &[NO_CLI]).await)["package_set"], Value::Null);
    place.write("flake.lock", "{");
    let outcome = run(&place, &["desk"], &[NO_CLI]).await;
    assert!(outcome.code == 0 && !outcome.stdout.contains("package set"), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_it_says_what_one_would_bring() {
    let github = github().await;
    let outcome = run(&place(&github, ""), &[], &[]).await;
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.stderr.contains("without a token") && outcome.stderr.contains("GITHUB_TOKEN"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stdout.contains("1 critical"), "{}", outcome.stdout);
    assert!(github.seen().iter().all(|seen| seen.authorization.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_github_cli_is_used() {
    let github = github().await;
    let place = place(&github, "");
    place.script("gh", "test \"$*\" = 'auth token --hostname 127.0.0.1' && echo from-cli");
    assert_eq!(run(&place, &[], &[]).await.stderr, "");
    assert!(github.seen().iter().all(|seen| seen.authorization.as_deref() == Some("Bearer from-cli")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_is_gone_warns_or_blocks_as_the_settings_say() {
    let github = github().await;
    github.set_faults(|_, _| Some(Fault::Status(404, Vec::new(), "{}".to_owned())));
    let warned = run(&place(&github, ""), &[], &[NO_CLI]).await;
    assert_eq!((warned.code, warned.stdout.as_str()), (0, ""));
    assert!(warned.stderr.contains("warning: known issues are not available"), "{}", warned.stderr);
    let blocked = run(&place(&github, "on_unavailable = \"block\""), &[], &[NO_CLI]).await;
    assert_eq!(blocked.code, 3);
    assert!(blocked.stderr.contains("hint: "), "{}", blocked.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_mirror_a_tracker_that_is_gone_is_only_said() {
    let github = github().await;
    let place = place(&github, "on_unavailable = \"block\"");
    assert_eq!(run(&place, &[], &[NO_CLI]).await.code, 0);
    github.set_faults(|_, _| Some(Fault::Status(401, Vec::new(), "{}".to_owned())));
    assert_eq!(run(&place, &[], &[NO_CLI]).await.stderr, "", "within the hour nobody is asked");
    let outcome = run(&place, &["--refresh"], &[NO_CLI]).await;
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.stderr.contains("refuses the token") && outcome.stdout.contains("1 critical"),
        "{outcome:?}"
    );
    assert!(!format!("{outcome:?}").contains("t0ken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_the_tracker_is_asked_through_it() {
    let github = github().await;
    let place = place(&github, "");
    // A name that nobody can resolve: it is the proxy that has to reach it, and
    // this one does not.
    place.write(
        "hosts.toml",
        "version = 1\n[issues]\napi_url = \"https://tracker.invalid\"\n[hosts.desk]\naddress = \"local\"\n",
    );
    let proxy = github.url();
    for name in ["HTTPS_PROXY", "ALL_PROXY"] {
        let outcome = run(&place, &["desk"], &[NO_CLI, (name, &proxy)]).await;
        assert!(outcome.stderr.contains("known issues are not available"), "{name}: {}", outcome.stderr);
        let seen = github.seen();
        assert!(!seen.is_empty() && seen.iter().all(|seen| seen.target == "tracker.invalid:443"), "{name}");
        assert!(seen.iter().all(|seen| seen.authorization.is_none()), "the token is not the proxy's");
    }
    let exempt = [NO_CLI, ("HTTPS_PROXY", &*proxy), ("NO_PROXY", "tracker.invalid")];
    run(&place, &["desk"], &exempt).await;
    assert!(github.seen().is_empty());
}
