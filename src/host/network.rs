//! Network properties of a host that hosts.toml asks for: names, Tailscale, the
//! default route. Gives the problems in words; a login is proven elsewhere.

use std::time::Duration;

use serde::Deserialize;

use super::error::HostError;
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use crate::model::text::clean_line;

const NETWORK: &str =
    concat!(include_str!("../../templates/measure-lib.sh"), include_str!("../../templates/network.sh"));

/// What is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// The name that the host should resolve.
    pub(crate) dns_name: Option<&'a str>,
    /// Whether Tailscale should be up.
    pub(crate) tailscale: bool,
    /// Whether there should be a default route.
    pub(crate) route: bool,
    /// How often Tailscale is asked, a second apart, until it is up: its daemon may
    /// have been restarted just now.
    pub(crate) attempts: u8,
}

/// Asks a host; gives the problems found.
pub(crate) async fn problems(
    link: &Link,
    session: &Session,
    asked: Asked<'_>,
    deadline: Duration,
) -> Result<Vec<String>, HostError> {
    let flag = |asked: bool| if asked { "1" } else { "0" };
    let script = Script::new(NETWORK)
        .set("DNS_NAME", asked.dns_name.unwrap_or_default())
        .set("TAILSCALE", flag(asked.tailscale))
        .set("ROUTE", flag(asked.route))
        .set("ATTEMPTS", asked.attempts.to_string());
    let text = link.run_on(session, &script, Privilege::Root, deadline).await?;
    Ok(judge(&text, asked))
}

fn judge(text: &str, asked: Asked<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, asked) in
        [("dns", asked.dns_name.is_some()), ("default_route", asked.route), ("tailscale", asked.tailscale)]
    {
        let name = key.replace('_', " ");
        match shell::value(text, key) {
            Some("ok") => {}
            Some(problem) => problems.push(format!("{name}: {}", clean_line(problem))),
            None if key == "tailscale" && asked => problems.extend(tailscale(text)),
            None if asked => problems.push(format!("{name}: no answer")),
            None => {}
        }
    }
    problems
}

/// The part of `tailscale status --json` that counts.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    backend_state: String,
    #[serde(rename = "Self")]
    own: Option<Own>,
    #[serde(default)]
    health: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Own {
    #[serde(default)]
    online: bool,
}

fn tailscale(text: &str) -> Option<String> {
    let status = match shell::value(text, "tailscale_status") {
        Some(json) => serde_json::from_str::<Status>(json),
        None => return Some("tailscale: no answer".to_owned()),
    };
    let Ok(status) = status else {
        return Some("tailscale: its status cannot be read".to_owned());
    };
    // "Running" is the only state in which it passes anything on (ipn.State of Tailscale).
    let problem = if status.backend_state != "Running" {
        format!("it is not up, but {}", status.backend_state)
    } else if !status.own.is_some_and(|own| own.online) {
        "it is not connected to its control server".to_owned()
    } else {
        return None;
    };
    let health = status.health.unwrap_or_default();
    let health = if health.is_empty() { String::new() } else { format!(" ({})", health.join("; ")) };
    Some(format!("tailscale: {}", clean_line(&format!("{problem}{health}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Asked<'static> =
        Asked { dns_name: Some("cache.nixos.org"), tailscale: true, route: true, attempts: 1 };

    #[test]
    fn what_is_well_is_no_problem_and_what_is_not_says_why() {
        let up = r#"{"BackendState":"Running","Self":{"Online":true,"HostName":"p620"},"Health":[]}"#;
        let text = format!("dns=ok\ndefault_route=ok\ntailscale_status={up}\n");
        assert_eq!(judge(&text, ALL), Vec::<String>::new());
        let down = r#"{"BackendState":"NeedsLogin","Self":null,"Health":["logged\u001b[2J out"]}"#;
        let text = format!(
            "dns=cannot resolve cache.nixos.org\ndefault_route=there is none\ntailscale_status={down}\n"
        );
        assert_eq!(
            judge(&text, ALL),
            [
                "dns: cannot resolve cache.nixos.org",
                "default route: there is none",
                "tailscale: it is not up, but NeedsLogin (logged out)",
            ]
        );
        let alone = r#"{"BackendState":"Running","Self":{"Online":false}}"#;
        let tailscale = |text: &str| judge(text, Asked { tailscale: true, ..Asked::default() });
        assert_eq!(
            tailscale(&format!("tailscale_status={alone}\n")),
            ["tailscale: it is not connected to its control server"]
        );
        assert_eq!(tailscale("tailscale_status=x\n"), ["tailscale: its status cannot be read"]);
        assert_eq!(
            tailscale("tailscale=tailscaled is not running\n"),
            ["tailscale: tailscaled is not running"]
        );
        assert_eq!(judge("", ALL).len(), 3);
    }
}
