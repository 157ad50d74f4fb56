//! `doctor` on hosts that are fit, down, and not trusted: what it says, and the exit
//! code that scripts go by.

use serde_json::Value;

use super::fleet::{Fleet, finish};

/// What `doctor` finds: its exit code, and place, mark and words of each finding.
fn doctor(fleet: &Fleet, hosts: &[&str]) -> (Option<i32>, Vec<Value>) {
    let run = finish(fleet.nix_deploy(&[&["doctor", "--output", "json"], hosts].concat()));
    let findings = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    (run.code, findings.collect())
}

/// The findings of a place that are of a kind.
fn of<'a>(findings: &'a [Value], place: &str, mark: &str) -> Vec<&'a str> {
    let is_it = |finding: &&Value| finding["place"] == place && finding["mark"] == mark;
    findings.iter().filter(is_it).map(|finding| finding["what"].as_str().unwrap()).collect()
}

#[test]
fn a_fit_host_is_told_from_one_that_is_down_and_one_that_does_not_trust_its_user() {
    let fleet = Fleet::start(&["p620", "p510"]);
    fleet.install("p510", "untrusted");
    fleet.write_settings_with("critical_services = [\"sshd\"]", "[hosts.p510]\nuser = \"deploy\"\n");

    let (code, findings) = doctor(&fleet, &["p620"]);
    assert_eq!(code, Some(0), "{findings:#?}");
    let said = of(&findings, "p620", "ok").join("\n");
    for words in
        ["login as root works", "is root", "runs nixos-system-p620", "generation 1", "trusts", "free in"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(of(&findings, "p510", "ok").is_empty(), "only who was named is looked at");
    assert!(of(&findings, "here", "ok").join("\n").contains("nix: "), "{findings:#?}");

    let (code, findings) = doctor(&fleet, &["p510"]);
    assert_eq!((code, of(&findings, "p510", "problem")), (Some(5), vec!["Nix does not trust user deploy"]));
    assert!(of(&findings, "p510", "ok").join("\n").contains("by sudo without a password"), "{findings:#?}");
    let problem = findings.iter().find(|finding| finding["mark"] == "problem").unwrap();
    assert!(problem["mend"][0].as_str().unwrap().contains("trusted-users"), "{problem}");

    fleet.on_fleet("link", &["p510", "down"]);
    let (code, findings) = doctor(&fleet, &["all"]);
    fleet.on_fleet("link", &["p510", "up"]);
    assert_eq!(code, Some(5), "{findings:#?}");
    let problems = of(&findings, "p510", "problem");
    assert!(problems.len() == 1 && problems[0].contains("cannot be reached"), "{problems:?}");
    assert!(of(&findings, "p620", "problem").is_empty(), "{findings:#?}");
    // What is looked at is left alone.
    assert_eq!(fleet.look("p620").generation, "system-1-link");
    fleet.assert_no_traces("p620");
}
