//! Systems that activate well and are not well: health of units and checks.

use super::fleet::Fleet;
use super::standing::SETTLE_5S;

#[test]
fn failed_units_of_users_are_a_warning_and_never_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    // What user@1000.service does, on a host without logind.
    fleet.on(
        "p620",
        "install -d -m 700 -o 1000 -g 1000 /run/user/1000 && \
         systemd-run -q --uid=1000 --gid=1000 -E XDG_RUNTIME_DIR=/run/user/1000 -p Delegate=yes \
             --unit=manager /lib/systemd/systemd --user",
    );
    let as_user = "setpriv --reuid=1000 --regid=1000 --clear-groups env XDG_RUNTIME_DIR=/run/user/1000";
    fleet.await_on("p620", &format!("{as_user} systemctl --user is-system-running >/dev/null 2>&1"));
    let sync = "systemd-run --user --unit=sync --service-type=oneshot false";
    fleet.on("p620", &format!("! {as_user} {sync} 2>&1"));
    let before = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    assert!(
        run.warnings("p620").contains("1 unit of user deploy failed: sync.service"),
        "{}",
        run.warnings("p620")
    );
    fleet.assert_runs_and_boots("p620", &run, &before);
}

#[test]
fn a_service_that_crashes_again_and_again_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(SETTLE_5S);
    let run = fleet.taken_back("crash-loop", &["loop.service", "crash loop", "loop: lost its mind"]);
    assert_eq!(run.activation_exit("p620"), Some(0));
}

#[test]
fn a_service_that_dies_soon_after_its_start_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(SETTLE_5S);
    let run = fleet.taken_back("dies-later", &["mayfly.service failed", "mayfly: done with it"]);
    assert_eq!(run.activation_exit("p620"), Some(0));
}

#[test]
fn a_page_that_is_not_there_any_more_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let address = fleet.address("p620");
    fleet.write_settings(&format!(
        "[[hosts.p620.checks]]\nname = \"health page\"\nhttp = \"http://{address}:8080/health\"\n\
         retries = 1\n"
    ));
    fleet.accepted(&[], "unit-changed");
    fleet.taken_back_to("health-fails", 2, &["health page", "404", "/health"]);
}

#[test]
fn a_port_that_is_closed_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let address = fleet.address("p620");
    fleet.write_settings(&format!(
        "[[hosts.p620.checks]]\nname = \"web port\"\ntcp = \"{address}:8080\"\nretries = 1\n"
    ));
    fleet.taken_back("critical-stops", &["web port", ":8080"]);
}

#[test]
fn a_command_that_fails_on_the_host_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(
        "[[hosts.p620.checks]]\nname = \"page by hand\"\n\
         command = [\"busybox\", \"wget\", \"-O\", \"-\", \"http://127.0.0.1:8080/health\"]\nretries = 1\n",
    );
    fleet.accepted(&[], "unit-changed");
    fleet.taken_back_to("health-fails", 2, &["page by hand", "404"]);
}

#[test]
fn a_critical_service_that_does_not_run_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with("critical_services = [\"web.service\"]", "");
    let run = fleet.taken_back("critical-stops", &["web.service", "critical service is inactive"]);
    assert_eq!(run.activation_exit("p620"), Some(0));
}

#[test]
fn a_critical_service_may_be_given_by_another_of_its_names() {
    let fleet = Fleet::start(&["p620"]);
    // An alias of systemd-logind.service.
    fleet.write_settings_with("critical_services = [\"dbus-org.freedesktop.login1\"]", "");
    fleet.accepted(&[], "unit-changed");
}

#[test]
fn a_critical_service_that_does_not_exist_is_an_error_that_names_the_nearest() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings_with("critical_services = [\"wep\"]", "");
    let named = ["the critical service wep.service does not exist on p620", "did you mean web.service?"];
    fleet.refused(&[], "unit-changed", 2, &named);
    // Without a preview it is found after the activation.
    let before = fleet.standing("p620");
    let run = fleet.deploy(&["p620", "--emergency"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &named);
    fleet.assert_as_before("p620", &before);
}

#[test]
fn without_rollback_a_bad_change_is_kept_and_the_run_fails() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620.rollback]\nauto = false\n");
    let before = fleet.look("p620");
    fleet.variant("p620", "crash-at-start");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 7, "failed");
    run.assert_failure("p620", &["crash.service", "cannot open database"]);
    assert!(run.warnings("p620").contains("rollback.auto is false"));
    fleet.assert_runs_and_boots("p620", &run, &before);
    assert_eq!(fleet.unit("p620", "crash.service"), "failed");
}
