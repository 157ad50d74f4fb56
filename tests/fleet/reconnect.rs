//! The one connection that carries a deploy may end before it is needed again:
//! a long build, a person who thinks, a laptop that slept.

use std::fs;
use std::time::{Duration, Instant};

use super::fleet::{Deploying, Fleet, report};
use super::recover::{fresh_revision, recoveries};

/// Ends every session of the host, as it does with one that was silent too long.
fn end_sessions(fleet: &Fleet) {
    fleet.on("p620", "timeout 30 sh -c 'while pkill -KILL sshd-session; do :; done'");
}

/// Waits until a step says that the host is tried again.
fn wait_for_tries(run: &mut Deploying, step: &str) {
    run.wait_for("another try", |event| {
        let doing = event["doing"].as_str().unwrap_or_default();
        event["step"] == step && doing.contains("trying again")
    });
}

/// Takes the link away for 20 s, during which the step finds the host gone.
fn away_for_20_s(fleet: &Fleet, run: &mut Deploying, step: &str, meanwhile: impl FnOnce()) {
    // The end of a connection would not come through any more.
    end_sessions(fleet);
    fleet.on_fleet("link", &["p620", "down"]);
    let down = Instant::now();
    meanwhile();
    wait_for_tries(run, step);
    run.wait_for("20 s", |_| down.elapsed() > Duration::from_secs(20));
    fleet.on_fleet("link", &["p620", "up"]);
}

#[test]
fn a_connection_that_ended_during_the_build_is_made_anew() {
    let fleet = Fleet::start(&["p620"]);
    let go = fleet.flake().with_file_name("go");
    let wait_for = go.display();
    fleet.host_file("p620", &format!("{{ variant = \"slow-build\"; waitFor = \"{wait_for}\"; }}"));
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("build");
    end_sessions(&fleet);
    fs::write(&go, "").unwrap();
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("deployed")), "{report:#}");
    fleet.assert_deployed("p620", status.code(), &events, 2);
}

#[test]
fn a_host_that_is_away_for_20_s_while_nix_builds_is_waited_for() {
    let fleet = Fleet::start(&["p620"]);
    let go = fleet.flake().with_file_name("go");
    let text = format!("{{ variant = \"slow-build\"; waitFor = \"{}\"; {} }}", go.display(), fresh_revision());
    fleet.host_file("p620", &text);
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("build");
    run.wait_for("the roots", |_| {
        !fleet.on("p620", "ls /nix/var/nix/gcroots/nix-deploy 2>/dev/null; true").is_empty()
    });
    away_for_20_s(&fleet, &mut run, "copy", || fs::write(&go, "").unwrap());
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("deployed")), "{report:#}");
    assert_eq!(recoveries(report), ["reconnect helped"], "{report:#}");
    let result = report["recoveries"][0]["result"].as_str().unwrap();
    assert!(result.starts_with("it answered after "), "{result}");
    fleet.assert_deployed("p620", status.code(), &events, 2);
}

#[test]
fn a_host_that_is_rebooted_while_nix_builds_is_judged_by_how_it_came_up() {
    let fleet = Fleet::start(&["p620"]);
    let go = fleet.flake().with_file_name("go");
    let text = format!("{{ variant = \"slow-build\"; waitFor = \"{}\"; {} }}", go.display(), fresh_revision());
    fleet.host_file("p620", &text);
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("build");
    run.wait_for("the roots", |_| {
        !fleet.on("p620", "ls /nix/var/nix/gcroots/nix-deploy 2>/dev/null; true").is_empty()
    });
    end_sessions(&fleet);
    fleet.on_fleet("kill", &["p620"]);
    fleet.on_fleet("boot", &["p620"]);
    fs::write(&go, "").unwrap();
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("deployed")), "{report:#}");
    fleet.assert_deployed("p620", status.code(), &events, 2);
}

#[test]
fn a_build_on_the_host_goes_on_after_the_connection_was_lost_in_it() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\nbuild_on = \"target\"\n");
    fleet.variant_with("p620", "slow-build", &format!("waitFor = \"/var/tmp/go\"; {}", fresh_revision()));
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for("the build on the host", |event| event["type"] == "step-progress" && event["step"] == "build");
    fleet.await_on("p620", "ps ax | grep -q '[/]var/tmp/go'");
    away_for_20_s(&fleet, &mut run, "build", || ());
    fleet.on("p620", ": >/var/tmp/go");
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("deployed")), "{report:#}");
    assert!(recoveries(report).contains(&"reconnect helped".to_owned()), "{report:#}");
    fleet.assert_deployed("p620", status.code(), &events, 2);
}

#[test]
fn a_host_that_built_and_is_away_for_20_s_in_the_copy_is_waited_for() {
    let fleet = Fleet::start(&["p620", "p510"]);
    // Up to 2 MiB are on their way, which is 160 paths (ssh's window): for what follows the
    // host that built is needed for some seconds.
    fleet.on_fleet("delay", &["p620", "40", "700"]);
    fleet.write_settings(
        "[hosts.p620]\naddress = \"p620-delayed\"\nbuild_on = \"p510\"\n\
         [hosts.p620.timeouts]\nconnect = \"2s\"\ncopy_stall = \"5s\"\n[hosts.p510.timeouts]\nconnect = \"2s\"\n",
    );
    fleet.variant_with("p620", "unit-changed", &format!("packages = 400; {}", fresh_revision()));
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for("the first path", |event| {
        event["type"] == "step-progress" && event["step"] == "copy" && event["done"].as_u64() > Some(0)
    });
    fleet.on_fleet("link", &["p510", "down"]);
    let down = Instant::now();
    run.wait_for("tries of the builder", |event| {
        let doing = event["doing"].as_str().unwrap_or_default();
        event["step"] == "copy" && doing.starts_with("p510 cannot be reached") && doing.contains("trying again")
    });
    run.wait_for("20 s", |_| down.elapsed() > Duration::from_secs(20));
    fleet.on_fleet("link", &["p510", "up"]);
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("deployed")), "{report:#}");
    assert!(recoveries(report).contains(&"reconnect helped".to_owned()), "{report:#}");
    assert_eq!(fleet.look("p620").current_system, report["new"].as_str().unwrap());
}
