//! What Tailscale on the machine we run on says about a host that does not answer.
//!
//! Asked only when a host's address is one of Tailscale's and the host cannot be
//! reached: `tailscale status --json` (its fields are those of ipnstate.Status).

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;

use crate::exec::{Command, ExecError};
use crate::model::text::clean_line;

/// How long Tailscale may take to answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a host behind Tailscale does not answer, as far as Tailscale knows, and
/// what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// What is so, in words.
    pub(crate) finding: String,
    /// What to do.
    pub(crate) hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    #[serde(default)]
    backend_state: String,
    #[serde(default)]
    peer: Option<std::collections::BTreeMap<String, Peer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Peer {
    #[serde(default)]
    host_name: String,
    #[serde(default, rename = "DNSName")]
    dns_name: String,
    #[serde(default, rename = "TailscaleIPs")]
    addresses: Option<Vec<IpAddr>>,
    #[serde(default)]
    online: bool,
    #[serde(default)]
    last_seen: String,
}

/// Whether an address belongs to Tailscale: 100.64.0.0/10, fd7a:115c:a1e0::/48
/// or a name below ts.net (tailscale.com/kb/1015, 1033, 1081).
pub(crate) fn is_on_tailscale(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64,
        Ok(IpAddr::V6(v6)) => v6.segments()[..3] == [0xfd7a, 0x115c, 0xa1e0],
        Err(_) => address.trim_end_matches('.').to_ascii_lowercase().ends_with(".ts.net"),
    }
}

/// Asks Tailscale about an address; `None` for one that is not Tailscale's.
pub(crate) async fn diagnose(address: &str) -> Option<Diagnosis> {
    if !is_on_tailscale(address) {
        return None;
    }
    let asked = Command::new("tailscale").args(["status", "--json"]).deadline(DEADLINE).output().await;
    Some(match asked {
        Ok(output) => judge(address, &output.stdout_text()),
        Err(ExecError::NotFound { .. }) => Diagnosis {
            finding: format!("{address} is an address of Tailscale, which is not installed on this machine"),
            hint: "install Tailscale here (services.tailscale.enable), or set another `address`".to_owned(),
        },
        Err(error) => Diagnosis {
            finding: format!("Tailscale on this machine does not say how it is: {error}"),
            hint: "look at `tailscale status`".to_owned(),
        },
    })
}

fn judge(address: &str, answer: &str) -> Diagnosis {
    let Ok(status) = serde_json::from_str::<Status>(answer) else {
        return Diagnosis {
            finding: "Tailscale does not run on this machine".to_owned(),
            hint: "start it: `systemctl start tailscaled`, then `tailscale up`".to_owned(),
        };
    };
    if status.backend_state != "Running" {
        let state = clean_line(&status.backend_state);
        return Diagnosis {
            finding: format!("Tailscale on this machine is not connected ({state})"),
            hint: "connect it: `tailscale up`".to_owned(),
        };
    }
    let peers = status.peer.unwrap_or_default();
    let Some(peer) = peers.values().find(|peer| peer.is_reached_by(address)) else {
        return Diagnosis {
            finding: format!("Tailscale knows no machine {address}"),
            hint: "look at `tailscale status`: was the machine renamed or removed?".to_owned(),
        };
    };
    let name = clean_line(&peer.host_name);
    if peer.online {
        return Diagnosis {
            finding: format!("Tailscale says that {name} is online: its sshd or firewall does not let us in"),
            hint: format!("look at `tailscale ping {name}`, and at sshd on the host"),
        };
    }
    let seen = match clean_line(&peer.last_seen) {
        // What was never seen has the zero of Go's time.
        seen if seen.is_empty() || seen.starts_with("0001-") => String::new(),
        seen => format!(", last seen {seen}"),
    };
    Diagnosis {
        finding: format!("Tailscale says that {name} is offline{seen}"),
        hint: "wake it, or wait for it with --wait-for-host".to_owned(),
    }
}

impl Peer {
    fn is_reached_by(&self, address: &str) -> bool {
        match address.parse::<IpAddr>() {
            Ok(address) => self.addresses.iter().flatten().any(|own| *own == address),
            Err(_) => self.dns_name.trim_end_matches('.').eq_ignore_ascii_case(address.trim_end_matches('.')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = r#"{"Version":"1.78.1","BackendState":"Running","Peer":{
        "nodekey:a":{"HostName":"p620","DNSName":"p620.tail1234.ts.net.","TailscaleIPs":["100.101.102.103","fd7a:115c:a1e0::1"],"Online":false,"LastSeen":"2025-11-20T21:14:03Z"},
        "nodekey:b":{"HostName":"p510","DNSName":"p510.tail1234.ts.net.","TailscaleIPs":["100.64.0.2"],"Online":true,"LastSeen":"0001-01-01T00:00:00Z"},
        "nodekey:c":{"HostName":"new","DNSName":"new.tail1234.ts.net.","TailscaleIPs":null,"Online":false,"LastSeen":"0001-01-01T00:00:00Z"}}}"#;

    #[test]
    fn only_addresses_of_tailscale_are_asked_about() {
        for address in
            ["100.64.0.1", "100.127.255.254", "fd7a:115c:a1e0::5", "P620.tail1234.ts.net", "x.ts.net."]
        {
            assert!(is_on_tailscale(address), "{address}");
        }
        for address in
            ["100.63.0.1", "100.128.0.1", "10.0.0.1", "fd7a:115c:a1e1::1", "p620.lan", "ts.net.example.org"]
        {
            assert!(!is_on_tailscale(address), "{address}");
        }
    }

    #[test]
    fn an_offline_host_is_told_from_one_that_does_not_let_us_in() {
        for address in ["p620.tail1234.ts.net", "100.101.102.103", "fd7a:115c:a1e0::1"] {
            let found = judge(address, STATUS).finding;
            assert_eq!(found, "Tailscale says that p620 is offline, last seen 2025-11-20T21:14:03Z");
        }
        assert!(judge("100.64.0.2", STATUS).finding.contains("p510 is online"));
        assert_eq!(judge("new.tail1234.ts.net", STATUS).finding, "Tailscale says that new is offline");
        assert!(judge("100.64.0.9", STATUS).finding.contains("knows no machine"));
    }

    #[test]
    fn a_tailscale_that_does_not_run_here_is_the_first_thing_to_mend() {
        assert!(judge("100.64.0.2", r#"{"BackendState":"Stopped","Peer":null}"#).hint.contains("tailscale up"));
        let needs_login = judge("100.64.0.2", r#"{"BackendState":"NeedsLogin"}"#);
        assert!(needs_login.finding.contains("NeedsLogin"));
        assert!(judge("100.64.0.2", "failed to connect to local tailscaled").finding.contains("does not run"));
    }
}
