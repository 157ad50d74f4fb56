//! Taking up a run that was interrupted: what its journal says decides what the
//! plan is. No host is contacted.

use serde_json::{Value, json};

use super::program::{Outcome, Place};

const RUN: &str = "20261121-120000-abcdef";
const LATER: &str = "20261121-130000-abcdef";

/// Hosts `a` to `d`, and the flake as runs name it.
fn place() -> (Place, String) {
    let place = Place::with_hosts("[hosts.a]\n[hosts.b]\n[hosts.c]\n[hosts.d]\n");
    let plan = planned(&place.run(&["all", "--dry-run", "--output", "json"]));
    let flake = plan["run"]["flake"].as_str().unwrap().to_owned();
    let root = place.work().canonicalize().unwrap().parent().unwrap().to_owned();
    (place, flake.replace("[PLACE]", root.to_str().unwrap()))
}

fn planned(outcome: &Outcome) -> Value {
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// Writes a journal as a run leaves it that was killed.
fn journal(place: &Place, run: &str, events: &[Value]) {
    let line = |(index, event): (usize, &Value)| {
        let envelope =
            json!({ "v": 1, "run": run, "seq": index + 1, "time": "2026-11-21T12:00:00Z", "event": event });
        format!("{envelope}\n")
    };
    let text: String = events.iter().enumerate().map(line).collect();
    place.write(&format!("state/runs/{run}/events.jsonl"), text);
}

fn resume(place: &Place, arguments: &[&str]) -> Outcome {
    let all = [&["resume", "--dry-run", "--output", "json"], arguments].concat();
    place.run_with(&all, &[("NIX_DEPLOY_STATE", "state")])
}

fn started(flake: &str, hosts: &[&str], more: &Value) -> Value {
    let mut event = json!({
        "type": "run-started", "tool_version": "0.1.0", "actor": "ada@desk", "mode": "fast", "action": "switch",
        "flake": flake, "hosts": hosts, "run_dir": "/nowhere", "waves": [hosts]
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn system(name: &str) -> String {
    format!("/nix/store/{}-nixos-system-{name}", "0".repeat(32))
}

fn ended(host: &str, outcome: &str) -> Value {
    let (old, new) = (system("old"), system("new"));
    let runs = if outcome == "unchanged" { &old } else { &new };
    json!({
        "type": "host-finished", "host": host,
        "report": {
            "outcome": outcome, "elapsed_ms": 1, "old": old, "new": runs, "services": [], "steps": [],
            "warnings": [],
            "truth": { "current_system": runs, "profile": runs, "supervisor_alive": false, "boot_id": "b" }
        }
    })
}

fn canary(waves: &Value) -> Value {
    json!({ "rollout": { "strategy": "canary", "rollback_fleet": true }, "waves": waves, "canaries": ["a"] })
}

#[test]
fn an_update_is_not_taken_up_whether_it_is_named_or_the_newest() {
    let (place, flake) = place();
    journal(&place, RUN, &[started(&flake, &["a"], &json!({ "updates": true }))]);
    for arguments in [&[][..], &[RUN]] {
        let outcome = resume(&place, arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
        assert!(outcome.stderr.contains(&format!("run {RUN} is an update")), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: run the update again"), "{}", outcome.stderr);
    }
    // A journal of before says it by what became of flake.lock.
    let lock_file = json!({ "type": "lock-file", "state": "updated", "path": "flake.lock", "remark": "" });
    journal(&place, RUN, &[started(&flake, &["a"], &json!({})), lock_file]);
    assert!(resume(&place, &[]).stderr.contains("is an update"));
    journal(&place, RUN, &[started(&flake, &["a"], &json!({}))]);
    assert_eq!(resume(&place, &[]).code, 0);
}

#[test]
fn canaries_that_were_unchanged_have_proven_nothing() {
    let (place, flake) = place();
    let hosts = ["a", "b", "c", "d"];
    let waves = json!([["a"], ["b", "c", "d"]]);
    journal(&place, RUN, &[started(&flake, &hosts, &canary(&waves)), ended("a", "unchanged")]);
    let plan = planned(&resume(&place, &[]));
    assert_eq!(plan["run"]["rollout"]["strategy"], "canary");
    assert_eq!((&plan["run"]["canaries"], &plan["waves"]), (&json!(["a"]), &json!([["b", "c", "d"]])));

    journal(&place, RUN, &[started(&flake, &hosts, &canary(&waves)), ended("a", "deployed")]);
    let plan = planned(&resume(&place, &[]));
    assert_eq!(
        (&plan["run"]["rollout"]["strategy"], &plan["run"]["canaries"]),
        (&json!("rolling"), &json!([]))
    );
}

#[test]
fn hosts_that_are_done_belong_to_the_run_that_goes_on() {
    let (place, flake) = place();
    let rolling = json!({
        "rollout": { "strategy": "rolling", "rollback_fleet": true, "max_failures": { "percent": 50 } },
        "waves": [["a"], ["b"], ["c"], ["d"]]
    });
    let first =
        [started(&flake, &["a", "b", "c", "d"], &rolling), ended("a", "deployed"), ended("b", "unchanged")];
    journal(&place, RUN, &first);
    // Taken up, and cut off in turn.
    let mut second = rolling.clone();
    second["resumes"] = RUN.into();
    second["waves"] = json!([["c"], ["d"]]);
    journal(&place, LATER, &[started(&flake, &["c", "d"], &second), ended("c", "deployed")]);
    let plan = planned(&resume(&place, &[]));
    let run = &plan["run"];
    assert_eq!((&run["resumed"]["run"], &plan["waves"]), (&json!(LATER), &json!([["d"]])));
    let done: Vec<(&Value, &Value, &Value)> = run["resumed"]["done"]
        .as_array()
        .unwrap()
        .iter()
        .map(|done| (&done["name"], &done["is_changed"], &done["systems"]["old"]))
        .collect();
    let old = json!(system("old"));
    assert_eq!(
        done,
        [
            (&json!("a"), &json!(true), &old),
            (&json!("b"), &json!(false), &Value::Null),
            (&json!("c"), &json!(true), &old)
        ]
    );
    let args = ["resume", "--dry-run"];
    let text = place.run_with(&args, &[("NIX_DEPLOY_STATE", "state")]).stdout;
    assert!(text.contains("  no host is started once 2 hosts failed\n"), "{text}");

    // What is not in hosts.toml any more cannot be taken back, and that is said.
    place.write("hosts.toml", "version = 1\n[hosts.b]\n[hosts.c]\n[hosts.d]\n");
    let plan = planned(&resume(&place, &[]));
    let notes = plan["run"]["resumed"]["notes"].to_string();
    assert!(notes.contains("a is no longer in hosts.toml"), "{notes}");
}

#[test]
fn a_host_that_had_committed_is_known_with_the_boot_in_which_it_did() {
    let (place, flake) = place();
    let facts = json!({
        "type": "facts", "host": "b",
        "facts": {
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1", "hostname": "b",
            "systemd": true, "machine": "x86_64", "trusted": true, "baseline": {}, "orphans": [],
            "current_system": system("old")
        }
    });
    let committed =
        json!({ "type": "activation", "host": "b", "state": { "phase": "committed", "reason": "" } });
    let events = [started(&flake, &["a", "b"], &json!({ "reboot": "if-needed" })), ended("a", "deployed")];
    journal(&place, RUN, &[&events[..], &[facts, committed]].concat());
    let plan = planned(&resume(&place, &[]));
    assert_eq!(plan["run"]["reboot"], "if-needed");
    let expected = json!({ "b": { "old": system("old"), "boot_id": "b1", "reboot_needed": false } });
    assert_eq!(plan["run"]["resumed"]["committed"], expected);
}

#[test]
fn a_run_whose_hosts_were_taken_back_is_not_taken_up() {
    let (place, flake) = place();
    let rolling = json!({ "rollout": { "strategy": "rolling" }, "waves": [["a"], ["b"]] });
    journal(
        &place,
        RUN,
        &[started(&flake, &["a", "b"], &rolling), ended("a", "deployed"), ended("b", "failed")],
    );
    assert_eq!(resume(&place, &[RUN]).code, 0);
    journal(&place, LATER, &[started(&flake, &["a"], &json!({ "command": "rollback", "takes_back": RUN }))]);
    let outcome = resume(&place, &[RUN]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    assert!(outcome.stderr.contains(&format!("were taken back by run {LATER}")), "{}", outcome.stderr);
}
