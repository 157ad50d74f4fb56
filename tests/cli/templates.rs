//! What comes along for systemd and NixOS: it can be read by those it is for, and
//! names commands that there are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::program::Place;

/// lib as far as the module uses it.
const MODULE: &str = r#"{ path }: let
  join = a: b: a // b // { systemd = {
    services = (a.systemd.services or { }) // (b.systemd.services or { });
    timers = (a.systemd.timers or { }) // (b.systemd.timers or { });
  }; };
  lib = {
    mkOption = option: option; mkEnableOption = text: { default = false; };
    mkIf = condition: value: if condition then value else { };
    mkMerge = builtins.foldl' join { };
    optionalAttrs = condition: value: if condition then value else { };
    optionalString = condition: text: if condition then text else "";
    escapeShellArg = text: text;
    types = { package = 0; str = 0; nullOr = type: type; ints.positive = 0; };
  };
  services.nix-deploy = {
    package = "/package"; hostsToml = "/hosts.toml"; user = "deployer"; environmentFile = "/secrets";
    poll = { enable = true; interval = "1min"; };
    evaluate = { enable = true; interval = "5min"; commits = 3; };
    build = { enable = true; workers = 4; cache = "s3://cache"; };
  };
  module = import path { inherit lib; config = { nix.package = "nix"; inherit services; }; pkgs = { git = 0; openssh = 0; }; };
in builtins.mapAttrs (name: service: service.serviceConfig) module.config.systemd.services"#;

fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name)
}

#[expect(clippy::disallowed_methods, reason = "whoever a template is for reads it")]
fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    match Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("NIX_REMOTE", format!("local?root={}", folder.display()))
        .output()
    {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        output => Some(output.unwrap()),
    }
}

/// The words behind `nix-deploy` are a command that there is.
fn assert_is_command(start: &str) {
    let words: Vec<&str> = start.split_whitespace().collect();
    assert!(words[0].ends_with("/bin/nix-deploy"), "{start}");
    let arguments = [&words[1..], &["--help"]].concat();
    let outcome = Place::new().run(&arguments);
    assert_eq!(outcome.code, 0, "{start}: {}", outcome.stderr);
}

#[test]
fn the_units_for_systemd_are_what_systemd_takes() {
    let folder = tempfile::tempdir().unwrap();
    let units = ["nix-deploy-poll.service", "nix-deploy-poll.timer", "nix-deploy-build.service"];
    for unit in units {
        let text = std::fs::read_to_string(template("systemd").join(unit)).unwrap();
        for start in text.lines().filter_map(|line| line.strip_prefix("ExecStart=")) {
            assert_is_command(start);
        }
        let text = text.replace("/usr/bin/nix-deploy", env!("CARGO_BIN_EXE_nix-deploy"));
        std::fs::write(folder.path().join(unit), text).unwrap();
    }
    let paths = units.map(|unit| format!("./{unit}"));
    let arguments: Vec<&str> = std::iter::once("verify").chain(paths.iter().map(String::as_str)).collect();
    if let Some(output) = run("systemd-analyze", &arguments, folder.path()) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("nix-deploy-"), "{said}");
    }
}

#[test]
fn the_module_for_nixos_evaluates_and_starts_commands_that_there_are() {
    let module = template("nixos/fleet.nix");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("module.nix"), MODULE).unwrap();
    let arguments = ["--eval", "--strict", "--json", "module.nix", "--arg", "path", module.to_str().unwrap()];
    let output = run("nix-instantiate", &arguments, folder.path()).expect("Nix is not installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let services: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&String> = services.as_object().unwrap().keys().collect();
    assert_eq!(names, ["nix-deploy-build", "nix-deploy-evaluate", "nix-deploy-poll"]);
    for service in services.as_object().unwrap().values() {
        assert_is_command(service["ExecStart"].as_str().unwrap());
        assert_eq!((&service["User"], &service["EnvironmentFile"]), (&"deployer".into(), &"/secrets".into()));
    }
    // Nothing is switched on by importing it.
    let text = std::fs::read_to_string(&module).unwrap();
    assert_eq!(text.matches("enable = mkEnableOption").count(), 3);
}
