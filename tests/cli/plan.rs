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
    assert!(planned(&["rollback", "p620", "--dry-run", "--reboot", "always"]));
    assert!(planned(&["rollback", "--reboot", "p620", "--dry-run"]));
    assert!(!planned(&["rollback", "p620", "--dry-run", "--reboot=never"]));
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

const SIX: &str = "[hosts.db-1]\ntags = [\"db\"]\n[hosts.db-2]\ntags = [\"db\"]\n[hosts.web-1]\ntags = [\"web\"]\n\
                   depends_on = [\"db-1\"]\n[hosts.web-2]\ntags = [\"web\"]\n[hosts.x]\n[hosts.y]\n";

/// What the plan says before the steps, without what it says of each host.
fn spread(stdout: &str) -> String {
    let (_, rest) = stdout.split_once("contacted.\n\n").unwrap();
    let (hosts, _) = rest.split_once("\n\nSteps of each host").unwrap();
    let short = |line: &str| match line.split_once("ssh ") {
        Some((name, _)) => name.trim().to_owned(),
        None => line.trim().to_owned(),
    };
    let lines: Vec<String> =
        hosts.lines().map(short).filter(|line| !line.starts_with("rollback after")).collect();
    lines.join("\n")
}

#[test]
fn of_the_hosts_that_are_named_some_are_taken_and_some_left_out() {
    let place = Place::with_hosts(SIX);
    let planned = |arguments: &[&str]| {
        let outcome = place.run(&[arguments, &["--dry-run", "--output", "json"]].concat());
        let plan: serde_json::Value = serde_json::from_str(&outcome.stdout).expect(&outcome.stderr);
        let names = plan["run"]["hosts"].as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap());
        names.collect::<Vec<_>>().join(",")
    };
    assert_eq!(planned(&["all", "--limit", "@db,x"]), "db-1,db-2,x");
    assert_eq!(planned(&["all", "--skip", "web-*,y"]), "db-1,db-2,x");
    assert_eq!(planned(&["@web", "--limit", "web-2,x"]), "web-2");
    assert_eq!(planned(&["@web", "x", "--limit", "@web", "--skip", "web-1"]), "web-2");

    let refused = |arguments: &[&str], part: &str| {
        let outcome = place.run(&[arguments, &["--dry-run"]].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(part), "{arguments:?}: {}", outcome.stderr);
    };
    refused(&["all", "--limit", "web-9"], "web-9");
    refused(&["all", "--skip", "@dbs"], "dbs");
    refused(&["x", "--skip", "x"], "");
}

#[test]
fn the_plan_of_a_canary_rollout_names_its_waves_and_how_long_they_are_watched() {
    let place = Place::with_hosts(SIX);
    let outcome = place.run(&["all", "--dry-run", "--canary", "web-1", "--wave-size", "2", "--soak", "10m"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert_eq!(
        spread(&outcome.stdout),
        "\
6 hosts, up to 8 at a time
canary (web-1 first): a wave begins when the one before it has ended
each wave but the last is watched for 10m before the next
wave 1
db-1
wave 2
web-1
wave 3
db-2
web-2
wave 4
x
y"
    );
    assert!(outcome.stdout.contains("logs, soak\n"), "{}", outcome.stdout);
    // What the canary depends on is one, too.
    let outcome = place.run(&["all", "--dry-run", "--canary", "web-1", "--output", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(plan["run"]["canaries"], serde_json::json!(["db-1", "web-1"]));
}

#[test]
fn a_soak_that_nobody_waits_for_is_said_to_have_no_effect() {
    let place = Place::with_hosts(SIX);
    let outcome = place.run(&["x", "y", "--dry-run", "--soak", "10m"]);
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.stderr.starts_with("warning: --soak has no effect: there is one wave"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stdout.contains("  no host is watched for 10m: there is one wave"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("soak\n"), "{}", outcome.stdout);
    // Of hosts.toml it is for those rollouts that have waves.
    place.write("hosts.toml", format!("version = 1\n{SIX}[rollout]\nsoak = \"10m\"\n"));
    let outcome = place.run(&["x", "--dry-run"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert!(outcome.stdout.contains("  no host is watched for 10m: there is one wave"), "{}", outcome.stdout);
    assert_eq!(place.run(&["all", "--dry-run", "--soak", "10m"]).stderr, "", "web-1 waits for db-1");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let place = Place::with_hosts("[hosts.p620]\n");
    for (flags, said) in [
        (&["--canary", "1", "--strategy", "parallel"][..], "--canary does not go with --strategy parallel"),
        (&["--canary", "1", "--strategy", "rolling"], "--canary does not go with --strategy rolling"),
        (&["--reboot", "--action", "test"], "--reboot does not go with --action test"),
        (&["--quiet", "--output", "json"], "cannot be used with"),
    ] {
        let outcome = place.run(&[&["p620", "--dry-run"], flags].concat());
        assert_eq!(outcome.code, 2, "{flags:?}");
        assert!(outcome.stderr.contains(said), "{flags:?}: {}", outcome.stderr);
    }
    assert_eq!(place.run(&["p620", "--dry-run", "--canary", "1", "--strategy", "canary"]).code, 0);
}

#[test]
fn an_ssh_configuration_that_is_not_there_is_refused_and_a_missing_key_is_a_warning() {
    let place =
        Place::with_hosts("[hosts.p620]\nssh_config = \"cfg\"\n[hosts.p510]\nidentity_file = \"key\"\n");
    let outcome = place.run(&["p620", "--dry-run"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("the ssh_config of p620 is not there: [PLACE]/work/cfg"),
        "{}",
        outcome.stderr
    );
    let outcome = place.run(&["p510", "--dry-run"]);
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.stderr.contains("the identity_file of p510 is not there: [PLACE]/work/key"),
        "{}",
        outcome.stderr
    );
    // The public half is enough to find a key of the agent by.
    place.write("key.pub", "ssh-ed25519 AAAA");
    place.write("cfg", "");
    assert_eq!(place.run(&["all", "--dry-run"]).stderr, "");
}
