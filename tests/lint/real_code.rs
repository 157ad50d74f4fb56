//! The fixtures are honest code: what must be found in them, and nothing else
//! that would block a deploy.

use std::path::Path;

use nix_deploy::lint::{Baseline, Policy, check_text};
use nix_deploy::model::{Finding, Severity, Suppression};

fn check(name: &str) -> Vec<Finding> {
    let (_, text) = crate::fixtures().into_iter().find(|(fixture, _)| fixture == name).unwrap();
    check_text(Path::new(&format!("{name}.nix")), text.as_bytes(), &Policy::new()).findings
}

#[test]
fn honest_code_is_never_blocked() {
    for (name, text) in crate::fixtures() {
        if name == "many-findings" || name == "suppressed" {
            continue;
        }
        let report = check_text(Path::new(&name), text.as_bytes(), &Policy::new());
        let blocking: Vec<_> = report.findings.iter().filter(|finding| finding.blocks()).collect();
        assert!(blocking.is_empty(), "{name}: {blocking:?}");
    }
}

#[test]
fn every_mistake_of_one_file_is_found_at_once() {
    let findings = check("many-findings");
    let critical: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Critical)
        .map(|finding| finding.rule.as_str())
        .collect();
    assert_eq!(
        critical,
        ["firewall-off", "user-password", "hardcoded-secret", "hardcoded-secret", "eval-secret-read"]
    );
    for rule in [
        "with-top-level",
        "firewall-wide",
        "firewall-port",
        "ssh-root-login",
        "ssh-password-auth",
        "sudo-nopasswd",
        "service-root",
        "service-unhardened",
        "mkif-true",
        "mkif-literal",
        "renamed-option",
        "bool-comparison",
    ] {
        assert!(findings.iter().any(|finding| finding.rule == rule), "{rule} is missing");
    }
}

#[test]
fn no_output_shows_a_secret() {
    let findings = check("many-findings");
    let all = serde_json::to_string(&findings).unwrap();
    for secret in ["hunter2", "b7f3A9c2D4e6F8a0B1c3", "abcdEFGH1234"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    let (_, text) = crate::fixtures().into_iter().find(|(name, _)| name == "many-findings").unwrap();
    let difference = nix_deploy::lint::unified_diff(Path::new("a.nix"), &text, &text.replace("8080", "8081"));
    assert!(
        difference.contains("-  networking.firewall.allowedTCPPorts = [ 5432 6379 8080 ];"),
        "{difference}"
    );
    for secret in ["hunter2", "b7f3A9c2D4e6F8a0B1c3", "abcdEFGH1234"] {
        assert!(!difference.contains(secret), "{difference}");
    }
    // In a file that does not parse too.
    let broken = "{ password = \"hunter2\"; token = \"ghp_abcdEFGH1234ijklMNOP5678\" }";
    let report = check_text(Path::new("a.nix"), broken.as_bytes(), &Policy::new());
    let all = serde_json::to_string(&report.findings).unwrap();
    assert!(!all.contains("hunter2") && !all.contains("abcdEFGH1234"), "{all}");
}

#[test]
fn a_suppression_with_a_reason_holds_for_its_line() {
    let findings = check("suppressed");
    let open: Vec<&Finding> = findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    assert!(open.is_empty(), "{open:?}");
    let reasons = findings.iter().map(|finding| finding.suppressed.clone().unwrap());
    assert!(reasons.into_iter().any(|reason| {
        reason == Suppression::Comment { reason: "the cloud's security group filters".to_owned() }
    }));
    assert_eq!(findings.len(), 4);
}

#[test]
fn the_baseline_moves_with_the_code_and_counts() {
    let check = |text: &str| check_text(Path::new("a.nix"), text.as_bytes(), &Policy::new()).findings;
    let before = "{ lib, ... }: {\n  networking.firewall.enable = false;\n  a = lib.mkIf true { };\n}";
    let baseline = Baseline::parse(&Baseline::of(&check(before)).to_text()).unwrap();
    let open = |text: &str| {
        let mut findings = check(text);
        baseline.apply(&mut findings);
        findings
            .into_iter()
            .filter(|finding| finding.suppressed.is_none())
            .map(|finding| finding.rule)
            .collect::<Vec<_>>()
    };
    assert!(open(before).is_empty());
    // Moved and reformatted around it.
    assert!(open("{ lib, ... }:\n\n{\n\n  b = 1;\n  a =   lib.mkIf   true { };\n  networking.firewall.enable  =  false;\n}").is_empty());
    // Once more is new.
    let twice = "{ lib, ... }: {\n  networking.firewall.enable = false;\n  a = lib.mkIf true { };\n  b = { imports = [ { networking.firewall.enable = false; } ]; };\n}";
    assert_eq!(open(twice), ["firewall-off"]);
    // What is mended is counted as gone.
    assert_eq!(baseline.apply(&mut check("{ lib, ... }: { a = lib.mkIf true { }; }")), 1);
}

#[test]
fn images_and_weak_defaults_are_not_blocked() {
    for text in [
        "{ lib, ... }: { services.getty.autologinUser = \"nixos\"; users.users.root.initialHashedPassword = \"\"; }",
        "{ lib, ... }: { users.users.root.initialHashedPassword = lib.mkOverride 150 \"\"; }",
        "{ lib, ... }: { networking.firewall.enable = lib.mkDefault false; }",
        "{ lib, ... }: { networking.firewall.enable = lib.mkOverride 900 false; }",
        "{ config, lib, ... }: { options.a = lib.mkOption { }; config = lib.mkIf config.a { networking.firewall.enable = false; }; }",
    ] {
        let report = check_text(Path::new("a.nix"), text.as_bytes(), &Policy::new());
        assert!(!report.findings.is_empty(), "{text}");
        assert!(!report.findings.iter().any(Finding::blocks), "{text}: {:?}", report.findings);
    }
    for text in [
        "{ lib, ... }: { users.users.root.initialHashedPassword = lib.mkForce \"\"; }",
        "{ lib, ... }: { networking.firewall.enable = lib.mkOverride 10 false; }",
    ] {
        let report = check_text(Path::new("a.nix"), text.as_bytes(), &Policy::new());
        assert!(report.findings.iter().any(Finding::blocks), "{text}");
    }
}
