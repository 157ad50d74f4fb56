//! Two that want to change one host at the same time.

use super::fleet::{Fleet, report};

/// Holds the lock of switch-to-configuration on a host, as another tool's activation
/// would, from a unit of its own, until it is let go.
fn hold_activation_lock(fleet: &Fleet) {
    fleet.on(
        "p620",
        "mkdir -p /run/nixos; systemd-run --quiet --collect --unit=holder \
         flock --no-fork /run/nixos/switch-to-configuration.lock sleep 310",
    );
    fleet.await_on("p620", "! flock -n /run/nixos/switch-to-configuration.lock true");
}

fn let_go(fleet: &Fleet) {
    fleet.on("p620", "systemctl stop holder");
}

/// Changes a unit of p620 by an activation that lasts until it is told to go on.
fn activation_that_waits(fleet: &Fleet) {
    let variant = "{ ... }: { activation.slow = \"until [ -e /run/go ]; do sleep 0.1; done\"; }";
    std::fs::write(fleet.flake().join("variants/waits.nix"), variant).unwrap();
    fleet.host_file("p620", "{ variant = [ \"waits\" \"unit-changed\" ]; revision = 8; }");
}

/// The time that such an activation may take.
const PATIENT: &str = "[hosts.p620]\n[hosts.p620.rollback]\nactivation_timeout = \"120s\"\n";

fn go_on(fleet: &Fleet) {
    fleet.on("p620", ": >/run/go");
}

#[test]
fn an_activation_of_somebody_else_that_ends_in_time_is_waited_for() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nlock = \"60s\"\n");
    hold_activation_lock(&fleet);
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for("the wait", |event| event["doing"] == "waiting for another activation to end");
    let_go(&fleet);
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), &report["outcome"]), (Some(0), &"deployed-with-warnings".into()), "{report:#}");
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("another activation runs on p620"), "{warnings}");
    assert_eq!(fleet.assert_runs_reported("p620", report).on.generation, "system-2-link");
    // While somebody else activates, nobody can say what a switch would restart: it was asked again.
    let services = report["services"].as_array().unwrap();
    let worker = services.iter().find(|service| service["unit"] == "worker.service").unwrap();
    assert_eq!(worker["what"], "restarted", "{services:?}");
    fleet.assert_worker_has("p620", "REVISION=1");
}

#[test]
fn without_a_plan_the_host_itself_waits_for_the_activation_of_somebody_else() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nlock = \"60s\"\n");
    hold_activation_lock(&fleet);
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620", "--emergency"]);
    run.wait_for_phase("waiting");
    let_go(&fleet);
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), &report["outcome"]), (Some(0), &"deployed".into()), "{report:#}");
    assert_eq!(fleet.assert_runs_reported("p620", report).on.generation, "system-2-link");
    fleet.assert_worker_has("p620", "REVISION=1");
}

#[test]
fn an_activation_of_somebody_else_that_does_not_end_is_exit_code_9_and_is_named() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    hold_activation_lock(&fleet);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nlock = \"1s\"\n");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 9, "failed");
    run.assert_failure(
        "p620",
        &["p620 was not changed", "switch-to-configuration", "sleep 310", "run the same command again"],
    );
    assert_eq!(fleet.standing("p620"), before);
    fleet.assert_no_traces("p620");
    let_go(&fleet);
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_second_deploy_waits_for_the_first_one_and_then_deploys() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nlock = \"30s\"\n");
    fleet.variant_with("p620", "slow-activation", "seconds = 2;");
    let mut first = fleet.start_deploy(&["p620"]);
    first.wait_for_phase("activating");
    fleet.variant("p620", "unit-changed");
    let second = fleet.deploy(&["p620"]);
    let (status, events) = first.finish();
    assert_eq!((status.code(), &report(&events, "p620")["outcome"]), (Some(0), &"deployed".into()));
    second.expect("p620", 0, "deployed");
    assert_eq!(second.services("p620")["worker.service"], "restarted");
    assert_eq!(fleet.assert_runs_new("p620", &second).on.generation, "system-3-link");
}

#[test]
fn a_second_deploy_that_cannot_wait_so_long_is_exit_code_9_and_names_the_first() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(PATIENT);
    activation_that_waits(&fleet);
    let mut first = fleet.start_deploy(&["p620"]);
    first.wait_for_phase("activating");
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nlock = \"1s\"\n");
    fleet.variant("p620", "unit-changed");
    let second = fleet.deploy(&["p620"]);
    second.expect("p620", 9, "failed");
    second.assert_failure("p620", &["tester", "deploys p620", "activating", "run the same command again"]);
    go_on(&fleet);
    let (status, events) = first.finish();
    fleet.assert_deployed("p620", status.code(), &events, 2);
}

#[test]
fn a_second_deploy_whose_connection_ends_while_it_waits_goes_on_waiting() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(&format!("{PATIENT}[hosts.p620.timeouts]\nlock = \"60s\"\n"));
    activation_that_waits(&fleet);
    let mut first = fleet.start_deploy(&["p620"]);
    first.wait_for_phase("activating");
    fleet.variant("p620", "unit-changed");
    let mut second = fleet.start_deploy(&["p620"]);
    second.wait_for("the wait", |event| {
        event["doing"].as_str().is_some_and(|doing| doing.starts_with("waiting for the deploy of tester"))
    });
    // As an activation does that restarts the network.
    fleet.on("p620", "pkill -KILL -f '^sshd(-session)?: root'");
    go_on(&fleet);
    let (status, events) = first.finish();
    assert_eq!(status.code(), Some(0), "{:#}", report(&events, "p620"));
    let (status, events) = second.finish();
    fleet.assert_deployed("p620", status.code(), &events, 3);
    assert!(report(&events, "p620")["recoveries"].to_string().contains("reconnect"), "{events:#?}");
}

/// A database that a deployer does not share with the others.
fn own_database(fleet: &Fleet) -> String {
    format!("sqlite:{}", fleet.flake().with_file_name("another.db").display())
}

#[test]
fn of_two_deploys_that_share_a_database_the_second_is_told_who_deploys() {
    let fleet = Fleet::start(&["p620"]);
    let go = fleet.flake().with_file_name("go");
    fleet.variant_with("p620", "slow-build", &format!("revision = 7; waitFor = \"{}\";", go.display()));
    let mut first = fleet.start_deploy(&["p620"]);
    first.wait_for_step("build");
    fleet.variant("p620", "unit-changed");
    let second = fleet.deploy(&["p620"]);
    second.expect("p620", 9, "failed");
    second.assert_failure("p620", &["p620 is being deployed by tester", "since", "run 2"]);
    std::fs::write(&go, "").unwrap();
    let (status, events) = first.finish();
    fleet.assert_deployed("p620", status.code(), &events, 2);
    // Whoever comes later finds the host free.
    let third = fleet.deploy(&["p620"]);
    third.expect("p620", 0, "deployed");
    assert_eq!(third.services("p620")["worker.service"], "restarted");
    assert_eq!(fleet.assert_runs_new("p620", &third).on.generation, "system-3-link");
}

#[test]
fn of_two_deploys_that_meet_at_the_host_lock_one_deploys_and_one_finds_the_host_busy() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(PATIENT);
    // The second one has looked at the host before the first one begins.
    let go = fleet.flake().with_file_name("go");
    let wait = format!("revision = 5; waitFor = \"{}\";", go.display());
    fleet.variant_with("p620", "slow-build", &wait);
    let mut second = fleet.start_deploy(&["p620"]);
    second.wait_for_step("build");
    activation_that_waits(&fleet);
    let database = own_database(&fleet);
    let mut first = fleet.start_deploy_with(&["p620"], &[("NIX_DEPLOY_DATABASE_URL", &database)]);
    first.wait_for_phase("activating");
    std::fs::write(&go, "").unwrap();
    let (second, second_events) = second.finish();
    go_on(&fleet);
    let (first, first_events) = first.finish();
    fleet.assert_deployed("p620", first.code(), &first_events, 2);
    let refused = report(&second_events, "p620");
    assert_eq!((second.code(), &refused["outcome"]), (Some(9), &"failed".into()), "{refused}");
    assert!(refused["failure"].to_string().contains("another deploy holds the host"), "{refused}");
}

#[test]
fn a_host_that_somebody_changed_since_it_was_looked_at_is_left_alone() {
    let fleet = Fleet::start(&["p620"]);
    let go = fleet.flake().with_file_name("go");
    fleet.variant_with("p620", "slow-build", &format!("revision = 6; waitFor = \"{}\";", go.display()));
    let mut slow = fleet.start_deploy(&["p620"]);
    slow.wait_for_step("build");
    fleet.variant("p620", "unit-changed");
    let database = own_database(&fleet);
    let quick = fleet.deploy_with(&["p620"], &[("NIX_DEPLOY_DATABASE_URL", &database)]);
    quick.expect("p620", 0, "deployed");
    let between = fleet.standing("p620");
    std::fs::write(&go, "").unwrap();
    let (status, events) = slow.finish();
    let refused = report(&events, "p620");
    assert_eq!((status.code(), &refused["outcome"]), (Some(9), &"failed".into()), "{refused}");
    assert!(refused["failure"].to_string().contains("no longer"), "{refused}");
    assert_eq!(fleet.standing("p620"), between);
    fleet.assert_no_traces("p620");
}
