//! The ssh configuration generated for one host and passed with `-F`.
//!
//! One file carries every setting, so that the master, `nix copy` (through
//! NIX_SSHOPTS, which splits on spaces) and jump hosts (ssh passes `-F` on) all
//! obey the same rules. The user's own configuration is included after ours;
//! ssh takes the first value it finds. Host keys are always checked.

use std::net::Ipv6Addr;
use std::path::Path;
use std::time::Duration;

use crate::model::HostSpec;

/// How often an idle connection is tested, in seconds.
const ALIVE_INTERVAL: u64 = 5;
/// How many tests may go unanswered before the connection is given up: a link
/// that is silent for 30 s is dead, while one that comes back sooner is kept.
const ALIVE_COUNT: u64 = 6;

/// Whether connections are compressed; what the user configured holds otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// They are.
    Yes,
    /// Nothing is said about it.
    AsConfigured,
}

/// The name ssh and Nix are given for the host. An IPv6 literal is replaced by
/// an alias, because colons mean ports in URLs.
pub(crate) fn destination(host: &HostSpec) -> String {
    let address = host.address.as_deref().unwrap_or("localhost");
    if ipv6(address).is_some() { format!("nix-deploy-{}", host.name) } else { address.to_owned() }
}

fn ipv6(address: &str) -> Option<&str> {
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let without_zone = bare.split('%').next().unwrap_or(bare);
    without_zone.parse::<Ipv6Addr>().is_ok().then_some(bare)
}

/// The text of the configuration. Hosts with a control path are reached through
/// the master that listens there. The first host's connect timeout and further
/// configuration hold for all.
pub(crate) fn text(
    hosts: &[(&HostSpec, Option<&Path>)],
    user_config: Option<&Path>,
    compression: Compression,
) -> String {
    let mut lines: Vec<String> =
        hosts.iter().flat_map(|(host, control_path)| host_lines(host, *control_path)).collect();
    let connect = hosts.first().map_or(Duration::from_secs(10), |(host, _)| host.timeouts.connect);
    lines.push("Host *".to_owned());
    lines.push("  ControlMaster no".to_owned());
    // Nobody can answer ssh's own questions.
    lines.push("  BatchMode yes".to_owned());
    lines.push("  StrictHostKeyChecking yes".to_owned());
    if compression == Compression::Yes {
        lines.push("  Compression yes".to_owned());
    }
    lines.push(format!("  ConnectTimeout {}", seconds(connect)));
    lines.push(format!("  ServerAliveInterval {ALIVE_INTERVAL}"));
    lines.push(format!("  ServerAliveCountMax {ALIVE_COUNT}"));
    lines.push("  ClearAllForwardings yes".to_owned());
    lines.push("  RequestTTY no".to_owned());
    lines.push("  LogLevel ERROR".to_owned());
    for config in [user_config, Some(Path::new("/etc/ssh/ssh_config"))].into_iter().flatten() {
        // An Include below a Host line would hold for that host only.
        lines.push("Match all".to_owned());
        lines.push(format!("  Include {}", quote(&config.to_string_lossy())));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What holds for one host alone.
fn host_lines(host: &HostSpec, control_path: Option<&Path>) -> Vec<String> {
    let mut lines = vec![format!("Host {}", quote(&destination(host)))];
    let address = host.address.as_deref().unwrap_or("localhost");
    if let Some(literal) = ipv6(address) {
        // ssh expands percent signs in it, and a zone begins with one.
        lines.push(format!("  HostName {}", literal.replace('%', "%%")));
    }
    if let Some(user) = &host.user {
        lines.push(format!("  User {}", quote(user)));
    }
    if let Some(port) = host.port {
        lines.push(format!("  Port {port}"));
    }
    if let Some(jump) = &host.jump {
        lines.push(format!("  ProxyJump {jump}"));
    }
    if let Some(identity) = &host.identity_file {
        lines.push(format!("  IdentityFile {}", quote(&identity.to_string_lossy())));
        lines.push("  IdentitiesOnly yes".to_owned());
    }
    // A master of the user's own must not carry the deploy: it may be stale.
    let control = control_path.map_or("none".to_owned(), |path| quote(&path.to_string_lossy()));
    lines.push(format!("  ControlPath {control}"));
    lines
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs().max(1)
}

/// Quotes an argument of ssh_config(5).
fn quote(argument: &str) -> String {
    if argument.contains([' ', '#', '"']) {
        format!("\"{}\"", argument.replace('"', "\\\""))
    } else {
        argument.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostName;

    fn host(address: &str) -> HostSpec {
        let mut host = HostSpec::with_defaults(HostName::new("p620").unwrap());
        host.address = Some(address.to_owned());
        host
    }

    #[test]
    fn host_keys_are_checked_before_anything_the_user_configured() {
        let text = text(
            &[(&host("p620.lan"), None)],
            Some(Path::new("/home/a b/.ssh/config")),
            Compression::AsConfigured,
        );
        let check = text.find("StrictHostKeyChecking yes").unwrap();
        let include = text.find("Include \"/home/a b/.ssh/config\"").unwrap();
        assert!(check < include);
        assert!(text.contains("ControlPath none"));
    }

    #[test]
    fn ipv6_literals_get_an_alias() {
        for address in ["fe80::1%eth0", "[fe80::1%eth0]", "::1"] {
            let host = host(address);
            assert_eq!(destination(&host), "nix-deploy-p620");
            assert!(text(&[(&host, None)], None, Compression::AsConfigured).contains("HostName "));
        }
        assert!(
            text(&[(&host("fe80::1%eth0"), None)], None, Compression::AsConfigured)
                .contains("  HostName fe80::1%%eth0\n")
        );
        assert_eq!(destination(&host("10.0.0.1")), "10.0.0.1");
    }

    #[test]
    fn settings_of_the_host_hold_for_it_alone() {
        let mut host = host("p620.lan");
        host.user = Some("deploy".to_owned());
        host.port = Some(2222);
        host.jump = Some("me@gate:22".to_owned());
        let text = text(&[(&host, Some(Path::new("/tmp/x/master")))], None, Compression::AsConfigured);
        let (own, all) = text.split_once("Host *").unwrap();
        for line in ["User deploy", "Port 2222", "ProxyJump me@gate:22", "ControlPath /tmp/x/master"] {
            assert!(own.contains(line) && !all.contains(line), "{line}");
        }
    }

    #[test]
    fn compression_is_asked_for_where_it_is_worth_it_and_else_left_to_the_user() {
        let p620 = host("p620");
        let of = |compression| text(&[(&p620, None)], None, compression);
        assert!(of(Compression::Yes).contains("\n  Compression yes\n"));
        assert!(!of(Compression::AsConfigured).contains("Compression"));
    }
}
