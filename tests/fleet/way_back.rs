//! Going back to an earlier system by hand: the same supervisor, proof and
//! record as a deploy.

use super::fleet::{Fleet, Run, finish};

impl Fleet {
    /// Takes hosts back without questions and waits for the end.
    fn roll_back(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["rollback", "--output", "json", "--yes"];
        all.extend(arguments);
        finish(self.nix_deploy(&all))
    }

    fn generations(&self, host: &str) -> String {
        let text = self.on(host, "cd /nix/var/nix/profiles; echo system-*-link");
        text.replace("system-", "").replace("-link", "").trim().to_owned()
    }
}

impl Run {
    fn run_id(&self) -> String {
        let folder = self.events[0]["run_dir"].as_str().unwrap();
        folder.rsplit('/').next().unwrap().to_owned()
    }

    fn target(&self) -> &serde_json::Value {
        &self.events.iter().find(|event| event["type"] == "target").unwrap()["target"]
    }
}

#[test]
fn a_host_goes_back_generation_by_generation_by_number_and_by_run() {
    let fleet = Fleet::start(&["p620"]);
    let first = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    let second = fleet.look("p620");
    fleet.variant("p620", "package-update");
    let newest = fleet.deploy(&["p620"]);
    newest.expect("p620", 0, "deployed");
    let third = fleet.look("p620");

    // The generation before: it runs, boots, and is proven; no generation is made.
    let run = fleet.roll_back(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(run.events[0]["command"], "rollback");
    assert_eq!(run.target()["said"], "generation 2, the one before generation 3");
    assert!(run.target()["commit"].is_string(), "{}", run.target());
    let steps = run.steps("p620");
    assert!(["activate", "prove", "verify", "commit"].iter().all(|step| steps.contains(step)), "{steps:?}");
    assert!(!steps.contains(&"evaluate") && !steps.contains(&"copy"), "{steps:?}");
    assert_eq!(fleet.look("p620"), second);
    assert_eq!(fleet.generations("p620"), "1 2 3");
    fleet.assert_no_traces("p620");

    // Back once more, and then there is nothing to go back to.
    fleet.roll_back(&["p620"]).expect("p620", 0, "deployed");
    assert_eq!(fleet.look("p620"), first);
    let none = fleet.roll_back(&["p620"]);
    none.expect("p620", 5, "failed");
    none.assert_failure("p620", &["nothing to go back to: generation 1 is its first"]);
    fleet.assert_no_traces("p620");

    // Forward again to what a run deployed; who is there already is left alone.
    let run_id = newest.run_id();
    fleet.roll_back(&["p620", "--to", &run_id]).expect("p620", 0, "deployed");
    assert_eq!(fleet.look("p620"), third);
    fleet.roll_back(&["p620", "--to", "3"]).expect("p620", 0, "unchanged");
    fleet.roll_back(&["p620", "--to", "9"]).expect("p620", 2, "failed");

    let history = finish(fleet.nix_deploy(&["fleet", "history", "--json", "p620"])).stdout;
    let commands = history.lines().filter(|line| line.contains(r#""command":"rollback""#)).count();
    assert_eq!(commands, 6, "{history}");
}

#[test]
fn a_way_back_that_goes_wrong_is_taken_back_and_loses_no_generation() {
    let fleet = Fleet::start(&["p620"]);
    let first = fleet.look("p620");
    fleet.variant("p620", "crash-at-start");
    fleet.deploy(&["p620", "--action", "boot"]).expect("p620", 0, "reboot-required");

    // What waits for the next boot is what is taken back.
    let run = fleet.roll_back(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    assert_eq!(run.target()["said"], "generation 1, which runs; generation 2 waits for a boot");
    assert_eq!(fleet.look("p620"), first);

    // A system that was never proven fails as a deploy does.
    let run = fleet.roll_back(&["p620", "--to", "2"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["crash.service failed"]);
    assert_eq!(fleet.look("p620"), first);
    assert_eq!(fleet.generations("p620"), "1 2");

    // A boot loader that fails at the confirmation: the generation was there before, and stays.
    fleet.variant("p620", "bootloader-fails");
    fleet.deploy(&["p620", "--action", "test"]).expect("p620", 0, "deployed");
    let profile = "nix-env -p /nix/var/nix/profiles/system";
    fleet.on(
        "p620",
        &format!(
            "PATH=$PATH:/run/current-system/sw/bin; {profile} --set $(readlink -f /run/current-system) && \
                  {profile} --switch-generation 1"
        ),
    );
    fleet.roll_back(&["p620", "--to", "1"]).expect("p620", 0, "deployed-with-warnings");
    let run = fleet.roll_back(&["p620", "--to", "3"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure("p620", &["boot loader"]);
    assert_eq!(fleet.look("p620"), first);
    assert_eq!(fleet.generations("p620"), "1 2 3");
    fleet.assert_no_traces("p620");
}

#[test]
fn limits_that_fail_a_deploy_judge_a_way_back_too() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[resources]\nload = { fail = 1000 }\nmemory_available = { fail = \"1%\" }\n");
    let first = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    assert_eq!(fleet.deploy(&["p620"]).code, Some(0));
    let run = fleet.roll_back(&["p620"]);
    assert_eq!(run.code, Some(0), "{}", run.report("p620"));
    assert_eq!(fleet.look("p620"), first);
    // What was measured is told as after a deploy.
    assert!(run.events.iter().any(|event| event["type"] == "observed"), "{:#?}", run.steps("p620"));
}
