//! Updates of flake inputs, on real hosts: guided, by risk, without a question,
//! and whatever ends them.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::updated::{HOST, Updated, decision, of_type};

#[test]
fn a_person_says_no_and_nothing_changes_says_yes_and_can_go_back() {
    let updated = Updated::start(&["jq: wrong order of keys", "nginx 1.24.0: leaks memory"]);
    let fleet = &updated.fleet;
    updated.bump("apps", &["package-update"]);
    let (before, files) = (fleet.look(HOST), updated.lock_files());

    let (code, shown) = updated.answer("n");
    assert_eq!(code, Some(8), "{shown}");
    for part in ["jq", "1.24.0", "1.26.1", "#1 jq: wrong order of keys", "risk: medium"] {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));
    let record = updated.recorded();
    assert_eq!(record["update"]["verdict"], "decline");
    assert_eq!(record["update"]["decided_by"], "person");
    assert_eq!(record["hosts"][0]["status"], "skipped");

    let (code, shown) = updated.answer("y");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("keeps what was deployed; commit it"), "{shown}");
    let after = fleet.look(HOST);
    assert_ne!(after.current_system, before.current_system);
    assert_eq!(after.profile, after.current_system);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
    assert_eq!(fs::read(fleet.flake().join("flake.lock.backup")).unwrap(), files[0].1);
    let record = updated.recorded();
    assert_eq!(record["update"]["verdict"], "apply");
    assert_eq!(record["update"]["lock_file"], "kept");
    assert_eq!(record["update"]["inputs"][0]["input"], "apps");
    let issues = record["hosts"][0]["issues"].as_array().unwrap();
    let states: Vec<&str> = issues.iter().map(|issue| issue["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["update", "afterwards"], "{issues:?}");
    fleet.assert_no_traces(HOST);

    let run = updated.update(&["--undo", "--yes"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(fleet.look(HOST).current_system, before.current_system);
    assert_eq!(updated.lock(), files[0].1);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
}

#[test]
fn whatever_ends_an_update_the_lock_file_is_what_it_was() {
    let updated = Updated::start(&[]);
    let fleet = &updated.fleet;
    let (before, files) = (fleet.look(HOST), updated.lock_files());

    // Nobody can be asked.
    updated.bump("apps", &["crash-at-start"]);
    let run = updated.update(&[]);
    assert_eq!((run.code, decision(&run)), (Some(8), "decline by checks".to_owned()), "{}", run.stderr);
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));

    // A service fails: the host goes back, and so does the lock file.
    for run in [updated.update(&["--yes"]), fleet.deploy(&[HOST, "--update"])] {
        run.expect(HOST, 6, "rolled-back");
        assert_eq!(decision(&run), "apply by flag");
        let states: Vec<&Value> = of_type(&run, "lock-file").into_iter().map(|event| &event["state"]).collect();
        assert_eq!(states, ["updated", "restored"]);
        assert_eq!(fleet.look(HOST).current_system, before.current_system);
        assert_eq!(updated.lock_files(), files);
    }

    // What does not build is no update, and no input is at fault but the one that brings it.
    updated.bump("apps", &["build-fails"]);
    updated.bump("kernel", &["kernel-change"]);
    let run = updated.update(&["--yes"]);
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let offer = of_type(&run, "update-offer");
    assert_eq!(
        (&offer[0]["offer"]["input"], &offer[0]["offer"]["others"]),
        (&"apps".into(), &serde_json::json!(["kernel"]))
    );
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));

    // Ctrl-C, and SIGKILL, in the activation.
    updated.bump("apps", &["crash-at-start"]);
    let mut run = fleet.start_deploy(&[HOST, "--update=apps"]);
    run.wait_for_phase("activating");
    run.signal(Signal::INT);
    let (status, _) = run.finish();
    assert_ne!(status.code(), Some(0));
    fleet.await_settled(HOST);
    assert_eq!(updated.lock_files(), files);
    let mut run = fleet.start_deploy(&[HOST, "--update=apps"]);
    run.wait_for_phase("activating");
    run.kill();
    assert_ne!(updated.lock(), files[0].1);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup", "flake.lock.updating"]);
    fleet.await_settled(HOST);
    let run = fleet.deploy(&[HOST]);
    run.expect(HOST, 0, "unchanged");
    let found = of_type(&run, "lock-file");
    assert_eq!(found[0]["state"], "recovered");
    assert!(found[0]["remark"].as_str().unwrap().contains("of tester@"), "{}", found[0]);
    assert_eq!((fleet.look(HOST).current_system, updated.lock_files()), (before.current_system, files));
}

#[test]
fn a_smart_update_goes_as_far_as_what_is_known_lets_it() {
    let updated = Updated::start(&["linux 6.6.69 does not boot", "jq: wrong order of keys"]);
    let fleet = &updated.fleet;
    let before = fleet.look(HOST);
    updated.bump("apps", &["package-update"]);
    updated.bump("kernel", &["kernel-change"]);
    let files = updated.lock_files();

    // What is known not to boot blocks, and no flag changes that.
    let run = updated.update(&["--smart", "--yes", "--accept-risk", "high"]);
    assert_eq!((run.code, decision(&run)), (Some(3), "block by checks".to_owned()), "{}", run.stderr);
    let offers: Vec<&Value> = of_type(&run, "update-offer").into_iter().map(|event| &event["offer"]).collect();
    assert_eq!((&offers[0]["input"], &offers[0]["others"]), (&"kernel".into(), &serde_json::json!(["apps"])));
    assert_eq!(offers[0]["brings"], "linux 6.6.69 (#1)");
    assert_eq!((&offers[1]["package"], &offers[1]["version"]), (&"linux".into(), &"6.6.68".into()));
    assert!(offers[1]["overlay"].as_str().unwrap().contains("boot.kernelPackages"), "{}", offers[1]);
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));

    // The offer holds: the other input alone is only mildly risky, which somebody has to accept.
    let run = updated.update(&["--smart", "--yes", "--input", "apps"]);
    assert_eq!((run.code, decision(&run)), (Some(3), "block by checks".to_owned()), "{}", run.stderr);
    assert!(run.stderr.contains("--accept-risk medium"), "{}", run.stderr);
    assert_eq!(updated.lock_files(), files);
    let run = updated.update(&["--smart", "--input", "apps", "--accept-risk", "medium"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(decision(&run), "apply by flag");
    let known: Vec<&Value> =
        of_type(&run, "known-issues").into_iter().map(|event| &event["afterwards"]).collect();
    assert_eq!(known, [false, true]);
    assert_ne!(fleet.look(HOST).current_system, before.current_system);

    // Where nothing is known it goes on by itself.
    updated.bump("apps", &["package-update", "unit-changed"]);
    let run = updated.update(&["--smart", "--input", "apps"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(decision(&run), "apply by checks");
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
}
