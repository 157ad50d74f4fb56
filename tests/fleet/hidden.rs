//! Hosts that are not well and do not say so by a failed unit: nix-deploy finds out, and
//! never calls them well.

use rustix::process::Signal;

use super::fleet::{Fleet, Run};

const BAD_RELOAD: &str = "units.\"reloader.service\".Service.ExecReload = \"/usr/bin/false\";";
const CRITICAL: &str = "critical_services = [\"worker.service\"]";

/// Writes a variant of the test's own.
fn write(fleet: &Fleet, name: &str, body: &str) {
    std::fs::write(fleet.flake().join(format!("variants/{name}.nix")), format!("{{ ... }}: {{ {body} }}"))
        .unwrap();
}

/// A deploy of p620 that an activation with exit code 4 and no failed unit takes back.
#[track_caller]
fn unexplained(fleet: &Fleet, body: &str, named: &[&str]) -> Run {
    write(fleet, "hidden", body);
    let run = fleet.taken_back("hidden", named);
    assert_eq!(run.activation_exit("p620"), Some(4));
    run
}

#[test]
fn a_reload_that_fails_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    unexplained(&fleet, BAD_RELOAD, &["reloader.service could not be reloaded (exit-code)"]);
}

#[test]
fn a_reload_that_fails_does_not_hide_behind_what_had_failed_before() {
    let fleet = Fleet::start(&["p620"]);
    fleet.install("p620", "failing-before");
    std::fs::write(
        fleet.flake().join("variants/hidden.nix"),
        format!("arguments: arguments.lib.merge (import ./failing-before.nix arguments) {{ {BAD_RELOAD} }}"),
    )
    .unwrap();
    let named = ["reloader.service could not be reloaded (exit-code)"];
    fleet.taken_back_to("hidden", 2, &named);
    // Without a plan of its units as well.
    let run = fleet.deploy(&["p620", "--emergency"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &named);
}

#[test]
fn a_service_whose_conditions_refuse_its_start_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    unexplained(
        &fleet,
        "units.\"worker.service\".Unit.AssertPathExists = \"/nonexistent\";",
        &["could not start or reload a unit (exit code 4)", "worker.service"],
    );
}

#[test]
fn a_unit_that_cannot_be_loaded_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    write(
        &fleet,
        "hidden",
        "units.\"bad.service\" = { Service.Type = \"simple\"; wantedBy = [ \"multi-user.target\" ]; };",
    );
    fleet.taken_back("hidden", &["bad.service cannot be loaded (bad-setting)"]);
}

#[test]
fn a_critical_service_in_a_crash_loop_that_had_failed_before_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with(CRITICAL, "[hosts.p620]\n[hosts.p620.timeouts]\nsettle = \"5s\"\n");
    fleet.on("p620", "systemctl kill -s KILL worker.service");
    fleet.await_on("p620", "systemctl is-failed -q worker.service");
    write(
        &fleet,
        "hidden",
        "units.\"worker.service\" = { Unit.StartLimitIntervalSec = 0; \
         Service = { ExecStart = \"/bin/sh -c 'sleep 2; exit 1'\"; Restart = \"always\"; RestartSec = \"100ms\"; }; };",
    );
    fleet.variant("p620", "hidden");
    let run = fleet.deploy(&["p620"]);
    // Its old definition is well again.
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["worker.service crash loop"]);
}

#[test]
fn a_critical_service_that_nothing_starts_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with("critical_services = [\"manual.service\"]", "");
    write(&fleet, "hidden", "units.\"worker.service\".Unit.After = \"manual.service\";");
    fleet.variant("p620", "hidden");
    let run = fleet.deploy(&["p620"]);
    // It did not run before either: the host is as it was.
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["manual.service"]);
}

#[test]
fn a_service_that_is_on_its_way_up_at_the_end_is_named() {
    let fleet = Fleet::start(&["p620"]);
    // It ends as soon as the switch has started it, and does not come up again: the switch
    // waits for that a while, in vain.
    write(
        &fleet,
        "hidden",
        "units.\"worker.service\".Service = { Type = \"notify\"; NotifyAccess = \"all\"; Restart = \"always\"; RestartSec = 0; \
         ExecStart = \"/bin/sh -c 'if [ ! -e /run/w1 ]; then : >/run/w1; systemd-notify --ready; \
         while [ -e /run/nixos/start-list ]; do sleep 0.02; done; exit 1; fi; sleep infinity'\"; };",
    );
    fleet.write_settings("[hosts.p620]\n[hosts.p620.rollback]\nactivation_timeout = \"60s\"\n");
    fleet.variant("p620", "hidden");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    let warnings = run.warnings("p620");
    assert!(warnings.contains("is still on its way up or down: worker.service"), "{warnings}");
}

#[test]
fn an_instance_of_a_template_that_has_ended_is_named() {
    let fleet = Fleet::start(&["p620"]);
    let units = |start: &str| {
        format!(
            "units.\"w@.service\" = {{ Service.ExecStart = \"{start}\"; }}; \
             units.\"starts-w.service\" = {{ Unit = {{ Wants = \"w@a.service\"; }}; \
             Service = {{ Type = \"oneshot\"; RemainAfterExit = true; ExecStart = \"/usr/bin/true\"; }}; \
             wantedBy = [ \"multi-user.target\" ]; }};"
        )
    };
    write(&fleet, "hidden", &units("/usr/bin/sleep infinity"));
    fleet.variant("p620", "hidden");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    assert_eq!(fleet.unit("p620", "w@a.service"), "active");
    write(&fleet, "hidden", &units("/usr/bin/true"));
    fleet.variant_with("p620", "hidden", "revision = 2;");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    assert!(run.warnings("p620").contains("does not run any more: w@a.service"), "{}", run.warnings("p620"));
}

#[test]
fn a_supervisor_that_dies_half_way_leaves_no_host_that_is_called_well() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with(CRITICAL, "");
    write(
        &fleet,
        "hidden",
        "units.\"worker.service\".Service.Environment = \"A=2\"; activation.slow = \"sleep 100\";",
    );
    fleet.variant("p620", "hidden");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    fleet.await_on("p620", "! systemctl is-active -q worker.service");
    fleet.on("p620", "systemctl kill --signal=KILL 'nix-deploy-*.service'");
    let (status, events) = run.finish();
    let report = super::fleet::report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(7), Some("unknown")), "{report:#}");
    // It runs and boots its old system, of which a service is down.
    fleet.variant("p620", "baseline");
    let again = fleet.deploy(&["p620"]);
    assert_eq!(again.code, Some(0), "{}", again.report("p620"));
    assert_ne!(again.report("p620")["outcome"], "unchanged");
    assert_eq!(fleet.unit("p620", "worker.service"), "active");
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
}

#[test]
fn a_host_that_was_put_back_without_a_service_that_ran_is_not_called_well() {
    let fleet = Fleet::start(&["p620"]);
    let crash = "units.\"crash.service\" = { Service = { Type = \"oneshot\"; ExecStart = \"/usr/bin/false\"; }; \
                 wantedBy = [ \"multi-user.target\" ]; };";
    fleet.on("p620", "systemctl start manual.service");
    write(&fleet, "hidden", &format!("units.\"manual.service\" = null; {crash}"));
    fleet.variant("p620", "hidden");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    assert_eq!(fleet.unit("p620", "manual.service"), "inactive");
    assert!(run.warnings("p620").contains("does not run any more: manual.service"), "{}", run.warnings("p620"));
    assert!(!run.stderr.contains("the host is well"), "{}", run.stderr);
    // A critical one is more than a warning.
    fleet.write_settings_with(CRITICAL, "");
    write(&fleet, "needy", "units.\"worker.service\".Unit.AssertPathExists = \"/run/w-ok\";");
    fleet.on("p620", "touch /run/w-ok");
    fleet.variant("p620", "needy");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    write(
        &fleet,
        "hidden",
        &format!(
            "activation.w = \"rm -f /run/w-ok\"; {crash} units.\"worker.service\".Unit.Description = \"x\";"
        ),
    );
    fleet.variant_with("p620", "hidden", "revision = 2;");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 7, "unknown");
    run.assert_failure("p620", &["units that were well before are not: worker.service"]);
}

#[test]
fn what_a_person_activates_meanwhile_is_not_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nsettle = \"30s\"\n");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("verify");
    run.signal(Signal::STOP);
    fleet.install("p620", "restart");
    let rescued = fleet.look("p620");
    run.signal(Signal::CONT);
    let (status, events) = run.finish();
    let report = super::fleet::report(&events, "p620");
    assert_ne!(status.code(), Some(0), "{report:#}");
    assert!(report["failure"].to_string().contains("somebody else activated"), "{report:#}");
    assert_eq!(fleet.look("p620"), rescued);
}

#[test]
fn a_boot_default_whose_commit_was_cut_off_is_not_called_unchanged() {
    let fleet = Fleet::start(&["p620"]);
    write(&fleet, "hidden", "bootLoader = \"until [ -e /root/go ]; do sleep 0.1; done\";");
    fleet.variant("p620", "hidden");
    let run = fleet.start_deploy(&["p620", "--action", "boot"]);
    fleet.await_on("p620", "[ $(readlink /nix/var/nix/profiles/system) = system-2-link ]");
    fleet.on_fleet("kill", &["p620"]);
    drop(run.finish());
    fleet.on_fleet("boot", &["p620"]);
    fleet.on("p620", "touch /root/go");
    let again = fleet.deploy(&["p620", "--action", "boot"]);
    assert_eq!(again.code, Some(0), "{}", again.report("p620"));
    assert_ne!(again.report("p620")["outcome"], "unchanged");
    let after = fleet.look("p620");
    assert_eq!(
        (after.generation.as_str(), after.boot_default.as_str()),
        ("system-2-link", "nixos-generation-2.conf")
    );
    fleet.deploy(&["p620", "--action", "boot"]).expect("p620", 0, "unchanged");
}

#[test]
fn two_names_of_one_machine_are_refused() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.twin]\naddress = \"p620\"\nattribute = \"p620\"\n");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620", "twin"]);
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    let refused = ["p620", "twin"].iter().filter(|name| run.report(name)["outcome"] == "failed").count();
    assert_eq!(refused, 1);
    let said = format!("{}{}", run.failure("p620"), run.failure("twin"));
    assert!(said.contains("is the same machine as"), "{said}");
}

#[test]
fn a_systemd_without_an_answer_is_asked_again_and_foo_stays_what_had_failed_before() {
    let fleet = Fleet::start(&["p620"]);
    fleet.install("p620", "failing-before");
    fleet.on(
        "p620",
        "cat >/usr/local/bin/systemctl <<'EOF'\n#!/bin/sh\n\
         case $1 in list-units) [ -e /run/asked ] || { : >/run/asked; exit 1; } ;; esac\nexec /usr/bin/systemctl \"$@\"\nEOF\n\
         chmod +x /usr/local/bin/systemctl",
    );
    fleet.variant("p620", "failing-before-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    fleet.on("p620", "test -e /run/asked");
    assert!(run.warnings("p620").contains("foo.service"), "{}", run.warnings("p620"));
}

#[test]
fn a_new_service_is_part_of_the_plan() {
    let fleet = Fleet::start(&["p620"]);
    write(
        &fleet,
        "hidden",
        "units.\"fresh.service\" = { Service.ExecStart = \"/usr/bin/sleep infinity\"; wantedBy = [ \"multi-user.target\" ]; };",
    );
    fleet.variant("p620", "hidden");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(run.report("p620")["unit_plan"]["new"], serde_json::json!(["fresh.service"]));
    assert_eq!(run.services("p620").get("fresh.service"), Some(&"started"));
}
