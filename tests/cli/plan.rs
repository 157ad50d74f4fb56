//! Finding settings, selecting hosts, `--dry-run`.

use crate::program::Place;

const FLEET: &str = "[hosts.p620]\ntags = [\"server\"]\n[hosts.razer]\ndepends_on = [\"p620\"]\n";

#[test]
fn a_dry_run_prints_the_plan_to_standard_output_and_leaves_no_trace() {
    let place = Place::with_hosts(FLEET);
    let outcome = place.run(&["all", "--dry-run", "--emergency"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert_eq!(
        outcome.stdout,
        "\
Plan: switch, mode emergency
Flake [PLACE]/work
Nothing was evaluated and no host was contacted.

2 hosts, up to 8 at a time
  parallel: a host begins when those it depends on have ended
  wave 1
  p620      ssh p620, built here
            rollback after 1m without confirmation, activation at most 10m
  wave 2
  razer     ssh razer, built here
            rollback after 1m without confirmation, activation at most 10m

Steps of each host
  validate  host facts
  test      evaluate, decide, build
  deploy    copy, activate, prove, verify, commit, settle
  observe   services

No question is asked: nobody can answer.
"
    );
    let state = place.work().join("../home/.local");
    assert!(!state.exists(), "a dry run wrote to the state folder");
}

#[test]
fn the_plan_names_the_reboot_that_was_asked_for() {
    let place = Place::with_hosts(FLEET);
    let planned = |arguments: &[&str]| place.run(arguments).stdout.contains("settle, reboot\n");
    assert!(planned(&["p620", "--dry-run", "--reboot"]));
    assert!(planned(&["p620", "--dry-run", "--reboot", "--action", "boot"]));
    assert!(!planned(&["p620", "--dry-run"]));
}

#[test]
fn a_dry_run_as_json_is_one_object() {
    let outcome = Place::with_hosts(FLEET).run(&["@server", "--dry-run", "--output", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(plan["run"]["hosts"][0]["name"], "p620");
    assert_eq!(plan["run"]["questions"], "non-interactive");
    assert_eq!(plan["v"], 1);
}

#[test]
fn settings_are_found_from_a_folder_below_by_flag_and_by_environment() {
    let place = Place::with_hosts(FLEET);
    place.write("deep/below/x", "");
    place.write("other/flake.nix", "{ }");
    place.write("other/fleet.toml", "version = 1\n[hosts.other]\n");
    let below = place.work().join("deep/below");
    assert!(place.run_in(&below, &["p620", "--dry-run"], &[]).stdout.contains("ssh p620"));
    let flag = place.run(&["all", "--dry-run", "--config", "other/fleet.toml"]);
    assert!(flag.stdout.contains("ssh other"), "{}", flag.stderr);
    let variable = [("NIX_DEPLOY_CONFIG", "other/fleet.toml")];
    assert!(place.run_with(&["all", "--dry-run"], &variable).stdout.contains("ssh other"));
    let both = place.run_with(&["all", "--dry-run", "--config", "hosts.toml"], &variable);
    assert!(both.stdout.contains("ssh p620"));
}

#[test]
fn without_settings_the_next_step_is_named() {
    let place = Place::new();
    let outcome = place.run(&["p620"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome
            .stderr
            .starts_with("error: no hosts.toml in [PLACE]/work or above\nhint: run `nix-deploy init`")
    );
    place.write("flake.nix", "{ }");
    assert!(place.run(&["p620"]).stderr.contains("hint: there is a flake here: `nix-deploy init` writes"));
    let missing = place.run(&["p620", "--config", "none.toml"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("error: cannot read [PLACE]/work/none.toml\ncaused by: No such file"));
}

#[test]
fn a_host_named_like_a_command_can_be_deployed() {
    let place = Place::with_hosts("[hosts.doctor]\n");
    assert!(place.run(&["deploy", "doctor", "--dry-run"]).stdout.contains("ssh doctor"));
}

#[test]
fn what_is_most_likely_not_meant_is_a_warning() {
    let place = Place::with_hosts("[tags.sever]\n[hosts.p620]\ntags = [\"server\"]\n");
    let outcome = place.run(&["p620", "--dry-run"]);
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.starts_with("warning: no host carries the tag \"sever\""), "{}", outcome.stderr);
    assert_eq!(place.run(&["p620", "--dry-run", "--quiet"]).stderr, "");
}
