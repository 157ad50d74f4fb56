//! What a run that is taken up owes to the hosts that were deployed before it was
//! cut off: their reboots, and their way back.

use serde_json::Value;

use super::fleet::{Fleet, Run, checkout, command, finish, until};
use super::reboot::with_systemd_boot;
use super::updated::{HOST, Updated};

/// Takes a run up, the last one unless it is named.
fn resume(fleet: &Fleet, arguments: &[&str]) -> Run {
    finish(fleet.nix_deploy(&[&["resume", "--output", "json", "--yes"], arguments].concat()))
}

fn is_step(event: &Value, what: &str, host: &str, step: &str) -> bool {
    event["type"] == what && event["host"] == host && event["step"] == step
}

/// Every report of a host, in the order of the runs.
fn reports<'a>(events: &'a [Value], host: &str) -> Vec<&'a Value> {
    let ended = |event: &&Value| event["type"] == "host-finished" && event["host"] == host;
    events.iter().filter(ended).map(|event| &event["report"]).collect()
}

/// The kernel's id of the host's boot; `None` while it is down.
fn boot_id(fleet: &Fleet, host: &str) -> Option<String> {
    let mut exec = command(checkout().join("tests/support/fleet.sh"));
    exec.args(["exec", "--dir"]).arg(fleet.hosts_folder());
    let output = exec.args([host, "--", "cat", "/proc/sys/kernel/random/boot_id"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Waits until a host is up in another boot.
fn await_boot_after(fleet: &Fleet, host: &str, before: &Option<String>) {
    until(
        "another boot",
        || host.to_owned(),
        || boot_id(fleet, host).is_some_and(|boot| Some(boot) != *before),
    );
}

#[test]
fn a_command_inside_a_host_ends_with_the_host() {
    let fleet = Fleet::start(&["p620"]);
    let mut exec = command(checkout().join("tests/support/fleet.sh"));
    exec.args(["exec", "--dir"]).arg(fleet.hosts_folder()).args(["p620", "--", "sleep", "infinity"]);
    let mut sleeper = exec.spawn().unwrap();
    fleet.await_on("p620", "pidof sleep >/dev/null");
    fleet.on("p620", "systemctl --no-block reboot");
    until("its end", String::new, || sleeper.try_wait().unwrap().is_some());
}

#[test]
fn reboots_that_an_interrupted_run_owed_are_made_by_the_one_that_takes_it_up() {
    let hosts = ["p620", "p510"];
    let fleet = Fleet::start(&hosts);
    // The word to reboot is taken, and nothing follows.
    let target = "/run/systemd/system/reboot.target";
    let before = hosts.map(|host| {
        fleet.variant(host, "kernel-change");
        fleet.on(
            host,
            &format!("mkdir -p /run/systemd/system && echo '[Unit]' >{target} && systemctl daemon-reload"),
        );
        (boot_id(&fleet, host), fleet.look(host))
    });
    let mut cut_off = fleet.start_deploy(&["all", "--fast", "--reboot"]);
    for host in hosts {
        cut_off.wait_for("both to settle", |event| is_step(event, "step-finished", host, "settle"));
    }
    cut_off.wait_for_step("reboot");
    cut_off.kill();
    // One is rebooted all the same before the run is taken up, the other one is not.
    for host in hosts {
        fleet.on(host, &format!("rm {target} && systemctl daemon-reload"));
    }
    fleet.on("p620", "systemctl --no-block reboot");
    await_boot_after(&fleet, "p620", &before[0].0);
    let rebooted = boot_id(&fleet, "p620");

    let run = resume(&fleet, &["--wait-for-host=2m"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    for (host, (boot_before, looked)) in hosts.iter().zip(&before) {
        assert_ne!(&boot_id(&fleet, host), boot_before, "{host} was rebooted");
        fleet.assert_runs_and_boots(host, &run, looked);
        assert!(run.outcome(host).starts_with("deployed"), "{}", run.report(host));
        assert_eq!(run.report(host)["old"], looked.current_system.as_str());
        assert_eq!(run.summary(host, "activate"), "by the interrupted run");
        assert!(!run.steps(host).contains(&"copy"), "{:?}", run.steps(host));
    }
    // What had been rebooted is proven, and not rebooted once more.
    assert_eq!(boot_id(&fleet, "p620"), rebooted);
    assert!(run.summary("p620", "reboot").starts_with("up since the interrupted run, "));
    assert!(run.summary("p510", "reboot").starts_with("up after "));
    let nothing = resume(&fleet, &[]);
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
}

#[test]
fn a_boot_entry_that_an_interrupted_run_tried_becomes_the_default_when_it_is_proven() {
    let fleet = Fleet::start(&["p620"]);
    with_systemd_boot(&fleet, "p620");
    fleet.variant("p620", "kernel-change");
    let before = boot_id(&fleet, "p620");
    let mut cut_off = fleet.start_deploy(&["p620", "--fast", "--reboot"]);
    // The entry is set up, and the host has heard the word.
    cut_off.wait_for("the reboot", |event| {
        is_step(event, "step-progress", "p620", "reboot") && event["doing"].to_string().contains("given up in")
    });
    cut_off.kill();
    await_boot_after(&fleet, "p620", &before);
    // What bootctl was told stands where the firmware would have it.
    fleet.on(
        "p620",
        "mount -t tmpfs none /sys/firmware && mkdir -p /sys/firmware/efi/efivars && \
         { printf '\\7\\0\\0\\0'; cat /boot/loader/default; } \
         >/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
    );
    let run = resume(&fleet, &["--wait-for-host=2m"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert!(run.summary("p620", "reboot").starts_with("up since the interrupted run, "));
    let told = fleet.on("p620", "cat /boot/log");
    let told: Vec<&str> = told.lines().map(str::trim).collect();
    assert_eq!(told.last(), Some(&"set-default"), "{told:?}");
    assert_eq!(told.iter().filter(|line| line.starts_with("boots ")).count(), 1, "{told:?}");
}

#[test]
fn what_was_deployed_before_a_run_was_cut_off_is_taken_back_with_the_rest() {
    let hosts = ["h1", "h2", "h3", "h4"];
    let fleet = Fleet::start(&["h1=p620", "h2=p620", "h3=p620", "h4=p620"]);
    for host in hosts {
        fleet.variant(host, "unit-changed");
    }
    fleet.variant("h4", "crash-at-start");
    let before = hosts.map(|host| fleet.look(host));
    let mut cut_off = fleet.start_deploy(&["all", "--fast", "--strategy", "rolling", "--rollback-fleet"]);
    cut_off.wait_for("h3", |event| is_step(event, "step-started", "h3", "activate"));
    cut_off.kill();
    let runs = std::fs::read_dir(fleet.state().join("runs")).unwrap();
    let run_id = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).next().unwrap();

    // Somebody gives h2 something else meanwhile.
    fleet.variant_with("h2", "unit-changed", "revision = 9;");
    fleet.deploy(&["h2", "--fast"]).expect("h2", 0, "deployed");
    let theirs = fleet.look("h2");

    let run = resume(&fleet, &[&run_id]);
    assert_eq!(run.code, Some(6), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("3 hosts that it deployed will be taken back"), "{}", run.stdout);
    for (host, before) in hosts.iter().zip(&before).filter(|(host, _)| **host != "h2") {
        let after = fleet.look(host);
        assert_eq!(
            (&after.current_system, &after.profile),
            (&before.current_system, &before.profile),
            "{host} is back"
        );
        fleet.assert_no_traces(host);
    }
    assert_eq!(fleet.look("h2"), theirs);
    assert_eq!(reports(&run.events, "h1").last().unwrap()["outcome"], "deployed");
    let left = reports(&run.events, "h2");
    assert_eq!((left.len(), &left[0]["outcome"]), (1, &Value::from("unchanged")));
    let warnings = left[0]["warnings"].to_string();
    assert!(warnings.contains("h2 was changed by somebody else since, and is left alone"), "{warnings}");
}

#[test]
fn an_update_that_was_cut_off_is_not_taken_up() {
    let updated = Updated::start(&[]);
    let fleet = &updated.fleet;
    let before = fleet.look(HOST);
    updated.bump("apps", &["unit-changed"]);
    let mut run = fleet.start_deploy(&[HOST, "--update=apps"]);
    run.wait_for_phase("activating");
    run.kill();
    fleet.await_settled(HOST);
    let refused = resume(fleet, &[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("is an update, and only a deploy is taken up"), "{}", refused.stderr);
    assert_eq!(fleet.look(HOST), before);
    // The way out that it names.
    fleet.deploy(&[HOST, "--update=apps"]).expect(HOST, 0, "deployed");
}
