//! `--reboot`: a host that needs one is rebooted and proven again.

use super::fleet::{Fleet, Run, finish};

/// The kernel's id of the host's boot.
fn boot_id(fleet: &Fleet) -> String {
    fleet.on("p620", "cat /proc/sys/kernel/random/boot_id; systemctl show -P UserspaceTimestampMonotonic")
}

/// Asserts that a step said that the host is up again.
#[track_caller]
fn assert_told(run: &Run) {
    let summary = run.summary("p620", "reboot");
    assert!(summary.starts_with("up after "), "{summary}");
}

#[test]
fn a_new_kernel_is_entered_by_a_reboot_when_asked_for() {
    let fleet = Fleet::start(&["p620"]);
    let (before, looked) = (boot_id(&fleet), fleet.look("p620"));
    fleet.variant("p620", "kernel-change");
    let run = fleet.deploy(&["p620", "--reboot"]);
    // What a host logs while it goes down and comes up may be worth a warning.
    assert_eq!(run.code, Some(0), "{}", run.report("p620"));
    assert!(run.outcome("p620").starts_with("deployed"), "{}", run.outcome("p620"));
    fleet.assert_runs_and_boots("p620", &run, &looked);
    assert_told(&run);
    assert_ne!(boot_id(&fleet), before);
    let booted = fleet.on("p620", "readlink -f /run/booted-system");
    assert_eq!(run.report("p620")["new"], booted.trim());
}

#[test]
fn a_system_that_only_a_reboot_can_enter_is_entered_when_asked_for() {
    let fleet = Fleet::start(&["p620"]);
    let before = boot_id(&fleet);
    let run = fleet.accepted(&["--reboot", "--fast"], "needs-reboot");
    assert_told(&run);
    assert_ne!(boot_id(&fleet), before);
    assert_eq!(run.report("p620")["truth"]["current_system"], run.report("p620")["new"]);
}

#[test]
fn action_boot_is_followed_by_the_reboot_that_enters_it() {
    let fleet = Fleet::start(&["p620"]);
    let before = boot_id(&fleet);
    let run = fleet.accepted(&["--reboot", "--fast", "--action", "boot"], "unit-changed");
    assert_told(&run);
    assert_ne!(boot_id(&fleet), before);
}

#[test]
fn a_host_that_needs_no_reboot_is_not_rebooted() {
    let fleet = Fleet::start(&["p620"]);
    let before = boot_id(&fleet);
    let run = fleet.accepted(&["--reboot"], "unit-changed");
    assert_eq!(run.summary("p620", "reboot"), "not needed");
    assert_eq!(boot_id(&fleet), before);
}

#[test]
fn a_unit_that_crashes_at_the_boot_is_told_and_nothing_is_claimed_to_be_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    let before = boot_id(&fleet);
    fleet.host_file("p620", "{ variant = [ \"needs-reboot\" \"crash-at-start\" ]; revision = 1; }");
    let run = fleet.deploy(&["p620", "--reboot"]);
    run.expect("p620", 7, "failed");
    run.assert_failure("p620", &["after the reboot: crash.service", "no automatic way back", "boot menu"]);
    assert_ne!(boot_id(&fleet), before);
    let after = fleet.look("p620");
    assert_eq!(run.report("p620")["new"], after.current_system.as_str());
    assert_eq!(run.report("p620")["truth"]["profile"], after.profile.as_str());
    fleet.assert_no_traces("p620");
}

/// From the word to the proof: which hosts were rebooting at the same time, at most.
fn rebooting_at_a_time(run: &Run) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for event in run.events.iter().filter(|event| event["step"] == "reboot") {
        match event["type"].as_str() {
            Some("step-started") => now += 1,
            Some("step-finished") => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    most
}

#[test]
fn so_many_hosts_reboot_at_a_time_as_was_said_and_one_unless_told() {
    let hosts = ["h1", "h2", "h3", "h4"];
    let fleet = Fleet::start(&["h1=p620", "h2=p620", "h3=p620", "h4=p620"]);
    for (revision, more, at_a_time) in [(1, &["--reboot-parallel", "2"][..], 2), (2, &[], 1)] {
        for host in hosts {
            fleet.variant_with(host, "unit-changed", &format!("revision = {revision};"));
        }
        let boot_ids =
            || hosts.map(|host| fleet.on(host, "cat /proc/sys/kernel/random/boot_id").trim().to_owned());
        let (before, looked) = (boot_ids(), hosts.map(|host| fleet.look(host)));
        let run = fleet.deploy(&[&["all", "--fast", "--reboot", "always"], more].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        for ((host, before), after) in hosts.iter().zip(&before).zip(&boot_ids()) {
            assert_ne!(before, after, "{host} was rebooted");
        }
        for (host, looked) in hosts.iter().zip(&looked) {
            assert_ne!(fleet.look(host).current_system, looked.current_system);
            fleet.assert_runs_new(host, &run);
        }
        assert_eq!(rebooting_at_a_time(&run), at_a_time, "{more:?}");
    }
}

#[test]
fn a_host_that_does_not_go_down_in_time_is_told() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nreboot = \"5s\"\n");
    // The word is taken and nothing follows.
    fleet.on(
        "p620",
        "mkdir -p /run/systemd/system && echo '[Unit]' >/run/systemd/system/reboot.target && systemctl daemon-reload",
    );
    fleet.variant("p620", "needs-reboot");
    let run = fleet.deploy(&["p620", "--reboot"]);
    run.expect("p620", 7, "unknown");
    run.assert_failure("p620", &["did not go down within 5.0 s", "boot menu"]);
}

#[test]
fn a_host_that_goes_down_and_does_not_come_back_is_told() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nreboot = \"20s\"\nconnect = \"2s\"\n");
    // What should reboot it turns it off.
    fleet.on(
        "p620",
        "mkdir -p /run/systemd/system && printf '%s\\n' '[Unit]' DefaultDependencies=no AllowIsolate=yes \
         Requires=systemd-poweroff.service After=systemd-poweroff.service >/run/systemd/system/reboot.target && \
         systemctl daemon-reload",
    );
    fleet.variant("p620", "needs-reboot");
    let run = fleet.deploy(&["p620", "--reboot"]);
    run.expect("p620", 7, "unknown");
    run.assert_failure("p620", &["is not well after the reboot: no proof came about", "boot menu"]);
    fleet.on_fleet("boot", &["p620"]);
    assert_eq!(run.report("p620")["new"], fleet.look("p620").current_system.as_str());
}

#[test]
fn a_host_that_does_not_take_the_word_is_told() {
    let fleet = Fleet::start(&["p620"]);
    let before = boot_id(&fleet);
    fleet.on("p620", "systemctl mask --runtime reboot.target");
    fleet.variant("p620", "needs-reboot");
    let run = fleet.deploy(&["p620", "--reboot"]);
    run.expect("p620", 7, "unknown");
    run.assert_failure("p620", &["could not be told to reboot", "boot default"]);
    assert_eq!(boot_id(&fleet), before);
}

/// Gives a host systemd-boot: `bootctl` notes what it is told, and what stands in for
/// the firmware enters the one-shot entry once, then the default. With /boot/broken
/// the one-shot entry comes to nothing, like a kernel that panics; with /boot/slow it
/// takes its time.
pub(crate) fn with_systemd_boot(fleet: &Fleet, host: &str) {
    fleet.on(
        host,
        r#"cat >/usr/local/bin/bootctl <<'END'
#!/bin/sh
case $1 in
    status) printf 'Current Boot Loader:\n      Product: systemd-boot 257.5\n' ;;
    --print*) exit 1 ;;
    set-default) echo "$@" >>/boot/log; printf %s "$2" >/boot/loader/default ;;
    set-oneshot) echo "$@" >>/boot/log; printf %s "$2" >/boot/loader/oneshot ;;
    *) exit 64 ;;
esac
END
        chmod +x /usr/local/bin/bootctl
        cat >/boot/firmware <<'END'
[ ! -e /boot/slow ] || sleep 8
[ ! -s /boot/loader/default ] || entry=$(cat /boot/loader/default)
if [ -s /boot/loader/oneshot ]; then
    oneshot=$(cat /boot/loader/oneshot)
    rm /boot/loader/oneshot
    if [ -e /boot/broken ]; then echo "broken $oneshot" >>/boot/log; else entry=$oneshot; fi
fi
echo "boots $entry" >>/boot/log
END
        sed -i 's|^init=$|. /boot/firmware; init=|' /usr/sbin/fleet-init"#,
    );
}

/// What a host's boot loader was told since this was last asked.
fn told(fleet: &Fleet, host: &str) -> Vec<String> {
    let log = fleet.on(host, "cat /boot/log; rm /boot/log");
    log.lines().map(|line| line.trim().replace("nixos-generation-", "")).collect()
}

/// Asserts that nothing of a trial is left: neither in the firmware nor on the disk.
#[track_caller]
fn assert_no_trial(fleet: &Fleet, host: &str) {
    let left =
        fleet.on(host, "cat /boot/loader/default /boot/loader/oneshot 2>/dev/null; ls /var/lib/nix-deploy");
    assert_eq!(left.trim(), "deployed");
}

#[test]
fn with_systemd_boot_the_new_entry_is_tried_once_and_a_host_that_does_not_come_up_goes_back() {
    let hosts = ["p620", "p510"];
    let fleet = Fleet::start(&hosts);
    let patient = |host: &str| format!("[hosts.{host}]\n[hosts.{host}.rollback]\nconfirm_timeout = \"60s\"\n");
    fleet.write_settings(&hosts.map(patient).concat());
    let before = hosts.map(|host| {
        with_systemd_boot(&fleet, host);
        fleet.variant(host, "unit-changed");
        fleet.look(host)
    });
    let run = fleet.deploy(&["all", "--fast", "--reboot", "always"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for (host, before) in hosts.iter().zip(&before) {
        fleet.assert_runs_and_boots(host, &run, before);
        // The default follows when the new system is proven, and not before.
        assert_eq!(
            told(&fleet, host),
            ["set-default 1.conf", "set-oneshot 2.conf", "boots 2.conf", "set-default"]
        );
        assert_no_trial(&fleet, host);
    }
    let steps = run.events.iter().filter(|event| event["step"] == "reboot" && event["type"] != "step-progress");
    let hosts_in_order: Vec<&str> = steps.map(|event| event["host"].as_str().unwrap()).collect();
    assert_eq!(hosts_in_order[0], hosts_in_order[1], "one at a time: {hosts_in_order:?}");

    // Both would fail to boot: the first goes back by itself, the other is not rebooted.
    let before = hosts.map(|host| {
        fleet.on(host, ": >/boot/broken");
        fleet.variant(host, "kernel-change");
        fleet.look(host)
    });
    let run = fleet.deploy(&["all", "--fast", "--reboot"]);
    let is_back = |host: &&str| run.outcome(host) == "rolled-back";
    let (first, other) = if is_back(&"p620") { (0, 1) } else { (1, 0) };
    run.expect(hosts[first], 6, "rolled-back");
    run.assert_failure(hosts[first], &["did not come up with the new system", "went back to the old one"]);
    let after = fleet.look(hosts[first]);
    assert_eq!(
        (after.current_system, after.profile),
        (before[first].current_system.clone(), before[first].profile.clone())
    );
    assert_eq!(after.boot_default, "nixos-generation-2.conf");
    let log = ["set-default 2.conf", "set-oneshot 3.conf", "broken 3.conf", "boots 2.conf", "set-default"];
    assert_eq!(told(&fleet, hosts[first]), log);
    assert_eq!(run.outcome(hosts[other]), "deployed-with-warnings");
    let warnings = run.report(hosts[other])["warnings"].to_string();
    assert!(warnings.contains(&format!("not rebooted, because {}", hosts[first])), "{warnings}");
    assert_eq!(fleet.on(hosts[other], "cat /boot/log 2>/dev/null; true"), "");
}

#[test]
fn the_firmware_is_set_back_by_the_deploy_after_a_reboot_that_was_not_proven() {
    let fleet = Fleet::start(&["p620"]);
    with_systemd_boot(&fleet, "p620");
    fleet.host_file("p620", "{ variant = [ \"needs-reboot\" \"crash-at-start\" ]; revision = 1; }");
    let run = fleet.deploy(&["p620", "--reboot"]);
    run.expect("p620", 7, "failed");
    run.assert_failure("p620", &["after the reboot: crash.service", "still nixos-generation-1.conf"]);
    assert_eq!(told(&fleet, "p620"), ["set-default 1.conf", "set-oneshot 2.conf", "boots 2.conf"]);
    // Only root can say so, and read it.
    let record =
        fleet.on("p620", "stat -c '%U %a' /var/lib/nix-deploy/boot-trial; cat /var/lib/nix-deploy/boot-trial");
    assert!(record.starts_with("root 600\nkept=\nold=nixos-generation-1.conf\nnew=/nix/store/"), "{record}");

    let status = finish(fleet.nix_deploy(&["status", "p620"]));
    assert!(status.stdout.contains("default is nixos-generation-1.conf: run"), "{}", status.stdout);
    // What only a reboot could enter runs already.
    fleet.host_file("p620", "{ variant = [ \"needs-reboot\" \"unit-changed\" ]; revision = 1; }");
    let mended = fleet.deploy(&["p620"]);
    mended.expect("p620", 0, "deployed-with-warnings");
    let warnings = mended.report("p620")["warnings"].to_string();
    assert!(warnings.contains("default was still nixos-generation-1.conf"), "{warnings}");
    assert_eq!(told(&fleet, "p620"), ["set-oneshot", "set-default"]);
    assert_no_trial(&fleet, "p620");
    // The next ordinary reboot is one of what was deployed.
    fleet.on_fleet("kill", &["p620"]);
    fleet.on_fleet("boot", &["p620"]);
    fleet.assert_runs_new("p620", &mended);
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
}

#[test]
fn the_firmware_is_set_back_by_the_next_run_when_one_was_killed_while_the_host_rebooted() {
    let fleet = Fleet::start(&["p620"]);
    with_systemd_boot(&fleet, "p620");
    fleet.on("p620", ": >/boot/slow");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620", "--reboot", "always"]);
    run.wait_for("the reboot", |event| {
        let doing = event["doing"].as_str().unwrap_or_default();
        event["step"] == "reboot" && doing.contains("given up in") && !doing.contains("has not gone down")
    });
    run.kill();
    let next = fleet.deploy(&["p620", "--reboot", "always", "--wait-for-host=1m"]);
    next.expect("p620", 0, "unchanged");
    let warnings = next.report("p620")["warnings"].to_string();
    assert!(warnings.contains("default was still nixos-generation-1.conf"), "{warnings}");
    assert!(warnings.contains("it is set back"), "{warnings}");
    let log = ["set-default 1.conf", "set-oneshot 2.conf", "boots 2.conf", "set-oneshot", "set-default"];
    assert_eq!(told(&fleet, "p620"), log);
    assert_no_trial(&fleet, "p620");
    fleet.assert_runs_new("p620", &next);
    // Once it is told, there is nothing more to tell.
    let again = fleet.deploy(&["p620"]);
    again.expect("p620", 0, "unchanged");
    assert_eq!(again.report("p620")["warnings"].as_array().map(Vec::len), Some(0));
}
