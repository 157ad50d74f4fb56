//! Findings written by hand, for tests of the formats.

use std::path::PathBuf;

use super::{Found, RuleText};
use crate::model::{Finding, HostName, Place, Severity, Suppression};

fn finding(rule: &str, severity: Severity, line: u32, source_line: &str, marked: &str) -> Finding {
    let column = source_line.find(marked).map_or(1, |at| source_line[..at].chars().count() + 1);
    let column = u32::try_from(column).unwrap();
    let place = Place {
        file: PathBuf::from("hosts/p620.nix"),
        line,
        column,
        end_line: line,
        end_column: column + u32::try_from(marked.chars().count()).unwrap(),
        start: 100,
        end: 100 + marked.len(),
    };
    Finding {
        rule: rule.to_owned(),
        severity,
        place: Some(place),
        subject: String::new(),
        message: String::new(),
        mend: String::new(),
        source_line: source_line.to_owned(),
        host: None,
        suppressed: None,
        fingerprint: format!("{rule}-1"),
    }
}

/// One that does not count.
pub(super) fn suppressed() -> Finding {
    Finding {
        message: "a password in the configuration".to_owned(),
        suppressed: Some(Suppression::Comment { reason: "an installer image".to_owned() }),
        ..finding("user-password", Severity::Warning, 30, "  users.users.nixos.password = \"***\";", "password")
    }
}

/// One of every kind, sorted by file and place, the worst not first.
pub(super) fn findings() -> Vec<Finding> {
    vec![
        Finding {
            message: "nothing uses the names of this set".to_owned(),
            ..finding("rec-unneeded", Severity::Information, 3, "rec { a = 1; }", "rec")
        },
        Finding {
            subject: "networking.firewall.enable".to_owned(),
            message: "the firewall is off".to_owned(),
            mend: "open the ports that are needed with networking.firewall.allowedTCPPorts".to_owned(),
            ..finding(
                "firewall-off",
                Severity::Critical,
                12,
                "\tnetworking.firewall.enable = false;",
                "networking.firewall.enable = false;",
            )
        },
        Finding {
            message: "a URL without quotes".to_owned(),
            mend: "write \"https://example.org/日本\"".to_owned(),
            ..finding(
                "unquoted-url",
                Severity::Warning,
                20,
                "  日本 = https://example.org;",
                "https://example.org",
            )
        },
        suppressed(),
        Finding {
            place: None,
            subject: "worker.service".to_owned(),
            message: "worker.service runs as root".to_owned(),
            source_line: String::new(),
            host: Some(HostName::new("p620").unwrap()),
            ..finding("service-root", Severity::Warning, 1, "", "")
        },
    ]
}

/// They as a check gives them.
pub(super) fn found(findings: &[Finding]) -> Found<'_> {
    static RULES: std::sync::LazyLock<Vec<RuleText>> = std::sync::LazyLock::new(|| {
        let rules = ["firewall-off", "rec-unneeded", "service-root", "unquoted-url", "user-password"];
        let text = |id: &str| RuleText {
            id: id.to_owned(),
            what: format!("What {id} finds."),
            why: "Why it matters.".to_owned(),
            severity: Some(Severity::Warning),
        };
        rules.map(text).to_vec()
    });
    Found { findings, files: 7, rules: &RULES, hardening: &[] }
}
