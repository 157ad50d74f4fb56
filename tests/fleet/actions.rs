//! What the actions and modes leave behind, and what they leave out.

use super::fleet::Fleet;

#[test]
fn a_system_that_only_a_reboot_can_enter_becomes_the_boot_default() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "needs-reboot");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "reboot-required");
    assert_eq!(run.activation_exit("p620"), Some(100));
    assert!(run.warnings("p620").contains("only a reboot can enter the new system"));
    assert_booted_later(&fleet, &run, &before);
}

#[test]
fn action_boot_changes_the_boot_default_only() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620", "--action", "boot"]);
    run.expect("p620", 0, "reboot-required");
    assert_booted_later(&fleet, &run, &before);
}

#[test]
fn action_boot_enters_what_a_switch_is_not_allowed_to() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "switch-inhibitor");
    let run = fleet.deploy(&["p620", "--action", "boot"]);
    run.expect("p620", 0, "reboot-required");
    assert_booted_later(&fleet, &run, &before);
}

/// The running system and its units are as before, and a reboot enters the new one.
fn assert_booted_later(fleet: &Fleet, run: &super::fleet::Run, before: &super::standing::Standing) {
    let after = fleet.standing("p620");
    assert_eq!(after.units, before.units);
    assert_eq!(after.on.current_system, before.on.current_system);
    assert_eq!(run.report("p620")["new"], after.on.profile.as_str());
    assert_eq!(after.on.generation, "system-2-link");
    assert_ne!(after.on.boot_default, before.on.boot_default);
    fleet.assert_no_traces("p620");
    fleet.power_cycle("p620");
    let booted = fleet.look("p620");
    assert_eq!((&booted.current_system, &booted.profile), (&after.on.profile, &after.on.profile));
}

#[test]
fn action_test_lasts_until_the_next_boot() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620", "--action", "test"]);
    run.expect("p620", 0, "deployed");
    let after = fleet.look("p620");
    assert_eq!(run.report("p620")["new"], after.current_system.as_str());
    assert_ne!(after.current_system, before.current_system);
    assert_eq!(after.profile, before.profile);
    assert_eq!(after.generation, before.generation);
    assert_eq!(after.boot_default, before.boot_default);
    fleet.assert_no_traces("p620");
    fleet.power_cycle("p620");
    assert_eq!(fleet.look("p620"), before);
}

#[test]
fn a_test_that_went_well_is_made_permanent_by_a_deploy() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    fleet.deploy(&["p620", "--action", "test"]).expect("p620", 0, "deployed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    assert!(run.warnings("p620").contains("the host runs this system already, but boots another one"));
    fleet.assert_runs_and_boots("p620", &run, &before);
}

#[test]
fn a_system_that_waits_for_a_reboot_is_entered_by_a_deploy() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    fleet.deploy(&["p620", "--action", "boot"]).expect("p620", 0, "reboot-required");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    assert!(run.warnings("p620").contains("a reboot was pending"));
    fleet.assert_runs_and_boots("p620", &run, &before);
}

#[test]
fn a_bad_system_that_waits_for_a_reboot_is_left_waiting() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant("p620", "crash-at-start");
    fleet.deploy(&["p620", "--action", "boot"]).expect("p620", 0, "reboot-required");
    let before = fleet.standing("p620");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["crash.service"]);
    fleet.assert_as_before("p620", &before);
}

#[test]
fn dry_activate_shows_the_units_and_changes_nothing() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "many-units");
    let run = fleet.deploy(&["p620", "--action", "dry-activate"]);
    run.expect("p620", 0, "previewed");
    let plan = &run.report("p620")["unit_plan"];
    assert_eq!(plan["restart"], serde_json::json!(["monitor.service"]));
    assert_eq!(plan["reload"], serde_json::json!(["reloader.service"]));
    assert_eq!(plan["not_stopped"], serde_json::json!(["keeper.service"]));
    assert_eq!(plan["stop"], serde_json::json!(["cache.service", "worker.service"]));
    fleet.assert_as_before("p620", &before);
}

#[test]
fn a_dry_run_logs_in_nowhere() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant("p620", "unit-changed");
    let logins = || fleet.on("p620", "journalctl -q -u sshd.service | grep -c Accepted; true");
    let before = (logins(), fleet.standing("p620"));
    let run = fleet.nix_deploy(&["p620", "--dry-run"]).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    assert_eq!((logins(), fleet.standing("p620")), before);
    fleet.assert_no_traces("p620");
}

#[test]
fn mode_fast_skips_the_looks_at_the_end_and_nothing_that_protects() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&["--mode", "fast"], "unit-changed");
    let steps = run.steps("p620");
    for step in ["preview", "prove", "verify", "commit", "settle"] {
        assert!(steps.contains(&step), "{step} is missing: {steps:?}");
    }
    for step in ["resources", "network", "logs"] {
        assert!(!steps.contains(&step), "{step} ran");
    }
}

#[test]
fn an_emergency_is_deployed_without_preview() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&["--emergency"], "unit-changed");
    let steps = run.steps("p620");
    for step in ["git", "changes", "preview"] {
        assert!(!steps.contains(&step), "{step} ran");
    }
}

#[test]
fn a_bad_change_is_taken_back_in_an_emergency_too() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "crash-at-start");
    let run = fleet.deploy(&["p620", "--emergency"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["crash.service", "cannot open database"]);
    fleet.assert_as_before("p620", &before);
}

#[test]
fn action_test_takes_a_bad_change_back() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "crash-at-start");
    let run = fleet.deploy(&["p620", "--action", "test"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["crash.service", "cannot open database"]);
    fleet.assert_as_before("p620", &before);
}
