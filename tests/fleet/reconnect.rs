//! The one connection that carries a deploy may end before it is needed again:
//! a long build, a person who thinks, a laptop that slept.

use std::fs;

use super::fleet::{Fleet, report};

#[test]
fn a_connection_that_ended_during_the_build_is_made_anew() {
    let fleet = Fleet::start(&["p620"]);
    let go = fleet.flake().with_file_name("go");
    let wait_for = go.display();
    fleet.host_file("p620", &format!("{{ variant = \"slow-build\"; waitFor = \"{wait_for}\"; }}"));
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("build");
    // The host ends every session, as it does when it has been silent too long.
    fleet.on("p620", "timeout 30 sh -c 'while pkill -KILL sshd-session; do :; done'");
    fs::write(&go, "").unwrap();
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    assert_eq!((status.code(), report["outcome"].as_str()), (Some(0), Some("deployed")), "{report:#}");
    assert_eq!(fleet.look("p620").current_system, report["new"].as_str().unwrap());
    fleet.assert_no_traces("p620");
}
