//! nix-deploy dies without a word: the host ends on the old or the new system
//! by itself, and the next run brings to an end what it finds.

use super::fleet::Fleet;

/// A fleet whose confirmation time is short and whose settle window is long
/// enough to be killed in.
fn fleet() -> Fleet {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nsettle = \"5s\"\nlock = \"30s\"\n");
    fleet
}

#[test]
fn killed_in_the_copy_leaves_the_host_untouched_and_the_next_run_goes_on() {
    let fleet = Fleet::start(&["p620"]);
    fleet.on_fleet("delay", &["p620", "40"]);
    fleet.write_settings("[hosts.p620]\naddress = \"p620-delayed\"\n");
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "unit-changed", "revision = 1; packages = 300;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for("the first path", |event| {
        event["type"] == "step-progress" && event["step"] == "copy" && event["done"].as_u64() > Some(0)
    });
    run.kill();
    assert_eq!(fleet.standing("p620"), before);
    let next = fleet.deploy(&["p620"]);
    next.expect("p620", 0, "deployed");
    let copied: u32 = next.summary("p620", "copy").split(' ').next().unwrap().parse().unwrap();
    assert!(copied < 300, "{copied} paths were copied again");
    fleet.assert_runs_new("p620", &next);
}

#[test]
fn killed_before_the_activation_leaves_the_host_untouched() {
    let fleet = fleet();
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("preview");
    run.kill();
    fleet.await_settled("p620");
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn killed_in_the_activation_the_host_takes_it_back_by_itself() {
    let fleet = fleet();
    let before = fleet.standing("p620");
    fleet.variant_with("p620", "slow-activation", "seconds = 2;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.kill();
    fleet.await_settled("p620");
    assert_eq!(fleet.standing("p620"), before);
    assert_eq!(fleet.unit("p620", "worker.service"), "active");
    assert!(fleet.on("p620", "cat /run/nix-deploy/*-*-*/state").contains("phase=rolled-back"));
    fleet.next_run_succeeds("p620");
}

#[test]
fn killed_in_the_activation_the_next_run_takes_it_back_and_deploys() {
    let fleet = fleet();
    fleet.variant_with("p620", "slow-activation", "seconds = 3;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.kill();
    let next = fleet.next_run_succeeds("p620");
    assert!(next.warnings("p620").contains("was cut off"), "{}", next.warnings("p620"));
}

#[test]
fn killed_between_activation_and_commit_the_next_run_takes_it_back_and_deploys() {
    let fleet = Fleet::start(&["p620"]);
    // The next run would give up before the confirmation time is over.
    fleet.write_settings(
        "[hosts.p620]\n[hosts.p620.rollback]\nconfirm_timeout = \"60s\"\n\
         [hosts.p620.timeouts]\nsettle = \"5s\"\nlock = \"30s\"\n",
    );
    let before = fleet.look("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("verify");
    run.kill();
    let during = fleet.look("p620");
    assert_eq!((&during.profile, &during.boot_default), (&before.profile, &before.boot_default));
    let next = fleet.next_run_succeeds("p620");
    // Its supervisor was told to.
    fleet.on("p620", "journalctl -q -o cat | grep 'nix-deploy: rolled-back: the deployer asked for it'");
    assert_eq!(next.report("p620")["old"], before.current_system.as_str());
}

#[test]
fn killed_between_activation_and_commit_the_host_takes_it_back_by_itself() {
    let fleet = fleet();
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_step("verify");
    run.kill();
    fleet.await_settled("p620");
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

#[test]
fn killed_when_committed_the_next_run_finds_an_unchanged_host_and_clears_up() {
    let fleet = fleet();
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("committed");
    run.kill();
    fleet.await_settled("p620");
    let after = fleet.standing("p620");
    let deployed =
        fleet.nix(&["eval", "--raw", ".#nixosConfigurations.p620.config.system.build.toplevel.outPath"]);
    assert_eq!((&after.on.current_system, &after.on.profile), (&deployed, &deployed));
    assert_eq!(after.on.generation, "system-2-link");
    assert_eq!(after.units, before.units);
    fleet.assert_worker_has("p620", "REVISION=1");
    let next = fleet.deploy(&["p620"]);
    next.expect("p620", 0, "unchanged");
    assert_eq!(fleet.assert_runs_new("p620", &next), after);
    fleet.assert_worker_has("p620", "REVISION=1");
}

#[test]
fn killed_while_the_question_is_asked_leaves_the_host_untouched() {
    let fleet = fleet();
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    fleet.kill_at_the_question(&["p620"]);
    assert_eq!(fleet.standing("p620"), before);
    fleet.next_run_succeeds("p620");
}

/// Makes the run on the host one of another machine's.
fn of_another_machine(fleet: &Fleet) {
    fleet.on("p620", "sed -i 's/^owner=.*/owner=elsewhere:boot:1/' /run/nix-deploy/*-*-*/about");
}

#[test]
fn a_run_of_another_machine_is_waited_for_and_then_the_host_is_deployed() {
    let fleet = fleet();
    fleet.variant_with("p620", "slow-activation", "seconds = 2;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.kill();
    of_another_machine(&fleet);
    // It never confirms: its supervisor rolls back after 10 s.
    fleet.variant("p620", "unit-changed");
    let next = fleet.deploy(&["p620"]);
    next.expect("p620", 0, "deployed");
    assert_eq!(fleet.look("p620").current_system, next.report("p620")["new"].as_str().unwrap());
    // Its owner may still want to read how it ended, but not an hour later.
    fleet.on("p620", "touch -d '2 hours ago' /run/nix-deploy/*-*-*/state");
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
    fleet.assert_runs_new("p620", &next);
}

#[test]
fn a_run_of_another_machine_that_does_not_end_in_time_is_exit_code_9() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.rollback]\nconfirm_timeout = \"200s\"\n");
    fleet.variant_with("p620", "slow-activation", "seconds = 2;");
    let mut run = fleet.start_deploy(&["p620"]);
    run.wait_for_phase("activating");
    run.kill();
    of_another_machine(&fleet);
    fleet.write_settings("[hosts.p620]\n[hosts.p620.timeouts]\nlock = \"1s\"\n");
    fleet.variant("p620", "unit-changed");
    let next = fleet.deploy(&["p620"]);
    next.expect("p620", 9, "failed");
    next.assert_failure("p620", &["tester", "deploys p620", "did not end within"]);
    // The word that its owner would give.
    fleet.on("p620", "for run in /run/nix-deploy/*-*-*; do echo rollback >$run/ack; done");
    fleet.await_settled("p620");
    fleet.on("p620", "touch -d '2 hours ago' /run/nix-deploy/*-*-*/state");
    fleet.next_run_succeeds("p620");
}
