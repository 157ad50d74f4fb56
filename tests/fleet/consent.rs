//! A person says whether garbage may be collected, where hosts.toml does not.

use super::fleet::Fleet;
use super::recover::recoveries;

const COLLECT: &str = "Collect garbage on p620?";
const DEPLOY: &str = "Continue with deployment?";

/// A host whose disk has no room for what is to be deployed, but for its garbage.
/// Gives the garbage.
fn with_garbage(fleet: &Fleet) -> String {
    let garbage = fleet.on(
        "p620",
        "head -c 100000000 /dev/urandom >/nix/garbage && nix-store --add /nix/garbage && rm /nix/garbage",
    );
    fleet.on_fleet("fill", &["p620", "/nix", "20"]);
    fleet.variant("p620", "unit-changed");
    garbage.trim().to_owned()
}

fn is_there(fleet: &Fleet, path: &str) -> bool {
    fleet.on("p620", &format!("ls -d {path} 2>/dev/null || true")).trim() == path
}

#[test]
fn garbage_is_collected_when_a_person_says_yes() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "256"]);
    let garbage = with_garbage(&fleet);
    let (run, shown) = fleet.deploy_at_a_terminal(&["p620"], &[(COLLECT, "y"), (DEPLOY, "y")]);
    assert_eq!(run.code, Some(0), "{shown}");
    assert!(shown.contains("has not enough room") && shown.contains("generation stay"), "{shown}");
    assert_eq!(recoveries(run.report("p620")), ["collect-garbage helped"]);
    assert!(!is_there(&fleet, &garbage));
    fleet.assert_runs_new("p620", &run);
    let answers = run.events.iter().filter(|event| event["type"] == "answered");
    let answers: Vec<_> = answers.map(|event| (event["yes"].as_bool(), event["by_person"].as_bool())).collect();
    assert_eq!(answers, [(Some(true), Some(true)); 2]);
}

#[test]
fn nothing_is_deleted_when_a_person_says_no() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "256"]);
    let (garbage, before) = (with_garbage(&fleet), fleet.look("p620"));
    let (run, shown) = fleet.deploy_at_a_terminal(&["p620"], &[(COLLECT, "n")]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["has not enough room", "collect_garbage = true"]);
    assert_eq!(recoveries(run.report("p620")), ["collect-garbage declined"]);
    assert!(!shown.contains(DEPLOY), "{shown}");
    assert!(is_there(&fleet, &garbage));
    assert_eq!(fleet.look("p620"), before);
    // Who says yes to the deploy has not said yes to deleting.
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 5, "failed");
    assert!(recoveries(run.report("p620")).is_empty() && is_there(&fleet, &garbage));
}
