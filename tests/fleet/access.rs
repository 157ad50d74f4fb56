//! Changes that cut the way to the host, and the ways to become root on it.

use std::time::Duration;

use super::fleet::{Fleet, Run};

/// The confirm_timeout of the fleet's settings and 15 seconds.
const BACK_WITHIN: Duration = Duration::from_secs(25);
const SUDO: &str = "[hosts.p620]\nuser = \"deploy\"\nelevate = \"sudo\"\n";

/// Deploys a variant that cuts the way: the host comes back by itself, in time.
#[track_caller]
fn comes_back(variant: &str) -> Run {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.taken_back(variant, &["no new login came about under the new system", "openssh"]);
    let time = fleet.time_until_back("p620");
    assert!(time <= BACK_WITHIN, "{time:?}");
    // Reachable again, with nothing to do.
    fleet.variant("p620", "baseline");
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
    run
}

#[test]
fn a_host_whose_interface_went_down_comes_back() {
    comes_back("network-down");
}

#[test]
fn a_host_that_moved_to_another_address_comes_back() {
    comes_back("address-changed");
}

#[test]
fn a_host_whose_firewall_drops_everything_comes_back() {
    comes_back("firewall-drop");
}

#[test]
fn a_host_without_sshd_comes_back() {
    let run = comes_back("sshd-stopped");
    run.assert_failure("p620", &["Connection refused"]);
    // Nobody could look at it; what it meant to do is known.
    assert_eq!(run.services("p620")["sshd.service"], "was to stop");
}

#[test]
fn a_host_whose_sshd_moved_to_another_port_comes_back() {
    let run = comes_back("sshd-port-changed");
    run.assert_failure("p620", &["Connection refused"]);
}

#[test]
fn a_critical_sshd_that_is_gone_is_taken_back_with_its_name() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with("critical_services = [\"sshd\"]", "");
    fleet.taken_back("sshd-stopped", &["no new login came about"]);
}

#[test]
fn a_change_that_removes_the_login_key_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.taken_back(
        "removes-key",
        &["the user can no longer log in under the new system", "Permission denied", "openssh, users"],
    );
}

#[test]
fn what_nobody_could_confirm_is_taken_back_without_automatic_rollback_too() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620.rollback]\nauto = false\n");
    fleet.taken_back("removes-key", &["the user can no longer log in under the new system"]);
}

#[test]
fn a_change_that_removes_the_sudo_rule_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(SUDO);
    fleet.taken_back("removes-sudo", &["the user can no longer become root under the new system", "sudo"]);
}

#[test]
fn a_change_that_removes_every_way_to_become_root_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\nuser = \"deploy\"\n");
    fleet.taken_back("removes-elevation", &["the user can no longer become root under the new system"]);
}

#[test]
fn a_change_that_makes_sudo_ask_for_a_password_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(SUDO);
    fleet.taken_back("asks-password", &["the user can no longer become root", "a password is required"]);
}

#[test]
fn a_user_deploys_with_sudo() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(SUDO);
    let run = fleet.accepted(&[], "unit-changed");
    assert_eq!(run.services("p620")["worker.service"], "restarted");
}

#[test]
fn a_user_deploys_with_doas() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\nuser = \"deploy\"\nelevate = \"doas\"\n");
    let run = fleet.accepted(&[], "unit-changed");
    assert_eq!(run.services("p620")["worker.service"], "restarted");
}

#[test]
fn a_user_deploys_with_run0() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\nuser = \"deploy\"\nelevate = \"run0\"\n");
    let run = fleet.accepted(&[], "unit-changed");
    assert_eq!(run.services("p620")["worker.service"], "restarted");
}

#[test]
fn a_user_whom_nix_does_not_trust_is_refused_before_the_copy() {
    let fleet = Fleet::start(&["p620"]);
    fleet.install("p620", "untrusted");
    fleet.write_settings(SUDO);
    let run = fleet.refused(&[], "unit-changed", 5, &["does not trust user deploy", "trusted-users"]);
    let new = run.report("p620")["new"].as_str().unwrap();
    assert_eq!(fleet.on("p620", &format!("ls -d {new} 2>/dev/null; true")), "");
}

/// A host where sudo asks deploy for the password, and a change to deploy.
fn asks_password() -> Fleet {
    let fleet = Fleet::start(&["p620"]);
    fleet.install("p620", "asks-password");
    fleet.write_settings(SUDO);
    fleet.host_file("p620", "{ variant = [ \"asks-password\" \"unit-changed\" ]; revision = 2; }");
    fleet
}

#[test]
fn the_right_sudo_password_deploys() {
    let fleet = asks_password();
    let run = fleet.deploy_with(&["p620"], &[("NIX_DEPLOY_SUDO_PASSWORD", "deploy")]);
    run.expect("p620", 0, "deployed");
    assert_eq!(run.services("p620")["worker.service"], "restarted");
    let after = fleet.assert_runs_new("p620", &run);
    assert_eq!(after.on.generation, "system-3-link");
}

#[test]
fn a_wrong_sudo_password_leaves_the_host_untouched_and_stays_secret() {
    let fleet = asks_password();
    let before = fleet.standing("p620");
    let run = fleet.deploy_with(&["p620"], &[("NIX_DEPLOY_SUDO_PASSWORD", "not-this-one")]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["cannot become root", "NIX_DEPLOY_SUDO_PASSWORD"]);
    // It is called what it is, and has cost one of sudo's attempts.
    run.assert_failure("p620", &["the sudo password was not accepted", "1 incorrect password attempt"]);
    assert!(!run.stdout.contains("not-this-one") && !run.stderr.contains("not-this-one"));
    fleet.assert_as_before("p620", &before);
}

#[test]
fn a_mistyped_sudo_password_is_asked_again() {
    let fleet = asks_password();
    let answers = [
        ("sudo password of deploy on p620: ", "not-this-one"),
        ("the password was not accepted; sudo password of deploy on p620: ", "deploy"),
        ("Continue with deployment?", "y"),
    ];
    let (run, shown) = fleet.deploy_at_a_terminal(&["p620"], &answers);
    run.expect("p620", 0, "deployed");
    fleet.assert_runs_new("p620", &run);
    assert!(!shown.contains("not-this-one"), "{shown}");
}

#[test]
fn without_the_sudo_password_the_remedy_is_named() {
    let fleet = asks_password();
    let before = fleet.standing("p620");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["sudo asks deploy for a password", "set NIX_DEPLOY_SUDO_PASSWORD"]);
    fleet.assert_as_before("p620", &before);
}
