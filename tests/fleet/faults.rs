//! Power cuts, full disks and hosts that fall silent: nix-deploy ends within
//! its deadlines and tells the truth, and the next run works.

use std::time::{Duration, Instant};

use super::fleet::{Deploying, Fleet, report};

/// Short waits for a host that went away.
const IMPATIENT: &str = "[hosts.p620]\n[hosts.p620.rollback]\nconfirm_timeout = \"8s\"\nactivation_timeout = \"10s\"\n\
                         [hosts.p620.timeouts]\nconnect = \"2s\"\ncommand = \"8s\"\ncopy_stall = \"3s\"\nreconnect = \"0s\"\nsettle = \"5s\"\n";

/// Within the deadlines of [`IMPATIENT`], on a machine that is busy with other tests:
/// without them it would take a minute and more.
const QUICKLY: Duration = Duration::from_secs(45);

fn power_cut(fleet: &Fleet) {
    fleet.on_fleet("kill", &["p620"]);
}

fn power_on(fleet: &Fleet) {
    fleet.on_fleet("boot", &["p620"]);
}

/// Exit code, outcome and failure of a run's only host.
fn end_of(run: Deploying) -> (Option<i32>, String, String) {
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    (status.code(), report["outcome"].as_str().unwrap().to_owned(), report["failure"].to_string())
}

#[test]
fn a_power_cut_before_the_commit_boots_the_old_system_and_the_run_says_so() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nsettle = \"30s\"\n");
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("verify");
    assert_ne!(fleet.look("p620").current_system, before.on.current_system);
    power_cut(&fleet);
    power_on(&fleet);
    let (code, outcome, failure) = end_of(run);
    assert_eq!((code, outcome.as_str()), (Some(6), "rolled-back"), "{failure}");
    assert!(failure.contains("the connection to p620 was lost"), "{failure}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn after_a_power_cut_without_nix_deploy_the_next_run_works() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-activation", "seconds = 3;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.kill();
    power_cut(&fleet);
    power_on(&fleet);
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_power_cut_between_profile_and_boot_loader_boots_the_old_system_and_the_next_run_goes_on() {
    let fleet = Fleet::start(&["p620"]);
    let variant = "{ ... }: { bootLoader = \"until [ -e /root/go ]; do sleep 0.1; done\"; }";
    std::fs::write(fleet.flake().join("variants/slow-boot-loader.nix"), variant).unwrap();
    let before = fleet.standing("p620");
    fleet.variant("p620", "slow-boot-loader");
    let run = fleet.start_deploy(&["p620"]);
    fleet.await_on("p620", "[ $(readlink /nix/var/nix/profiles/system) = system-2-link ]");
    power_cut(&fleet);
    power_on(&fleet);
    let (code, outcome, failure) = end_of(run);
    assert_eq!((code, outcome.as_str()), (Some(7), "unknown"), "{failure}");
    assert!(failure.contains("rebooted in the commit; run the same command again"), "{failure}");
    let between = fleet.standing("p620");
    assert_eq!(
        (&between.on.current_system, &between.on.boot_default, &between.units),
        (&before.on.current_system, &before.on.boot_default, &before.units)
    );
    assert_ne!(between.on.profile, before.on.profile);
    // The same again ends what was begun: no further generation, and it boots what it runs.
    fleet.on("p620", ": >/root/go");
    let next = fleet.deploy(&["p620"]);
    assert_eq!(next.code, Some(0), "{}", next.report("p620"));
    let after = fleet.assert_runs_new("p620", &next);
    assert_eq!(after.on.generation, "system-2-link");
    fleet.power_cycle("p620");
    assert_eq!(fleet.assert_runs_new("p620", &next), after);
}

#[test]
fn a_host_that_loses_power_and_stays_away_is_exit_code_7_within_the_deadlines() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(IMPATIENT);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-activation", "seconds = 4;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    power_cut(&fleet);
    let begun = Instant::now();
    let (code, outcome, failure) = end_of(run);
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
    assert_eq!((code, outcome.as_str()), (Some(7), "unknown"), "{failure}");
    assert!(failure.contains("p620") && failure.contains("by itself"), "{failure}");
    power_on(&fleet);
    assert_eq!(fleet.standing("p620"), before);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_reboot_in_the_activation_is_a_rollback() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-activation", "seconds = 10;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    fleet.on("p620", "systemctl reboot --force");
    let (code, outcome, failure) = end_of(run);
    assert_eq!((code, outcome.as_str()), (Some(6), "rolled-back"), "{failure}");
    assert!(failure.contains("reboot"), "{failure}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_host_that_is_silent_from_the_start_is_given_up_quickly() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(IMPATIENT);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    fleet.on_fleet("pause", &["p620"]);
    let run = fleet.deploy(&["p620"]);
    fleet.on_fleet("resume", &["p620"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["cannot be reached", "run the same command again"]);
    assert!(run.took < QUICKLY, "{:?}", run.took);
    assert_eq!(fleet.standing("p620"), before);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_host_that_lets_us_in_but_never_answers_is_given_up_after_the_command_timeout() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(IMPATIENT);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    fleet.on("p620", "echo 'sleep 1000' >/root/.bashrc");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["p620 did not answer within 8.0 s", "run the same command again"]);
    assert!(run.took < QUICKLY, "{:?}", run.took);
    assert_eq!(fleet.standing("p620"), before);
    fleet.on("p620", "rm /root/.bashrc");
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_host_that_falls_silent_in_the_copy_is_given_up_after_the_stall_timeout() {
    let fleet = Fleet::start(&["p620"]);
    // The copy takes seconds; what is on its way at its end, less than its stall time.
    fleet.on_fleet("delay", &["p620", "40", "1000"]);
    fleet.write_settings(&IMPATIENT.replacen(
        "[hosts.p620]\n",
        "[hosts.p620]\naddress = \"p620-delayed\"\n",
        1,
    ));
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "unit-changed", "revision = 2; packages = 300;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for("the first path", |event| {
        event["type"] == "step-progress" && event["step"] == "copy" && event["done"].as_u64() > Some(0)
    });
    fleet.on_fleet("pause", &["p620"]);
    let begun = Instant::now();
    let (code, outcome, failure) = end_of(run);
    let took = begun.elapsed();
    fleet.on_fleet("resume", &["p620"]);
    assert_eq!((code, outcome.as_str()), (Some(5), "failed"), "{failure}");
    assert!(
        failure.contains("nothing was copied for 3.0 s") && failure.contains("paths that arrived are kept"),
        "{failure}"
    );
    assert!(took < QUICKLY, "{took:?}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_cable_that_is_pulled_in_the_copy_is_waited_for_and_the_copy_goes_on() {
    let fleet = Fleet::start(&["p620"]);
    fleet.on_fleet("delay", &["p620", "40", "1000"]);
    fleet.write_settings(
        "[hosts.p620]\naddress = \"p620-delayed\"\n[hosts.p620.timeouts]\nconnect = \"2s\"\ncopy_stall = \"5s\"\n",
    );
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "unit-changed", "revision = 3; packages = 300;");
    let mut run = fleet.start_deploy(&["p620"]);
    // Up to 2 MiB are on their way, which is 160 paths (ssh's window): others have arrived.
    run.wait_for("200 paths", |event| {
        event["type"] == "step-progress" && event["step"] == "copy" && event["done"].as_u64() > Some(200)
    });
    fleet.on_fleet("link", &["p620", "down"]);
    let down = Instant::now();
    run.wait_for("the loss", |event| {
        event["type"] == "step-progress"
            && event["step"] == "copy"
            && event["doing"].as_str().is_some_and(|doing| doing.contains("trying again"))
    });
    run.wait_for("20 s", |_| down.elapsed() > Duration::from_secs(20));
    fleet.on_fleet("link", &["p620", "up"]);
    let (status, events) = run.finish();
    let report = report(&events, "p620");
    fleet.assert_deployed("p620", status.code(), &events, 2);
    assert_eq!(fleet.standing("p620").units, before.units);
    let recovery = &report["recoveries"][0];
    assert_eq!(
        (&recovery["what"], &recovery["outcome"]),
        (&"reconnect".into(), &"helped".into()),
        "{report:#}"
    );
    assert!(recovery["result"].as_str().unwrap().starts_with("it answered after "), "{recovery}");
    // What had arrived was not copied again.
    let steps = report["steps"].as_array().unwrap();
    let copy = steps.iter().find(|step| step["step"] == "copy").unwrap()["summary"].as_str().unwrap();
    let copied: u32 = copy.split(' ').next().unwrap().parse().unwrap();
    assert!(copied < 300, "{copied} paths were copied again");
}

/// A host falls silent once the supervisor has reached a phase or the run a
/// step, and wakes up when the host's own deadlines are over.
fn silent_for_a_while(variant: &str, fall_silent: impl Fn(&mut Deploying)) {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(IMPATIENT);
    let before = fleet.standing("p620");
    fleet.variant_with("p620", variant, "seconds = 2; revision = 4;");
    let mut run = fleet.start_deploy(&["p620"]);
    fall_silent(&mut run);
    fleet.on_fleet("pause", &["p620"]);
    run.wait_for("the loss", |event| {
        event["type"] == "step-progress"
            && event["doing"].as_str().is_some_and(|doing| doing.contains("takes the change back"))
    });
    fleet.on_fleet("resume", &["p620"]);
    let (code, outcome, failure) = end_of(run);
    assert_eq!((code, outcome.as_str()), (Some(6), "rolled-back"), "{failure}");
    fleet.await_settled("p620");
    assert_eq!(fleet.standing("p620"), before);
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_host_that_is_silent_in_the_activation_is_taken_back() {
    silent_for_a_while("slow-activation", |run| run.wait_for_phase("activating"));
}

#[test]
fn a_host_that_is_silent_while_it_is_verified_is_taken_back() {
    silent_for_a_while("unit-changed", |run| run.wait_for_step("verify"));
}

#[test]
fn a_full_disk_refuses_the_copy_with_the_numbers_and_the_host_is_untouched() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "128"]);
    let before = fleet.standing("p620");
    fleet.on_fleet("fill", &["p620", "/nix", "1"]);
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 5, "failed");
    run.assert_failure(
        "p620",
        &["p620 has not enough room", "MiB", "in /nix/store", "nix-collect-garbage", "collect_garbage = true"],
    );
    assert_eq!(fleet.standing("p620"), before);
    fleet.on("p620", "rm /nix/.fill");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_disk_that_fills_up_in_the_copy_is_told_with_what_is_free_then() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "256"]);
    let before = fleet.standing("p620");
    let go = fleet.flake().with_file_name("go");
    let build =
        format!("until [ -e {} ]; do sleep 0.1; done; head -c 30000000 /dev/urandom >$out/big", go.display());
    let variant =
        format!("{{ ... }}: {{ packages.big = \"1.0\"; packageBuild.big = \"mkdir $out; {build}\"; }}");
    std::fs::write(fleet.flake().join("variants/big.nix"), variant).unwrap();
    fleet.variant_with("p620", "big", &super::recover::fresh_revision());
    let mut run = fleet.start_deploy(&["p620"]);
    // Enough was free when the host told its facts.
    run.wait_for("the facts", |event| event["type"] == "facts");
    fleet.on_fleet("fill", &["p620", "/nix", "8"]);
    std::fs::write(&go, "").unwrap();
    let (code, outcome, failure) = end_of(run);
    assert_eq!((code, outcome.as_str()), (Some(5), "failed"), "{failure}");
    let parts = ["no space left on p620", "it needs ", "are free in /nix/store now", "were free before"];
    for part in parts.into_iter().chain(["nix-collect-garbage", "collect_garbage = true"]) {
        assert!(failure.contains(part), "{part:?} is not in {failure}");
    }
    assert_eq!(fleet.standing("p620"), before);
    fleet.on("p620", "rm /nix/.fill");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_boot_partition_without_room_refuses_a_new_kernel_and_nothing_else() {
    let fleet = Fleet::start(&["p620"]);
    fleet
        .on("p620", "cp -a /boot /var/boot && mount -t tmpfs -o size=4m boot /boot && cp -a /var/boot/. /boot");
    fleet.refused(
        &[],
        "kernel-change",
        5,
        &["/boot has not enough room", "MiB are free", "configurationLimit"],
    );
    fleet.refused(&["--action", "boot"], "kernel-change", 5, &["/boot has not enough room"]);
    fleet.accepted(&[], "unit-changed");
}

#[test]
fn without_inodes_the_copy_is_refused_with_the_numbers() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "256", "--store-inodes", "2000"]);
    let before = fleet.standing("p620");
    fleet.on("p620", "mkdir /nix/fill; cd /nix/fill; seq 3000 | xargs touch 2>/dev/null; rm 1 2");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 5, "failed");
    run.assert_failure("p620", &["p620 has not enough room", "inodes"]);
    assert_eq!(fleet.standing("p620"), before);
    fleet.on("p620", "rm -r /nix/fill");
    fleet.next_run_succeeds("p620");
}

#[test]
fn a_disk_that_becomes_full_in_the_copy_is_told_and_the_host_is_untouched() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "128"]);
    // So slow that most of it is still to come when the disk is full.
    fleet.on_fleet("delay", &["p620", "40", "400"]);
    fleet.write_settings("[hosts.p620]\naddress = \"p620-delayed\"\n");
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "unit-changed", "revision = 5; packages = 300;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for("the first path", |event| {
        event["type"] == "step-progress" && event["step"] == "copy" && event["done"].as_u64() > Some(0)
    });
    // The copy goes on meanwhile: not a known amount is taken, but all there is.
    fleet.on("p620", "! cat /dev/zero >/nix/.fill 2>/dev/null");
    let (code, outcome, failure) = end_of(run);
    assert_eq!((code, outcome.as_str()), (Some(5), "failed"), "{failure}");
    assert!(failure.contains("no space left on"), "{failure}");
    fleet.assert_as_before("p620", &before);
    fleet.on("p620", "rm /nix/.fill");
    fleet.write_settings("");
    fleet.next_run_succeeds("p620");
}

#[test]
fn garbage_makes_room_when_that_is_allowed() {
    let fleet = Fleet::start_with(&["p620"], &["--store-size", "256"]);
    fleet.write_settings("[recover]\ngc = true\n");
    // Generation 2 holds the garbage, 3 is the previous one, 4 the current: the
    // first collection finds nothing, and only generation 2 may go.
    let script = "P=/nix/var/nix/profiles/system; running=$(readlink -f $P); \
                  head -c 100000000 /dev/urandom >/nix/garbage; cp -a $running /nix/previous; \
                  for system in $(nix-store --add /nix/garbage) $(nix-store --add /nix/previous) $running; do \
                  nix-env -p $P --set $system; readlink -f $P; done; rm -rf /nix/garbage /nix/previous";
    let paths = fleet.on("p620", script);
    let [garbage, previous, _] = paths.lines().collect::<Vec<_>>()[..] else { panic!("{paths}") };
    fleet.on_fleet("fill", &["p620", "/nix", "20"]);
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    // The warning is that little room is left all the same.
    run.expect("p620", 0, "deployed-with-warnings");
    let left = fleet.on("p620", &format!("ls -d {garbage} {previous} 2>/dev/null; ls /nix/var/nix/profiles"));
    let left: Vec<&str> = left.lines().collect();
    let generations = [1, 3, 4, 5].map(|number| format!("system-{number}-link"));
    assert!(left.contains(&previous) && !left.contains(&garbage), "{left:?}");
    assert!(generations.iter().all(|generation| left.contains(&generation.as_str())), "{left:?}");
    assert!(!left.contains(&"system-2-link"), "{left:?}");
    let recoveries = &run.report("p620")["recoveries"];
    let told: Vec<&str> =
        recoveries.as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(told, ["in-vain", "helped"], "{recoveries:#}");
    let result = recoveries[1]["result"].as_str().unwrap();
    assert!(
        result.contains("MiB freed and 1 old generation removed") && result.contains("free now"),
        "{result}"
    );
    fleet.assert_runs_new("p620", &run);
}
