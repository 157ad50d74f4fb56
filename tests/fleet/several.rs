//! Several hosts in one run: none stops the others, and the worst decides.

use serde_json::Value;

use super::fleet::{Fleet, Run};

#[test]
fn a_host_that_fails_does_not_stop_the_others() {
    let hosts = ["p620", "p510", "razer", "samsung"];
    let fleet = Fleet::start(&hosts);
    fleet.variant("p620", "build-fails");
    fleet.variant("p510", "crash-at-start");
    fleet.variant("samsung", "unit-changed");
    let before = hosts.map(|host| fleet.standing(host));
    let run = fleet.deploy(&["all"]);
    // The worst: a host that had to be taken back.
    assert_eq!(run.code, Some(6));
    let outcomes = hosts.map(|host| run.outcome(host));
    assert_eq!(outcomes, ["failed", "rolled-back", "unchanged", "deployed"]);
    assert_eq!(run.report("p620")["failure"]["class"], "build");
    run.assert_failure("p510", &["crash.service"]);
    for (host, before) in hosts.iter().zip(&before).take(3) {
        fleet.assert_as_before(host, before);
    }
    fleet.assert_runs_and_boots("samsung", &run, &before[3].on);
}

#[test]
fn a_host_that_does_not_evaluate_does_not_stop_the_others() {
    let fleet = Fleet::start(&["p620", "p510"]);
    fleet.variant("p620", "eval-fails");
    fleet.variant("p510", "unit-changed");
    let before = (fleet.standing("p620"), fleet.look("p510"));
    let run = fleet.deploy(&["all"]);
    assert_eq!((run.code, run.outcome("p620"), run.outcome("p510")), (Some(4), "failed", "deployed"));
    fleet.assert_as_before("p620", &before.0);
    fleet.assert_runs_and_boots("p510", &run, &before.1);
}

#[test]
fn with_max_parallel_1_hosts_are_changed_one_after_the_other() {
    let hosts = ["p620", "p510", "razer"];
    let fleet = Fleet::start(&hosts);
    let before = hosts.map(|host| {
        fleet.variant(host, "unit-changed");
        fleet.look(host)
    });
    let run = fleet.deploy(&["all", "--max-parallel", "1"]);
    assert_eq!(run.code, Some(0));
    for (host, before) in hosts.iter().zip(&before) {
        fleet.assert_runs_and_boots(host, &run, before);
    }
    assert_eq!(most_at_once(&run), 1);
}

#[test]
fn hosts_are_changed_at_the_same_time() {
    let hosts = ["p620", "p510", "razer"];
    let fleet = Fleet::start(&hosts);
    for host in hosts {
        fleet.variant(host, "unit-changed");
    }
    let run = fleet.deploy(&["all"]);
    assert_eq!(run.code, Some(0));
    assert!(most_at_once(&run) > 1);
}

/// How many hosts were between the start of `activate` and the end of `settle`.
fn most_at_once(run: &Run) -> i32 {
    let change = |event: &Value| match (event["type"].as_str(), event["step"].as_str()) {
        (Some("step-started"), Some("activate")) => 1,
        (Some("step-finished"), Some("settle")) => -1,
        _ => 0,
    };
    let counts = run.events.iter().scan(0, |count, event| {
        *count += change(event);
        Some(*count)
    });
    counts.max().unwrap()
}
