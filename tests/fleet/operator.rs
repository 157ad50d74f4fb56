//! The operator's side: Nix of another version, builds elsewhere and failing
//! ones, the working tree, deploying the machine we run on, logins counted.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::fleet::{Fleet, Run, checkout, command, finish};

fn deploy_with_nix_226(fleet: &Fleet) -> Run {
    with_nix_226(fleet, &fleet.nix_deploy(&["p620", "--output", "json", "--yes"]), &[])
}

/// A run of nix-deploy where Nix 2.26 is the one on PATH, behind these folders.
pub(crate) fn with_nix_226(fleet: &Fleet, deploy: &Command, folders: &[&Path]) -> Run {
    let mut old = command(checkout().join("tests/support/fleet.sh"));
    old.args(["operator226", "env"]);
    for (name, value) in deploy.get_envs().filter(|(name, _)| *name != "PATH") {
        let mut word = name.to_owned();
        word.push("=");
        word.push(value.unwrap());
        old.arg(word);
    }
    // Git in there meets a repository of another user's.
    old.args(["GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"]);
    if !folders.is_empty() {
        let mut path = std::ffi::OsString::from("PATH=");
        for folder in folders {
            path.push(folder);
            path.push(":");
        }
        path.push("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        old.arg(path);
    }
    old.arg(deploy.get_program()).args(deploy.get_args()).current_dir(fleet.flake());
    finish(old)
}

#[test]
fn the_same_story_with_nix_2_26_on_the_operators_side() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant_with("p620", "unit-changed", "revision = 226;");
    let deployed = deploy_with_nix_226(&fleet);
    deployed.expect("p620", 0, "deployed");
    assert_eq!(deployed.services("p620")["worker.service"], "restarted");
    let between = fleet.assert_runs_new("p620", &deployed);
    assert_eq!(between.on.generation, "system-2-link");
    fleet.assert_worker_has("p620", "REVISION=226");
    let unchanged = deploy_with_nix_226(&fleet);
    unchanged.expect("p620", 0, "unchanged");
    assert!(!unchanged.steps("p620").contains(&"build"));
    fleet.variant("p620", "crash-at-start");
    let crashed = deploy_with_nix_226(&fleet);
    crashed.expect("p620", 6, "rolled-back");
    fleet.assert_as_before("p620", &between);
    fleet.variant("p620", "build-fails");
    let failed = deploy_with_nix_226(&fleet);
    failed.expect("p620", 4, "failed");
    failed.assert_failure("p620", &["nginx", "pcre.h: No such file"]);
    fleet.assert_as_before("p620", &between);
    fleet.variant("p620", "eval-fails");
    let failed = deploy_with_nix_226(&fleet);
    failed.expect("p620", 4, "failed");
    failed.assert_failure("p620", &["services.web.port"]);
    fleet.assert_as_before("p620", &between);
    fleet.variant("p620", "network-down");
    let cut = deploy_with_nix_226(&fleet);
    cut.expect("p620", 6, "rolled-back");
    cut.assert_failure("p620", &["no new login came about under the new system"]);
    fleet.assert_as_before("p620", &between);
}

#[test]
fn a_host_can_build_for_itself() {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings("[hosts.p620]\nbuild_on = \"target\"\n");
    fleet.variant_with("p620", "unit-changed", "revision = 31;");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    fleet.assert_runs_new("p620", &run);
    let new = run.report("p620")["new"].as_str().unwrap();
    assert!(run.report("p620")["steps"].to_string().contains("on the host"));
    assert!(fleet.on("p620", &format!("nix-store --query --deriver {new}")).contains(".drv"));
    // What does not build there is said to have failed there.
    fleet.variant("p620", "build-fails");
    let failed = fleet.deploy(&["p620"]);
    failed.expect("p620", 4, "failed");
    failed.assert_failure("p620", &["failed to build on p620: "]);
}

#[test]
fn another_host_can_build() {
    let fleet = Fleet::start(&["p620", "p510"]);
    let builder = fleet.standing("p510");
    fleet.write_settings("[hosts.p620]\nbuild_on = \"p510\"\n");
    fleet.variant_with("p620", "unit-changed", "revision = 32;");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    fleet.assert_runs_new("p620", &run);
    let new = run.report("p620")["new"].as_str().unwrap();
    fleet.on("p510", &format!("nix-store --check-validity {new}"));
    assert_eq!(fleet.standing("p510"), builder);
}

#[test]
fn the_machine_we_run_on_is_deployed_without_ssh() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant_with("p620", "unit-changed", "revision = 33;");
    fleet.write_settings("[hosts.p620]\naddress = \"local\"\n");
    fs::remove_file(fleet.flake().join("ssh_config")).unwrap();
    fs::write(fleet.flake().join("ssh_config"), "").unwrap();
    fleet.put("p620", &fleet.flake(), "/root/flake");
    fleet.put("p620", Path::new(env!("CARGO_BIN_EXE_nix-deploy")), "/root/nix-deploy");
    let before = fleet.logins("p620");
    let text = fleet.on(
        "p620",
        "cd /root/flake && git config --global safe.directory '*' && systemd-run --quiet --pipe --wait --collect \
         -p WorkingDirectory=/root/flake -E HOME=/root -E NIX_CONFIG='experimental-features = nix-command flakes\nsandbox = false\nbuild-users-group =\nsubstituters =' \
         /root/nix-deploy p620 --output json --yes 2>/root/said || { cat /root/said; true; }",
    );
    let run = Run::of_output(&text);
    run.expect("p620", 0, "deployed");
    fleet.assert_runs_new("p620", &run);
    assert_eq!(fleet.look("p620").generation, "system-2-link");
    assert_eq!(fleet.logins("p620"), before);
}

#[test]
fn a_build_that_fails_shows_the_derivation_the_end_of_its_log_and_where_all_of_it_is() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "build-fails");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 4, "failed");
    run.assert_failure("p620", &["nginx", "pcre.h: No such file", "`nix log /nix/store/"]);
    let failure = run.failure("p620");
    let logs =
        failure.split(['"', ' ', '`', ')', '(']).filter(|word| word.starts_with('/') && word.ends_with(".log"));
    let mut logs = logs;
    let log = logs.next_back().unwrap_or_else(|| panic!("no log is named in {failure}"));
    assert!(fs::read_to_string(log).unwrap().contains("pcre.h: No such file"), "{log}");
    assert_eq!(fleet.standing("p620"), before);
    fleet.assert_no_traces("p620");
}

#[test]
fn an_evaluation_that_fails_shows_what_nix_says() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "eval-fails");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 4, "failed");
    run.assert_failure("p620", &["services.web.port"]);
    assert_eq!(fleet.standing("p620"), before);
    fleet.assert_no_traces("p620");
}

#[test]
fn a_file_that_git_does_not_know_is_pointed_out() {
    let fleet = Fleet::start(&["p620"]);
    fleet.host_file("p620", "(import ./extra/p620.nix)");
    fs::create_dir(fleet.flake().join("hosts/extra")).unwrap();
    fs::write(fleet.flake().join("hosts/extra/p620.nix"), "{ variant = \"unit-changed\"; revision = 34; }")
        .unwrap();
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 4, "failed");
    run.assert_failure("p620", &["git add hosts/extra"]);
    fleet.commit("extra");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
}

#[test]
fn a_file_that_git_does_not_know_is_no_change_and_is_told_once() {
    let fleet = Fleet::start(&["p620", "p510"]);
    for host in ["p620", "p510"] {
        fleet.variant_with(host, "unit-changed", "revision = 36;");
    }
    fleet.deploy(&["p620", "p510"]).expect("p620", 0, "deployed");
    for host in ["p620", "p510"] {
        fleet.variant_with(host, "unit-changed", "revision = 37;");
    }
    fs::write(fleet.flake().join("hosts/new.nix"), "{ }").unwrap();
    let run = fleet.deploy(&["p620", "p510"]);
    run.expect("p620", 0, "deployed");
    let of = |kind: &str| run.events.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let files = &of("changes")[0]["changes"]["files"];
    assert_eq!(files, &serde_json::json!(["hosts/p510.nix", "hosts/p620.nix"]));
    let warnings = of("warning");
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(warnings[0]["message"], "hosts/new.nix is not tracked by git, so Nix does not see it");
    assert_eq!(warnings[0]["hint"], "git add hosts/new.nix");
}

#[test]
fn a_dirty_tree_is_deployed_and_recorded_as_dirty() {
    let fleet = Fleet::start(&["p620"]);
    fs::write(fleet.flake().join("hosts/p620.nix"), "{ variant = \"unit-changed\"; revision = 35; }").unwrap();
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    fleet.assert_runs_new("p620", &run);
    let source = run.events.iter().find(|event| event["type"] == "source").expect("no source was recorded");
    assert_eq!(source["source"]["dirty"], true, "{source}");
    assert_eq!(fleet.on("p620", "sed -n 's/^commit=//p' /var/lib/nix-deploy/deployed").trim(), "");
}

#[test]
fn a_deploy_logs_in_twice_and_an_unchanged_host_once() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.logins("p620");
    fleet.deploy(&["p620"]).expect("p620", 0, "unchanged");
    assert_eq!(fleet.logins("p620") - before, 1);
    fleet.variant_with("p620", "unit-changed", "revision = 36;");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    assert_eq!(fleet.logins("p620") - before, 3);
}
