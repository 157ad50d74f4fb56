//! `--preview` against a running host: it says what an update would change,
//! and neither the flake nor the host is another one afterwards.

use std::fs;

use serde_json::Value;

use super::fleet::{Fleet, Run, command, finish};

/// Makes kernel, nginx and a new package of p620 come from an input, a git
/// repository beside the flake, and locks it.
fn with_input(fleet: &Fleet) {
    let input = fleet.flake().parent().unwrap().join("versions");
    fs::create_dir(&input).unwrap();
    let address = format!("git+file://{}?ref=main", input.display());
    git(fleet, &["init", "--quiet", "--initial-branch", "main"]);
    release(fleet, "kernel = \"6.6.68\"; nginx = \"1.24.0\";", "bash = 1;");
    let flake = fleet.flake().join("flake.nix");
    let text = fs::read_to_string(&flake).unwrap();
    let text = text.replace(
        "outputs = { self }:",
        &format!("inputs.versions.url = \"{address}\";\n  outputs = {{ self, versions }}:"),
    );
    let text = text.replace("settings = import (./hosts + \"/${name}.nix\"); }; }", "settings = import (./hosts + \"/${name}.nix\") // { inherit versions; }; } // { pkgs = versions.names; }; }");
    fs::write(&flake, text).unwrap();
    let base = fleet.flake().join("nix/base.nix");
    let text = fs::read_to_string(&base).unwrap();
    let text = text.replace("kernel = \"6.6.68\";", "inherit (settings.versions) kernel;");
    let text = text.replace("nginx = \"1.24.0\";", "inherit (settings.versions) nginx;");
    fs::write(&base, text).unwrap();
    fleet.commit("versions come from an input");
    let mut lock = command("nix");
    fleet.operator(&mut lock).args(["--extra-experimental-features", "nix-command flakes", "flake", "lock"]);
    assert!(lock.status().unwrap().success());
    fleet.commit("locked");
}

fn git(fleet: &Fleet, arguments: &[&str]) {
    let mut git = command("git");
    fleet.operator(&mut git).current_dir(fleet.flake().parent().unwrap().join("versions")).args(arguments);
    assert!(git.status().unwrap().success(), "git {arguments:?}");
}

fn release(fleet: &Fleet, versions: &str, names: &str) {
    let input = fleet.flake().parent().unwrap().join("versions");
    let text = format!("{{ outputs = _: {{ {versions} names = {{ {names} }}; }}; }}");
    fs::write(input.join("flake.nix"), text).unwrap();
    git(fleet, &["add", "--all"]);
    git(fleet, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "x"]);
}

fn preview(fleet: &Fleet, arguments: &[&str]) -> (Run, Value) {
    let all: Vec<&str> =
        ["--preview", "--output", "json"].into_iter().chain(arguments.iter().copied()).collect();
    let run = finish(fleet.nix_deploy(&all));
    let shown = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
    (run, shown)
}

/// `linux 6.6.68 -> 6.6.69` of every package that changes.
fn packages(host: &Value) -> Vec<String> {
    let versions = |list: &Value| {
        let list = list.as_array().unwrap().iter().map(|version| version.as_str().unwrap());
        list.collect::<Vec<_>>().join(",")
    };
    let packages = host["packages"].as_array().unwrap().iter();
    packages
        .map(|one| {
            let name = one["name"].as_str().unwrap();
            format!("{name} {} -> {}", versions(&one["before"]), versions(&one["after"]))
        })
        .collect()
}

#[test]
fn a_preview_says_what_a_deploy_then_does_and_changes_nothing_before() {
    let fleet = Fleet::start(&["p620"]);
    with_input(&fleet);
    let before = (fleet.look("p620"), fs::read(fleet.flake().join("flake.lock")).unwrap());
    let (run, shown) = preview(&fleet, &["p620"]);
    assert_eq!((run.code, &shown["inputs"]), (Some(0), &serde_json::json!([])), "{}", run.stderr);
    assert_eq!(shown["hosts"][0]["old"], shown["hosts"][0]["new"]);

    // A version of this run's own: what an earlier run built would need no estimate.
    let nginx = format!("1.26.{}", uuid::Uuid::new_v4().as_u128() % 1_000_000_000);
    release(&fleet, &format!("kernel = \"6.6.69\"; nginx = \"{nginx}\";"), "bash = 1; firefox = 2;");
    let changes = ["linux 6.6.68 -> 6.6.69".to_owned(), format!("nginx 1.24.0 -> {nginx}")];
    let (run, estimate) = preview(&fleet, &["p620", "--no-build"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let host = &estimate["hosts"][0];
    assert_eq!((packages(host), host["precision"].as_str()), (changes.to_vec(), Some("estimate")));
    let (run, exact) = preview(&fleet, &["p620", "--new-packages"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let host = &exact["hosts"][0];
    assert_eq!(packages(host), changes);
    assert_eq!((host["precision"].as_str(), host["base"].as_str()), (Some("exact"), Some("running")));
    assert_eq!(host["old"].as_str(), Some(before.0.current_system.as_str()));
    assert_eq!(host["reboot_reasons"], serde_json::json!(["kernel", "initrd", "kernel-modules"]));
    assert_eq!(host["new_packages"], serde_json::json!(["firefox"]));
    assert_eq!(exact["inputs"][0]["input"], "versions");
    assert!(host["storage"]["new_bytes"].as_u64().unwrap() > 0);

    assert_eq!((fleet.look("p620"), fs::read(fleet.flake().join("flake.lock")).unwrap()), before);
    fleet.assert_no_traces("p620");
    // The update itself gives what was announced.
    let mut update = command("nix");
    fleet.operator(&mut update).args([
        "--extra-experimental-features",
        "nix-command flakes",
        "flake",
        "update",
    ]);
    assert!(update.status().unwrap().success());
    fleet.commit("updated");
    let deployed = fleet.deploy(&["p620"]);
    assert_eq!(deployed.report("p620")["new"], host["new"], "{}", deployed.stderr);
}
