//! A host that does not say clearly how it stands, or whose supervisor is gone:
//! it is never called well, and what may live is never cleared away.

use std::time::Duration;

use super::fleet::Fleet;

#[test]
fn a_switch_that_fails_while_it_stops_units_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let named = ["switch-to-configuration failed with exit code 1", "Failed to process dbus messages"];
    let run = fleet.taken_back("stops-then-fails", &named);
    assert_eq!(run.activation_exit("p620"), Some(1));
}

#[test]
fn a_systemd_that_has_no_answer_for_a_while_is_no_dead_supervisor() {
    let fleet = Fleet::start(&["p620"]);
    fleet.accepted(&[], "silent-systemd");
}

#[test]
fn a_test_makes_no_boot_default_of_what_only_a_reboot_can_enter() {
    let fleet = Fleet::start(&["p620"]);
    let named = ["only a reboot can enter it", "--action boot"];
    fleet.refused(&["--action", "test"], "needs-reboot", 3, &named);
}

#[test]
fn what_a_dead_supervisor_left_is_not_called_well_by_the_next_run() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.look("p620");
    fleet.variant("p620", "kills-supervisor");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 7, "unknown");
    run.assert_failure("p620", &["the supervisor died on the host"]);
    let after = fleet.look("p620");
    assert_eq!(after.current_system, run.report("p620")["new"]);
    assert_eq!(after.profile, before.profile);
    // Before that run crash.service had not failed: it does not count as broken before.
    let again = fleet.deploy(&["p620"]);
    assert_eq!(again.code, Some(7), "{}", again.report("p620"));
    again.assert_failure("p620", &["crash.service"]);
    let warnings = again.warnings("p620");
    assert!(warnings.contains("neither proved it nor took it back"), "{warnings}");
    assert_eq!(fleet.look("p620").profile, before.profile);
    fleet.on("p620", "test -e /run/nix-deploy/unproven");
    // What mends it is an ordinary deploy.
    fleet.variant("p620", "unit-changed");
    let mended = fleet.deploy(&["p620"]);
    assert_eq!(mended.code, Some(0), "{}", mended.report("p620"));
    fleet.assert_runs_and_boots("p620", &mended, &before);
    fleet.on("p620", "test ! -e /run/nix-deploy/unproven");
}

#[test]
fn a_boot_loader_that_cannot_be_put_back_is_told() {
    let fleet = Fleet::start(&["p620"]);
    fleet.on("p620", "mv /boot/loader/entries /boot/loader/away");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 7, "rollback-failed");
    run.assert_failure("p620", &["the boot loader could not be put back"]);
    let boot = fleet.deploy(&["p620", "--action", "boot"]);
    boot.expect("p620", 7, "rollback-failed");
    boot.assert_failure("p620", &["could not be made the boot default; the boot loader could not be put back"]);
    fleet.on("p620", "mv /boot/loader/away /boot/loader/entries");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_service_that_ran_and_ends_at_its_restart_is_named_in_every_mode() {
    let fleet = Fleet::start(&["p620", "p510"]);
    for (host, mode) in [("p620", "--fast"), ("p510", "--emergency")] {
        fleet.variant(host, "ends-by-itself");
        let run = fleet.deploy(&[host, mode]);
        run.expect(host, 0, "deployed-with-warnings");
        let warnings = run.warnings(host);
        assert!(warnings.contains("does not run any more: worker.service"), "{warnings}");
    }
}

/// A service that nothing wants: systemd forgets it when it has ended.
const LOOSE: &str = r#"{ revision, ... }: {
  units."loose.service".Service.ExecStart = if revision == 1 then "/bin/sleep infinity" else "/usr/bin/true";
}"#;

#[test]
fn a_service_that_systemd_forgets_after_its_end_is_named_in_every_mode() {
    let fleet = Fleet::start(&["p620", "p510", "h3=p620"]);
    std::fs::write(fleet.flake().join("variants/loose.nix"), LOOSE).unwrap();
    for (host, mode) in [("p620", "--fast"), ("p510", "--emergency"), ("h3", "--mode=standard")] {
        fleet.variant_with(host, "loose", "revision = 1;");
        fleet.deploy(&[host, "--fast"]).expect(host, 0, "deployed");
        fleet.on(host, "systemctl start loose.service");
        fleet.variant_with(host, "loose", "revision = 2;");
        let run = fleet.deploy(&[host, mode]);
        run.expect(host, 0, "deployed-with-warnings");
        assert!(run.warnings(host).contains("does not run any more: loose.service"), "{}", run.warnings(host));
        assert_eq!(fleet.on(host, "systemctl list-units --all --plain --no-legend loose.service"), "");
    }
}

/// A service changes, and the socket that starts it does not come back, without an error.
const SOCKET_THAT_RESTS: &str = r#"{ ... }: {
  units."status.socket".Unit.ConditionPathExists = "/nowhere";
  units."status.service".Service.Environment = "CHANGED=1";
}"#;

#[test]
fn a_socket_that_stood_ready_and_does_not_any_more_is_named_in_every_mode() {
    let fleet = Fleet::start(&["p620", "p510", "h3=p620"]);
    std::fs::write(fleet.flake().join("variants/socket-rests.nix"), SOCKET_THAT_RESTS).unwrap();
    for (host, mode) in [("p620", "--fast"), ("p510", "--emergency"), ("h3", "--mode=standard")] {
        fleet.on(host, "systemctl start status.service");
        fleet.variant(host, "socket-rests");
        let run = fleet.deploy(&[host, mode]);
        run.expect(host, 0, "deployed-with-warnings");
        let warnings = run.warnings(host);
        assert!(warnings.contains("does not run any more: status.s"), "{warnings}");
        assert!(warnings.contains("status.socket"), "{warnings}");
        let state = fleet.on(host, "systemctl is-active status.socket nix-daemon.socket || true");
        assert_eq!(state.lines().collect::<Vec<_>>(), ["inactive", "active"]);
    }
}

#[test]
fn a_socket_that_does_not_stand_ready_after_a_reboot_is_named() {
    let fleet = Fleet::start(&["p620"]);
    std::fs::write(fleet.flake().join("variants/socket-rests.nix"), SOCKET_THAT_RESTS).unwrap();
    let before = fleet.look("p620");
    // No activation comes before the boot, which could name it.
    fleet.host_file("p620", "{ variant = [ \"needs-reboot\" \"socket-rests\" ]; }");
    let run = fleet.deploy(&["p620", "--reboot", "--fast"]);
    run.expect("p620", 0, "deployed-with-warnings");
    let told = "ran before this deploy and does not run any more: status.socket";
    assert_eq!(run.report("p620")["warnings"], serde_json::json!([told]));
    fleet.assert_runs_and_boots("p620", &run, &before);
    assert_eq!(fleet.unit("p620", "status.socket"), "inactive");
}

#[test]
fn a_service_that_waits_for_its_socket_is_not_missed() {
    let fleet = Fleet::start(&["p620", "p510"]);
    // With a plan and without one.
    for (host, mode) in [("p620", "--fast"), ("p510", "--emergency")] {
        fleet.on(host, "systemctl start status.service");
        fleet.variant(host, "socket-activated");
        fleet.deploy(&[host, mode]).expect(host, 0, "deployed");
        let state = fleet.on(host, "systemctl is-active status.service status.socket || true");
        assert_eq!(state.lines().collect::<Vec<_>>(), ["inactive", "active"]);
    }
}

#[test]
fn what_is_switched_off_on_purpose_is_not_missed() {
    let fleet = Fleet::start(&["p620", "p510"]);
    // As NixOS does it for `enable = false`.
    let toplevel = fleet.flake().join("nix/toplevel.nix");
    let text = std::fs::read_to_string(&toplevel).unwrap();
    let links = "ln -s multi-user.target default.target";
    assert!(text.contains(links));
    std::fs::write(toplevel, text.replace(links, &format!("{links}; ln -sfn /dev/null backup.timer"))).unwrap();
    for (host, mode) in [("p620", "--fast"), ("p510", "--emergency")] {
        assert_eq!(fleet.on(host, "systemctl is-active backup.timer").trim(), "active");
        fleet.deploy(&[host, mode]).expect(host, 0, "deployed");
        assert_eq!(fleet.on(host, "systemctl is-active backup.timer || true").trim(), "inactive");
    }
}

#[test]
fn a_host_that_lets_us_in_and_never_answers_again_is_given_up() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(
        "[hosts.p620.rollback]\nconfirm_timeout = \"1s\"\nactivation_timeout = \"8s\"\n\
         [hosts.p620.timeouts]\ncommand = \"5s\"\n",
    );
    let before = fleet.look("p620");
    fleet.variant_with("p620", "slow-activation", "seconds = 5;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    // Every login from here on hangs, and the connection that stands breaks.
    fleet.on("p620", "echo 'sleep 1000' >/root/.bashrc; pkill -KILL -f '^sshd(-session)?: root'");
    let begun = std::time::Instant::now();
    let (status, events) = run.finish();
    assert!(begun.elapsed() < Duration::from_secs(200), "{:?}", begun.elapsed());
    assert_eq!(status.code(), Some(7));
    let report = super::fleet::report(&events, "p620");
    assert_eq!(report["outcome"], "unknown");
    fleet.on("p620", "rm /root/.bashrc");
    fleet.await_settled("p620");
    assert_eq!(fleet.look("p620"), before);
    // A second is no time for a proof on a machine that is busy with other tests.
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}
