//! Ctrl-C and SIGTERM: once lets hosts that change come to their end, twice
//! leaves at once.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::fleet::{Fleet, report};

/// How long it takes to leave, on a machine that is busy with other tests. Nothing that
/// would be waited for ends of itself: that it was left is told by exit code and outcome.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Interrupts a run that builds for ever: nothing of the host was touched.
fn interrupted_before_the_activation(signal: Signal) {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-build", "waitFor = \"/nonexistent/never\"; revision = 9;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("build");
    let begun = Instant::now();
    run.signal(signal);
    let (status, events) = run.finish();
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    let report = report(&events, "p620");
    assert_eq!((status.code(), &report["outcome"]), (Some(130), &"failed".into()), "{report}");
    assert!(report["failure"].to_string().contains("interrupted before p620 was changed"), "{report}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn ctrl_c_before_the_activation_changes_nothing() {
    interrupted_before_the_activation(Signal::INT);
}

#[test]
fn sigterm_before_the_activation_changes_nothing() {
    interrupted_before_the_activation(Signal::TERM);
}

/// A change of a unit whose activation takes a while.
fn slow_change(fleet: &Fleet) {
    fleet.host_file("p620", "{ variant = [ \"slow-activation\" \"unit-changed\" ]; seconds = 2; }");
}

#[test]
fn ctrl_c_in_the_activation_lets_the_deploy_come_to_its_end() {
    for signal in [Signal::INT, Signal::TERM] {
        let fleet = Fleet::start(&["p620"]);
        slow_change(&fleet);
        let mut run = fleet.start_deploy(&["p620"]);
        run.wait_for_phase("activating");
        run.signal(signal);
        let (status, events) = run.finish();
        assert!(events.iter().any(|event| event["type"] == "interrupted" && event["at_once"] == false));
        fleet.assert_deployed("p620", status.code(), &events, 2);
        fleet.assert_worker_has("p620", "REVISION=1");
    }
}

#[test]
fn a_terminal_that_is_closed_in_the_activation_lets_the_deploy_come_to_its_end() {
    let fleet = Fleet::start(&["p620"]);
    slow_change(&fleet);
    let mut terminal = fleet.open_terminal(&["p620", "--yes"]);
    fleet.await_on("p620", "grep -qs '^phase=activating' /run/nix-deploy/*-*-*/state");
    terminal.close();
    // Nobody reads any more what it says, but it keeps its record.
    let run = fleet.newest_run();
    assert!(run.events.iter().any(|event| event["type"] == "interrupted"), "{:?}", run.events.last());
    fleet.assert_deployed("p620", run.code, &run.events, 2);
    fleet.assert_worker_has("p620", "REVISION=1");
    fleet.next_run_succeeds("p620");
}

#[test]
fn ctrl_c_in_an_activation_that_fails_ends_with_the_rollback() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.host_file("p620", "{ variant = [ \"slow-activation\" \"crash-at-start\" ]; seconds = 2; }");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.signal(Signal::INT);
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), &report["outcome"]), (Some(6), &"rolled-back".into()), "{report}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.assert_no_traces("p620");
}

#[test]
fn ctrl_c_twice_leaves_at_once_and_the_host_settles_itself() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-activation", "seconds = 3;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.signal(Signal::INT);
    run.wait_for("the first interruption", |event| event["type"] == "interrupted");
    let begun = Instant::now();
    run.signal(Signal::INT);
    let (status, events) = run.finish();
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    let report = report(&events, "p620");
    assert_eq!((status.code(), &report["outcome"]), (Some(7), &"unknown".into()), "{report}");
    assert!(report["failure"].to_string().contains("by itself"), "{report}");
    fleet.await_settled("p620");
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn ctrl_c_twice_before_the_activation_leaves_at_once_and_changes_nothing() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-build", "waitFor = \"/nonexistent/never\"; revision = 10;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("build");
    let begun = Instant::now();
    run.signal(Signal::INT);
    run.signal(Signal::TERM);
    let (status, events) = run.finish();
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(status.code(), Some(130), "{}", report(&events, "p620"));
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn ctrl_c_before_one_host_changes_does_not_stop_another_that_is_changing() {
    let fleet = Fleet::start(&["p620", "p510"]);
    let untouched = fleet.standing("p510");
    fleet.variant_with("p620", "slow-activation", "seconds = 4;");
    fleet.variant("p510", "unit-changed");
    // p510 has to wait for its place among those that change.
    let mut run = fleet.start_deploy(&["p620", "p510", "--max-parallel", "1"]);
    run.wait_for("an activation", |event| {
        event["type"] == "activation" && event["state"]["phase"] == "activating"
    });
    run.signal(Signal::INT);
    let (status, events) = run.finish();
    assert_eq!(status.code(), Some(130), "{events:#?}");
    let outcomes: Vec<_> =
        ["p620", "p510"].map(|host| report(&events, host)["outcome"].as_str().unwrap().to_owned()).into();
    assert!(
        outcomes.contains(&"deployed".to_owned()) && outcomes.contains(&"failed".to_owned()),
        "{outcomes:?}"
    );
    if outcomes[1] == "failed" {
        assert_eq!(fleet.standing("p510"), untouched);
    }
    fleet.assert_no_traces("p620");
}
