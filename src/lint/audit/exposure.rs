//! What a system opens to others, from values that the configuration itself
//! evaluates to: firewall, ssh, sudo, set-uid wrappers, users.
//!
//! A value that does not evaluate is absent, and nothing is said about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seen::Seen;
use crate::model::Severity;

/// Settings of a host as `nix eval` gives them; it asks for nothing that is
/// secret. What is `None` did not evaluate or does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// `networking.firewall`.
    pub firewall: Option<Firewall>,
    /// `services.openssh`.
    pub openssh: Option<OpenSsh>,
    /// `security.sudo`.
    pub sudo: Option<Sudo>,
    /// Names of `security.wrappers` that are set-uid.
    pub setuid: Option<Vec<String>>,
    /// Users whose password is the empty text: anybody can log in as them.
    pub open_users: Option<Vec<String>>,
    /// Whether `system.stateVersion` is set by somebody.
    pub state_version: Option<bool>,
    /// Whether something collects garbage.
    pub collects_garbage: Option<bool>,
}

/// `networking.firewall`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Firewall {
    /// Whether it is on.
    pub enable: Option<bool>,
    /// Open TCP ports on all interfaces.
    pub tcp: Vec<u16>,
    /// Open UDP ports on all interfaces.
    pub udp: Vec<u16>,
    /// Open ranges of TCP ports on all interfaces.
    pub tcp_ranges: Vec<(u16, u16)>,
    /// Open ranges of UDP ports on all interfaces.
    pub udp_ranges: Vec<(u16, u16)>,
    /// Interfaces that everything may come in by.
    pub trusted: Vec<String>,
}

/// `services.openssh`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenSsh {
    /// Whether it is on.
    pub enable: Option<bool>,
    /// `settings.PermitRootLogin`.
    pub root_login: Option<String>,
    /// `settings.PasswordAuthentication`.
    pub passwords: Option<bool>,
}

/// `security.sudo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sudo {
    /// Whether it is on.
    pub enable: Option<bool>,
    /// `wheelNeedsPassword`.
    pub wheel_needs_password: Option<bool>,
    /// Whether a rule of `extraRules` has NOPASSWD for every command.
    pub open_rules: bool,
}

/// Services that nobody means to offer to everybody, by TCP port.
const LOUD: [(u16, &str); 16] = [
    (23, "telnet"),
    (139, "SMB"),
    (445, "SMB"),
    (1433, "SQL Server"),
    (2375, "Docker without TLS"),
    (2376, "Docker"),
    (3306, "MySQL"),
    (3389, "RDP"),
    (5432, "PostgreSQL"),
    (5900, "VNC"),
    (5901, "VNC"),
    (6379, "Redis"),
    (9200, "Elasticsearch"),
    (11211, "memcached"),
    (27017, "MongoDB"),
    (10250, "the kubelet"),
];
/// A range of more ports than this is no range that somebody thought about.
const WIDE: u16 = 1000;

/// What sshd_config says, where the settings do not: the first value of a
/// keyword outside `Match` counts (sshd_config(5)).
pub fn sshd_config(text: &str) -> OpenSsh {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        let mut words = line.split_whitespace();
        let Some(keyword) = words.next().map(str::to_ascii_lowercase) else { continue };
        if keyword == "match" {
            break;
        }
        if let Some(value) = words.next() {
            values.entry(keyword).or_insert_with(|| value.to_ascii_lowercase());
        }
    }
    OpenSsh {
        enable: Some(true),
        root_login: values.get("permitrootlogin").cloned(),
        // sshd takes passwords unless it is told not to.
        passwords: Some(values.get("passwordauthentication").is_none_or(|value| value == "yes")),
    }
}

/// Everything there is to say about the settings.
pub(super) fn judge(settings: &Settings, sshd: Option<&OpenSsh>) -> Vec<Seen> {
    let mut seen = Vec::new();
    if let Some(firewall) = &settings.firewall {
        judge_firewall(firewall, &mut seen);
    }
    // The file is what sshd reads: it is nearer to the truth.
    if let Some(openssh) = sshd.or(settings.openssh.as_ref()).filter(|openssh| openssh.enable == Some(true)) {
        judge_ssh(openssh, &mut seen);
    }
    if let Some(sudo) = settings.sudo.as_ref().filter(|sudo| sudo.enable != Some(false)) {
        judge_sudo(sudo, &mut seen);
    }
    for name in settings.setuid.iter().flatten() {
        seen.push(Seen {
            rule: "setuid-wrapper",
            severity: Severity::Information,
            subject: format!("security.wrappers.{name}"),
            message: format!("{name} is a set-uid program that every user can start"),
            mend: "give it capabilities instead, or a group that may start it".to_owned(),
        });
    }
    for name in settings.open_users.iter().flatten() {
        seen.push(Seen {
            rule: "user-password",
            severity: Severity::Warning,
            subject: format!("users.users.{name}"),
            message: format!("{name} has an empty password: anybody can log in"),
            mend: "use hashedPasswordFile, or no password at all".to_owned(),
        });
    }
    if settings.state_version == Some(false) {
        seen.push(Seen {
            rule: "no-state-version",
            severity: Severity::Warning,
            subject: "system.stateVersion".to_owned(),
            message: "system.stateVersion is not set: data may be migrated without being asked".to_owned(),
            mend: "set it to the release the host was installed with, and leave it".to_owned(),
        });
    }
    if settings.collects_garbage == Some(false) {
        seen.push(Seen {
            rule: "no-garbage-collection",
            severity: Severity::Information,
            subject: "nix.gc.automatic".to_owned(),
            message: "nothing collects garbage: the disk fills with old systems".to_owned(),
            mend: "nix.gc.automatic = true".to_owned(),
        });
    }
    seen
}

fn judge_firewall(firewall: &Firewall, seen: &mut Vec<Seen>) {
    if firewall.enable == Some(false) {
        seen.push(Seen {
            rule: "firewall-off",
            severity: Severity::Warning,
            subject: "networking.firewall.enable".to_owned(),
            message: "the firewall is off: every port that a program listens on is open".to_owned(),
            mend: "switch it on and open the ports that are needed".to_owned(),
        });
        return;
    }
    let option = |kind: &str, what: &str| format!("networking.firewall.allowed{kind}Port{what}");
    for (kind, ports) in [("TCP", &firewall.tcp), ("UDP", &firewall.udp)] {
        for port in ports {
            let loud = LOUD.iter().find(|(known, _)| known == port).map(|(_, name)| *name);
            let what = loud.map_or(String::new(), |name| format!(" ({name})"));
            seen.push(Seen {
                rule: "firewall-port",
                severity: if loud.is_some() { Severity::Warning } else { Severity::Information },
                subject: format!("{} {port}", option(kind, "s")),
                message: format!("{kind} port {port}{what} is open on every interface"),
                mend: "open it only where it is needed: networking.firewall.interfaces.NAME".to_owned(),
            });
        }
    }
    for (kind, ranges) in [("TCP", &firewall.tcp_ranges), ("UDP", &firewall.udp_ranges)] {
        for (from, to) in ranges {
            let is_wide = to.saturating_sub(*from) >= WIDE;
            seen.push(Seen {
                rule: if is_wide { "firewall-wide" } else { "firewall-port" },
                severity: if is_wide { Severity::Warning } else { Severity::Information },
                subject: format!("{} {from}-{to}", option(kind, "Ranges")),
                message: format!("{kind} ports {from} to {to} are open on every interface"),
                mend: "open only the ports that are needed".to_owned(),
            });
        }
    }
    for interface in firewall.trusted.iter().filter(|name| name.contains(['*', '+'])) {
        seen.push(Seen {
            rule: "firewall-wide",
            severity: Severity::Warning,
            subject: format!("networking.firewall.trustedInterfaces {interface}"),
            message: format!("everything may come in by every interface that matches {interface}"),
            mend: "name the interfaces that are trusted".to_owned(),
        });
    }
}

fn judge_ssh(openssh: &OpenSsh, seen: &mut Vec<Seen>) {
    if openssh.root_login.as_deref() == Some("yes") {
        seen.push(Seen {
            rule: "ssh-root-login",
            severity: Severity::Warning,
            subject: "services.openssh.settings.PermitRootLogin".to_owned(),
            message: "root may log in over ssh with a password".to_owned(),
            mend: "\"prohibit-password\" lets keys in and nothing else".to_owned(),
        });
    }
    // Without a value sshd takes passwords.
    if openssh.passwords.unwrap_or(true) {
        seen.push(Seen {
            rule: "ssh-password-auth",
            severity: Severity::Warning,
            subject: "services.openssh.settings.PasswordAuthentication".to_owned(),
            message: "sshd takes passwords: they can be guessed from anywhere".to_owned(),
            mend: "services.openssh.settings.PasswordAuthentication = false".to_owned(),
        });
    }
}

fn judge_sudo(sudo: &Sudo, seen: &mut Vec<Seen>) {
    let rules = [
        (sudo.wheel_needs_password == Some(false), "security.sudo.wheelNeedsPassword", "who is in wheel"),
        (sudo.open_rules, "security.sudo.extraRules", "a rule's user"),
    ];
    for (_, option, who) in rules.into_iter().filter(|(open, ..)| *open) {
        seen.push(Seen {
            rule: "sudo-nopasswd",
            severity: Severity::Warning,
            subject: option.to_owned(),
            message: format!("{who} becomes root without a password"),
            mend: "ask for one, or allow only the commands that are needed".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(settings: &Settings) -> Vec<(&'static str, String, Severity)> {
        judge(settings, None).into_iter().map(|seen| (seen.rule, seen.subject, seen.severity)).collect()
    }

    fn read(json: &str) -> Settings {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_opening_is_seen() {
        let settings = read(
            r#"{"firewall":{"enable":true,"tcp":[22,5432],"udp":[53],"tcpRanges":[[1000,9000],[60,70]],"trusted":["wg0","br-+"]},
                "openssh":{"enable":true,"rootLogin":"yes","passwords":null},
                "sudo":{"enable":true,"wheelNeedsPassword":false,"openRules":true},
                "setuid":["sudo"],"openUsers":["root"],"stateVersion":false,"collectsGarbage":false}"#,
        );
        use Severity::{Information, Warning};
        let expected = [
            ("firewall-port", "networking.firewall.allowedTCPPorts 22", Information),
            ("firewall-port", "networking.firewall.allowedTCPPorts 5432", Warning),
            ("firewall-port", "networking.firewall.allowedUDPPorts 53", Information),
            ("firewall-wide", "networking.firewall.allowedTCPPortRanges 1000-9000", Warning),
            ("firewall-port", "networking.firewall.allowedTCPPortRanges 60-70", Information),
            ("firewall-wide", "networking.firewall.trustedInterfaces br-+", Warning),
            ("ssh-root-login", "services.openssh.settings.PermitRootLogin", Warning),
            ("ssh-password-auth", "services.openssh.settings.PasswordAuthentication", Warning),
            ("sudo-nopasswd", "security.sudo.wheelNeedsPassword", Warning),
            ("sudo-nopasswd", "security.sudo.extraRules", Warning),
            ("setuid-wrapper", "security.wrappers.sudo", Information),
            ("user-password", "users.users.root", Warning),
            ("no-state-version", "system.stateVersion", Warning),
            ("no-garbage-collection", "nix.gc.automatic", Information),
        ];
        let found = rules(&settings);
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for ((rule, subject, severity), expected) in found.iter().zip(expected) {
            assert_eq!((*rule, subject.as_str(), *severity), expected);
        }
    }

    #[test]
    fn nothing_is_said_about_what_did_not_evaluate() {
        assert_eq!(rules(&Settings::default()), []);
        assert_eq!(
            rules(&read(
                r#"{"firewall":null,"openssh":{"enable":false},"sudo":{"enable":false,"openRules":true}}"#
            )),
            []
        );
        assert_eq!(
            rules(&read(r#"{"firewall":{"enable":null},"openssh":{"enable":true,"passwords":false}}"#)),
            []
        );
    }

    #[test]
    fn a_firewall_that_is_off_makes_its_ports_meaningless() {
        let found = rules(&read(r#"{"firewall":{"enable":false,"tcp":[5432]}}"#));
        assert_eq!(found, [("firewall-off", "networking.firewall.enable".to_owned(), Severity::Warning)]);
    }

    #[test]
    fn what_sshd_reads_is_nearer_to_the_truth_than_the_settings() {
        let sshd = sshd_config(
            "# x\nPort 22\npasswordauthentication No\nPermitRootLogin yes\nMatch User a\nPasswordAuthentication yes\n",
        );
        let settings = read(r#"{"openssh":{"enable":true,"rootLogin":"no","passwords":true}}"#);
        let rules: Vec<&str> = judge(&settings, Some(&sshd)).into_iter().map(|seen| seen.rule).collect();
        assert_eq!(rules, ["ssh-root-login"]);
        assert_eq!(sshd_config("Port 22\n").passwords, Some(true));
    }
}
