//! Changes that a host takes back because their activation failed, and those
//! that it never begins.

use std::time::Duration;

use super::fleet::Fleet;
use super::standing::ACTIVATION_8S;

/// The activation_timeout, as long for the rollback, and how long it takes to end a program.
const BACK_WITHIN: Duration = Duration::from_secs(28);

#[test]
fn a_unit_that_crashes_at_its_start_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.taken_back(
        "crash-at-start",
        &["crash.service failed (exit-code)", "crash: cannot open database", "journalctl -u crash.service"],
    );
    assert_eq!(run.activation_exit("p620"), Some(4));
}

#[test]
fn a_step_of_the_activation_script_that_fails_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.taken_back(
        "activation-fails",
        &["the activation script failed", "Activation script snippet", "failed"],
    );
    assert_eq!(run.activation_exit("p620"), Some(2));
}

#[test]
fn an_activation_script_that_dies_half_way_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.taken_back("activation-aborts", &["the activation script failed", "unbound variable"]);
    assert_eq!(fleet.on("p620", "readlink /etc/static"), fleet.on("p620", "readlink /run/current-system/etc"));
}

#[test]
fn an_activation_that_leaves_no_running_system_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let variant = "{ ... }: { activation.gone = \"rm /run/current-system; kill -KILL $$\"; }";
    std::fs::write(fleet.flake().join("variants/gone.nix"), variant).unwrap();
    fleet.taken_back("gone", &["the activation script failed"]);
}

#[test]
fn a_switch_that_panics_in_the_middle_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.taken_back("panics", &["exit code 101", "index out of bounds"]);
    assert_eq!(run.activation_exit("p620"), Some(101));
}

#[test]
fn an_activation_that_hangs_is_ended_in_time_and_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(ACTIVATION_8S);
    fleet.taken_back("hangs", &["did not end within 8 s"]);
    assert!(fleet.time_until_back("p620") < BACK_WITHIN);
    assert_eq!(fleet.on("p620", "readlink /etc/static"), fleet.on("p620", "readlink /run/current-system/etc"));
}

#[test]
fn a_unit_whose_start_hangs_is_ended_in_time_and_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(ACTIVATION_8S);
    fleet.taken_back("unit-hangs", &["did not end within 8 s; it waited for hang.service"]);
    assert!(fleet.time_until_back("p620") < BACK_WITHIN);
    assert_eq!(fleet.unit("p620", "hang.service"), "inactive");
}

#[test]
fn a_rollback_that_fails_itself_says_what_to_do_by_hand() {
    let fleet = Fleet::start(&["p620"]);
    // The old system's own activation script always fails.
    fleet.install("p620", "activation-fails");
    let old = fleet.look("p620");
    fleet.variant("p620", "crash-at-start");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 7, "rollback-failed");
    run.assert_failure(
        "p620",
        &[
            "p620 could not be brought back",
            "activating the old system ended with exit code 2",
            &format!("NIXOS_NO_CHECK=1 {}/bin/switch-to-configuration test", old.current_system),
            "crash.service failed",
        ],
    );
    let after = fleet.look("p620");
    assert_eq!((after.profile, after.boot_default), (old.profile, old.boot_default));
    fleet.assert_no_traces("p620");
}

#[test]
fn what_could_not_be_taken_back_is_not_activated() {
    let fleet = Fleet::start(&["p620"]);
    // As an image that brings no tool to change it.
    fleet.on("p620", "mount --bind /dev/null /run/current-system/bin/switch-to-configuration");
    let before = fleet.standing("p620");
    fleet.variant("p620", "crash-at-start");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["the running system cannot be activated again", "--action boot --reboot"]);
    fleet.assert_as_before("p620", &before);
}

#[test]
fn a_boot_loader_that_cannot_be_installed_is_taken_back_with_profile_and_system() {
    let fleet = Fleet::start(&["p620"]);
    fleet.taken_back("bootloader-fails", &["boot loader", "No space left on device"]);
    let generations = fleet.on("p620", "ls /nix/var/nix/profiles | grep -c system-");
    assert_eq!(generations.trim(), "1");
}

#[test]
fn action_boot_takes_a_failed_boot_loader_back() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "bootloader-fails");
    let run = fleet.deploy(&["p620", "--action", "boot"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["boot default", "No space left on device"]);
    fleet.assert_as_before("p620", &before);
}

#[test]
fn a_pre_switch_check_that_says_no_leaves_the_host_untouched() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.refused(&[], "pre-switch-check-fails", 3, &["pre-switch check", "the database is older"]);
    assert!(!run.steps("p620").contains(&"activate"));
}

#[test]
fn a_pre_switch_check_is_heard_in_an_emergency_too() {
    let fleet = Fleet::start(&["p620"]);
    fleet.refused(&["--emergency"], "pre-switch-check-fails", 3, &["the database is older"]);
}

#[test]
fn a_pre_switch_check_is_heard_before_the_next_boot_too() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "pre-switch-check-fails");
    let run = fleet.deploy(&["p620", "--action", "boot"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["boot default", "the database is older"]);
    fleet.assert_as_before("p620", &before);
}

#[test]
fn a_switch_that_is_inhibited_leaves_the_host_untouched_and_names_the_way_out() {
    let fleet = Fleet::start(&["p620"]);
    fleet.refused(&[], "switch-inhibitor", 3, &["dbus -> broker", "--action boot"]);
}

#[test]
fn a_system_for_another_architecture_is_refused_before_the_copy() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.refused(&[], "wrong-architecture", 5, &["aarch64", "x86_64", "hostPlatform"]);
    let new = run.report("p620")["new"].as_str().unwrap();
    assert_eq!(fleet.on("p620", &format!("ls -d {new} 2>/dev/null; true")), "");
}
