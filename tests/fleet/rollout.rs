//! A fleet is deployed in waves: what a bad host stops, what is taken back, and
//! how a run that was cut off goes on.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fleet::{Fleet, Run, finish};

/// `h1` to `hN`.
fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("h{number}")).collect()
}

fn start(count: usize) -> Fleet {
    let hosts: Vec<String> = names(count).iter().map(|name| format!("{name}=p620")).collect();
    let fleet = Fleet::start(&hosts.iter().map(String::as_str).collect::<Vec<_>>());
    for name in names(count) {
        fleet.variant(&name, "unit-changed");
    }
    fleet
}

/// Takes up the last run without questions and reports it to a file.
fn resume(fleet: &Fleet) -> Run {
    let report = fleet.state().join("report.json");
    finish(fleet.nix_deploy(&["resume", "--output", "json", "--yes", "--report", report.to_str().unwrap()]))
}

/// The hosts that began to change, in that order.
fn activated(events: &[Value]) -> Vec<&str> {
    let begins = |event: &&Value| event["type"] == "step-started" && event["step"] == "activate";
    events.iter().filter(begins).map(|event| event["host"].as_str().unwrap()).collect()
}

/// Hosts by their outcome.
fn hosts_with<'a>(run: &'a Run, outcome: &str) -> BTreeSet<&'a str> {
    let ended = run.events.iter().filter(|event| event["type"] == "host-finished");
    let with = ended.filter(|event| event["report"]["outcome"] == outcome);
    with.map(|event| event["host"].as_str().unwrap()).collect()
}

#[test]
fn nothing_after_a_bad_canary_is_touched_and_a_run_killed_in_wave_2_is_taken_up() {
    let fleet = start(16);
    fleet.variant("h1", "crash-at-start");
    let all = names(16);
    let before: Vec<_> = all.iter().map(|name| fleet.look(name)).collect();
    let run = fleet.deploy(&["all", "--fast", "--canary", "1", "--wave-size", "5"]);
    run.expect("h1", 6, "rolled-back");
    assert_eq!(activated(&run.events), ["h1"]);
    assert_eq!(hosts_with(&run, "skipped").len(), 15);
    assert!(run.failure("h9").contains("h9 was not started: h1, which went first, failed"));
    for (name, before) in all.iter().zip(&before) {
        assert_eq!(fleet.look(name), *before);
        fleet.assert_no_traces(name);
    }

    // The second wave is cut off as nothing else can.
    fleet.variant("h1", "unit-changed");
    let rolling = ["all", "--fast", "--strategy", "rolling", "--wave-size", "6", "--issue", "7"];
    let mut cut_off = fleet.start_deploy(&rolling);
    cut_off.wait_for("wave 2", |event| {
        event["type"] == "step-started" && event["step"] == "activate" && event["host"] == "h7"
    });
    cut_off.kill();
    let done = &all[..6];
    let after: Vec<_> = done.iter().map(|name| (fleet.look(name), fleet.logins(name))).collect();
    // What is deployed is what that run evaluated, whatever the configuration says now.
    fleet.variant_with("h16", "unit-changed", "revision = 9;");
    let resumed = resume(&fleet);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(resumed.stdout.contains("the configuration has changed since"), "{}", resumed.stdout);
    for (name, after) in done.iter().zip(&after) {
        assert_eq!((fleet.look(name), fleet.logins(name)), *after, "{name} was done");
        assert!(!resumed.stdout.contains(&format!("\"host\":\"{name}\"")), "{name} was done");
    }
    let begun = activated(&resumed.events);
    let wave_2: BTreeSet<&str> = begun.iter().take(6).copied().collect();
    assert!(wave_2.iter().all(|name| all[6..12].iter().any(|host| host == name)), "{begun:?}");
    for (name, before) in all.iter().zip(&before).skip(6) {
        fleet.assert_runs_and_boots(name, &resumed, before);
    }
    for name in &begun {
        let place = |matches: &dyn Fn(&Value) -> bool| resumed.events.iter().position(matches).unwrap();
        let hosts =
            |event: &Value| event["hosts"].as_array().is_some_and(|hosts| hosts.contains(&(*name).into()));
        let told = place(&|event| event["type"] == "wave-started" && hosts(event));
        let starts = |event: &Value| event["type"] == "step-started" && event["step"] == "activate";
        assert!(
            told < place(&|event| starts(event) && event["host"] == *name),
            "the wave of {name} is told first"
        );
    }
    let report = std::fs::read_to_string(fleet.state().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let changes = resumed.events.iter().filter(|event| event["type"] == "changes");
    assert!(changes.into_iter().all(|event| event["changes"]["files"].is_null()), "other files are here now");
    assert_eq!((&report["issue"], report["hosts"].as_array().unwrap().len()), (&Value::from(7), 10));
    let worker = fleet.on("h16", "systemctl show -P Environment worker.service");
    assert_eq!(worker.trim(), "REVISION=1");
    let nothing = resume(&fleet);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.stderr.contains("no deploy was interrupted"), "{}", nothing.stderr);
}

#[test]
fn canaries_in_several_waves_are_all_well_before_another_host_is_touched() {
    let fleet = start(6);
    // The second canary waits for the first one, so that they make two waves.
    fleet.write_settings("[hosts.h2]\ndepends_on = [\"h1\"]\n");
    let before: Vec<_> = names(6).iter().map(|name| fleet.look(name)).collect();
    fleet.variant("h2", "crash-at-start");
    let run = fleet.deploy(&["all", "--fast", "--canary", "h1,h2"]);
    run.expect("h2", 6, "rolled-back");
    assert_eq!(run.outcome("h1"), "deployed");
    assert_eq!(activated(&run.events), ["h1", "h2"]);
    assert_eq!(hosts_with(&run, "skipped").len(), 4);
    assert!(
        run.failure("h5").contains("h5 was not started: h2, which went first, failed"),
        "{}",
        run.failure("h5")
    );
    for (name, before) in names(6).iter().zip(&before).skip(1) {
        assert_eq!(fleet.look(name), *before);
    }

    fleet.variant("h2", "unit-changed");
    fleet.variant_with("h1", "unit-changed", "revision = 9;");
    let run = fleet.deploy(&["all", "--fast", "--canary", "h1,h2"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let waves: Vec<&Value> = run.events.iter().filter(|event| event["type"] == "wave-started").collect();
    assert_eq!((&waves[0]["hosts"], &waves[1]["hosts"]), (&Value::from(vec!["h1"]), &Value::from(vec!["h2"])));
    // Both are proven and committed before any other one begins.
    let place = |what: &str, host: &str, step: &str| {
        let is_it = |event: &Value| event["type"] == what && event["host"] == host && event["step"] == step;
        run.events.iter().position(is_it).unwrap()
    };
    for host in ["h3", "h4", "h5", "h6"] {
        for canary in ["h1", "h2"] {
            assert!(
                place("step-finished", canary, "settle") < place("step-started", host, "activate"),
                "{host}"
            );
        }
    }
}

#[test]
fn failures_stop_a_run_and_its_hosts_are_taken_back_as_far_as_they_can_be_reached() {
    let fleet = start(6);
    fleet.write_settings("[hosts.h5]\ndepends_on = [\"h4\"]\n[rollout]\nmax_parallel = 1\n");
    for bad in ["h3", "h4"] {
        fleet.variant(bad, "crash-at-start");
    }
    let before: Vec<_> = names(6).iter().map(|name| fleet.look(name)).collect();
    // One after the other: the order of the first four is that of who is ready first.
    let run = fleet.deploy(&["all", "--fast", "--max-failures", "1", "--rollback-fleet"]);
    let bad = run.events.iter().filter(|event| event["report"]["outcome"] == "rolled-back");
    assert_eq!((run.code, bad.count()), (Some(6), 1), "{}", run.stderr);
    assert!(!activated(&run.events).contains(&"h5"), "it depends on h4");
    for (name, before) in names(6).iter().zip(&before) {
        let after = fleet.look(name);
        assert_eq!(after.current_system, before.current_system, "{name} was taken back or never changed");
        assert_eq!(after.profile, before.profile, "{name}");
        fleet.assert_no_traces(name);
    }

    // A host that is well at first and dies while it is watched holds back the next
    // wave; one that was deployed has gone meanwhile.
    for well in ["h1", "h3", "h4"] {
        fleet.variant_with(well, "unit-changed", "revision = 5;");
    }
    fleet.variant("h2", "dies-when-told");
    fleet.write_settings(
        "[hosts.h2]\n[hosts.h2.timeouts]\nsettle = \"0s\"\n[rollout]\nstrategy = \"rolling\"\norder = [\"h1\", \"h2\"]\nsoak = \"10s\"\n",
    );
    let mut run = fleet.start_deploy(&["h1", "h2", "h3", "--fast", "--rollback-fleet"]);
    run.wait_for("the end of h1", |event| event["type"] == "host-finished" && event["host"] == "h1");
    fleet.on("h1", "systemctl stop sshd.service");
    run.wait_for("the watch over h2", |event| {
        event["type"] == "step-started" && event["step"] == "soak" && event["host"] == "h2"
    });
    fleet.on("h2", "touch /run/die");
    let (status, events) = run.finish();
    assert_eq!(status.code(), Some(7));
    let of = |host: &str| -> Vec<&Value> {
        let ended = |event: &&Value| event["type"] == "host-finished" && event["host"] == host;
        events.iter().filter(ended).map(|event| &event["report"]).collect()
    };
    assert_eq!((of("h3").len(), of("h3")[0]["outcome"].as_str()), (1, Some("skipped")));
    let soaked = of("h2")[0]["failure"].to_string();
    assert!(soaked.contains("while it was watched: mayfly.service failed"), "{soaked}");
    assert_eq!(of("h2")[1]["truth"]["current_system"], of("h2")[1]["new"], "it is back");
    let gone = of("h1")[1]["failure"].to_string();
    assert!(gone.contains("h1 was not taken back: it keeps what run"), "{gone}");
    assert!(gone.contains("nix-deploy rollback h1 --to /nix/store/"), "{gone}");
    assert_eq!(fleet.look("h2").current_system, before[1].current_system);
    assert_eq!(of("h1")[0]["new"], fleet.look("h1").current_system.as_str());
}
