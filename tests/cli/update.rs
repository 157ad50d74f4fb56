//! `update` where nothing can be updated: each case has its reason and its way out.

use crate::program::Place;

const HOSTS: &str = "[hosts.p620]\n";

#[test]
fn a_flake_in_another_place_cannot_be_updated_from_here() {
    let place = Place::with_hosts(&format!("flake = \"github:ada/cfg\"\n{HOSTS}"));
    for arguments in [&["update", "p620", "--yes"][..], &["p620", "--update", "--yes"]] {
        let outcome = place.run(arguments);
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(
            outcome.stderr.starts_with("error: the inputs of github:ada/cfg cannot be updated from here\n"),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("hint: update it where it is kept"), "{}", outcome.stderr);
    }
}

#[test]
fn an_undo_needs_an_update_before_it() {
    let place = Place::with_hosts(HOSTS);
    let undo = || place.run(&["update", "p620", "--undo", "--yes"]);
    let outcome = undo();
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("flake.lock.backup: nothing was updated here"), "{}", outcome.stderr);
    // An empty backup says that there was no lock file.
    place.write("flake.lock.backup", "");
    place.write("flake.lock", "{}\n");
    assert!(undo().stderr.contains("there was no flake.lock before the last update"));
    place.write("flake.lock.backup", "{}\n");
    assert!(undo().stderr.contains("there is nothing to undo"));
    assert_eq!(place.read("flake.lock"), "{}\n");
}

#[test]
fn a_marker_that_nobody_understands_stops_an_update_and_not_a_plan() {
    let place = Place::with_hosts(HOSTS);
    place.write("flake.lock.updating", "what?");
    let outcome = place.run(&["update", "p620", "--yes"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("flake.lock.updating cannot be understood"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("keep the right one, and remove"), "{}", outcome.stderr);
    assert_eq!(place.run(&["p620", "--dry-run"]).code, 0);
}

#[test]
fn this_machine_has_to_be_in_the_settings() {
    let place = Place::with_hosts("[hosts.some-other-machine]\naddress = \"10.0.0.1\"\n");
    let outcome = place.run(&["update", "--local"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("which is this machine"), "{}", outcome.stderr);
    assert_eq!(place.run(&["update", "--local", "some-other-machine"]).code, 2);
    assert_eq!(place.run(&["update", "some-other-machine", "--accept-risk", "medium"]).code, 2);
}
