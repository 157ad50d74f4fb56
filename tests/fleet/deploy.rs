//! Deploys that succeed, and hosts that need none.

use serde_json::Value;

use super::fleet::Fleet;

#[test]
fn a_changed_unit_is_deployed_proven_and_committed() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&[], "unit-changed");
    assert_eq!(fleet.unit("p620", "worker.service"), "active");
    assert_eq!(run.services("p620")["worker.service"], "restarted");
    assert_eq!(run.report("p620")["generation_before"], 1);
    assert_eq!(run.report("p620")["generation_after"], 2);
    assert_eq!(run.summary("p620", "commit"), "");
}

#[test]
fn an_unchanged_host_is_neither_built_for_nor_copied_to() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    for variant in ["baseline", "no-change"] {
        fleet.variant("p620", variant);
        let run = fleet.deploy(&["p620"]);
        run.expect("p620", 0, "unchanged");
        let steps = run.steps("p620");
        assert!(!steps.contains(&"build") && !steps.contains(&"copy"), "{variant}: {steps:?}");
        fleet.assert_as_before("p620", &before);
    }
}

#[test]
fn packages_are_reported_with_their_versions_before_and_after() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&[], "package-update");
    let closure = &run.report("p620")["changes"]["closure"];
    let packages: Vec<(&str, &str, String, String)> = closure["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let text = |key: &str| package[key].as_str().unwrap();
            (text("name"), text("kind"), package["before"].to_string(), package["after"].to_string())
        })
        .collect();
    let owned = str::to_owned;
    assert_eq!(
        packages,
        [
            ("htop", "removed", owned(r#"["3.3.0"]"#), owned("[]")),
            ("jq", "added", owned("[]"), owned(r#"["1.7.1"]"#)),
            ("nginx", "upgraded", owned(r#"["1.24.0"]"#), owned(r#"["1.26.1"]"#)),
        ]
    );
    assert_eq!(run.summary("p620", "changes").split(',').next(), Some("3 packages"));
    assert!(closure["new_bytes"].as_u64().unwrap() > 0);
    // nginx, jq, system-path and the system itself.
    assert_eq!(closure["new_paths"], 4);
    assert_eq!(run.summary("p620", "copy").split(',').next(), Some("4 paths"));
}

#[test]
fn an_old_system_without_the_check_action_is_deployed() {
    let fleet = Fleet::start(&["p620"]);
    fleet.accepted(&[], "old-tool");
}

#[test]
fn a_new_kernel_is_deployed_and_waits_for_a_reboot() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&[], "kernel-change");
    let changes = &run.report("p620")["changes"];
    assert_eq!(changes["reboot_needed"], true);
    let reasons: Vec<&str> =
        changes["reboot_reasons"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(reasons, ["kernel", "initrd", "kernel-modules"]);
}

#[test]
fn a_reloaded_unit_keeps_its_process() {
    let fleet = Fleet::start(&["p620"]);
    let main_pid = || fleet.on("p620", "systemctl show -P MainPID reloader.service");
    let before = main_pid();
    let run = fleet.accepted(&[], "reload");
    assert_eq!(run.services("p620")["reloader.service"], "reloaded");
    assert_eq!(main_pid(), before);
}

#[test]
fn a_unit_that_a_switch_leaves_alone_keeps_its_process() {
    let fleet = Fleet::start(&["p620"]);
    let main_pid = || fleet.on("p620", "systemctl show -P MainPID keeper.service");
    let before = main_pid();
    let run = fleet.accepted(&[], "kept");
    assert_eq!(run.services("p620")["keeper.service"], "left alone");
    assert_eq!(main_pid(), before);
}

#[test]
fn a_unit_that_is_restarted_in_place_has_a_new_process() {
    let fleet = Fleet::start(&["p620"]);
    let main_pid = || fleet.on("p620", "systemctl show -P MainPID monitor.service");
    let before = main_pid();
    let run = fleet.accepted(&[], "restart");
    assert_eq!(run.services("p620")["monitor.service"], "restarted");
    assert_eq!(fleet.unit("p620", "monitor.service"), "active");
    assert_ne!(main_pid(), before);
}

#[test]
fn a_removed_unit_is_stopped() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&[], "removes-unit");
    assert_eq!(run.services("p620")["cache.service"], "stopped");
    assert_eq!(fleet.unit("p620", "cache.service"), "inactive");
}

#[test]
fn a_socket_is_started_instead_of_its_service() {
    let fleet = Fleet::start(&["p620"]);
    // The first connection starts the service.
    fleet.on("p620", "busybox wget -q -O - http://127.0.0.1:8081/health");
    assert_eq!(fleet.unit("p620", "status.service"), "active");
    let run = fleet.accepted(&[], "socket-activated");
    let services = run.services("p620");
    assert_eq!(services["status.socket"], "restarted");
    assert_eq!(services["status.service"], "stopped");
    assert_eq!(fleet.unit("p620", "status.socket"), "active");
    assert_eq!(fleet.unit("p620", "status.service"), "inactive");
}

#[test]
fn many_units_that_change_in_every_way_are_all_reported() {
    let fleet = Fleet::start(&["p620"]);
    let run = fleet.accepted(&[], "many-units");
    let services = run.services("p620");
    for number in 1..=12 {
        let unit = format!("job-{number}.service");
        assert_eq!(services[unit.as_str()], "started");
        assert_eq!(fleet.unit("p620", &unit), "active");
    }
    for (unit, what) in [
        ("worker.service", "restarted"),
        ("cache.service", "restarted"),
        ("monitor.service", "restarted"),
        ("reloader.service", "reloaded"),
        ("keeper.service", "left alone"),
    ] {
        assert_eq!(services[unit], what, "{unit}");
    }
    assert_eq!(services.len(), 17, "{services:?}");
}

#[test]
fn what_was_broken_before_is_reported_and_not_judged() {
    let fleet = Fleet::start(&["p620"]);
    fleet.install("p620", "failing-before");
    let before = fleet.standing("p620");
    assert_eq!(before.units["foo.service"], "failed");
    fleet.variant("p620", "failing-before-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    // switch-to-configuration counts the broken unit; the baseline does not.
    assert_eq!(run.activation_exit("p620"), Some(4));
    assert!(run.warnings("p620").contains("had failed before this deploy: foo.service"));
    assert_eq!(run.services("p620")["worker.service"], "restarted");
    let after = fleet.assert_runs_new("p620", &run);
    assert_eq!(after.on.generation, "system-3-link");
    assert_eq!(after.units["foo.service"], "failed");
    assert_eq!(after.units["worker.service"], "active");
    // All others are as they were before.
    assert_eq!(after.units, before.units);
}
