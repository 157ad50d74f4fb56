//! The health of a changed host may be looked at for minutes: whatever happens to the way
//! or to the deployer meanwhile, the host misses it within its confirmation time.

use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use super::fleet::Fleet;

/// The confirm_timeout of the fleet's settings and 15 seconds.
const BACK_WITHIN: Duration = Duration::from_secs(25);

/// A fleet whose health is looked at for longer than the confirmation time, and may be for
/// a minute more.
fn fleet(settle: &str) -> Fleet {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with(
        "critical_services = [\"sshd.service\"]",
        &format!("[hosts.p620]\n[hosts.p620.timeouts]\nsettle = \"{settle}\"\n"),
    );
    fleet
}

#[test]
fn a_cut_while_the_health_is_looked_at_is_missed_in_time() {
    let fleet = fleet("60s");
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("verify");
    let cut = SystemTime::now();
    fleet.on_fleet("link", &["p620", "down"]);
    fleet.await_settled("p620");
    let time = fleet.back_after("p620", cut);
    assert!(time <= BACK_WITHIN, "{time:?}");
    fleet.on_fleet("link", &["p620", "up"]);
    let (status, events) = run.finish();
    let report = super::fleet::report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(6), Some("rolled-back")), "{report:#}");
    let failure = report["failure"].to_string();
    for text in ["p620 went back by itself before the change was confirmed", "confirm_timeout"] {
        assert!(failure.contains(text), "{report:#}");
    }
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_deployer_that_sleeps_while_it_looks_finds_the_change_taken_back() {
    let fleet = fleet("5s");
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("verify");
    let asleep = SystemTime::now();
    run.signal(Signal::STOP);
    fleet.await_on("p620", "grep -q phase=rolled-back /run/nix-deploy/*-*-*/state");
    let time = fleet.back_after("p620", asleep);
    assert!(time <= BACK_WITHIN, "{time:?}");
    run.signal(Signal::CONT);
    let (status, events) = run.finish();
    let report = super::fleet::report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(6), Some("rolled-back")), "{report:#}");
    assert_eq!(report["truth"]["state"]["reason"], "nobody confirmed within 10 s", "{report:#}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.assert_no_traces("p620");
}

#[test]
fn looking_for_longer_than_the_confirmation_time_ends_well() {
    let fleet = fleet("14s");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    fleet.assert_runs_new("p620", &run);
}

/// The connections that a deploy made end soon after it.
#[test]
fn no_connection_outlives_a_deploy_for_long() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant("p620", "unit-changed");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    fleet.on(
        "p620",
        "timeout 30 sh -c 'while pgrep -f \"^sshd(-session)?: root\" >/dev/null; do sleep 0.2; done'",
    );
}
