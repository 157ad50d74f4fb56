//! What a host runs, for the record: one short script over one login.

use super::error::HostError;
use super::link::Link;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::{HostSpec, StorePath};

const SIGHTING: &str = include_str!("../../templates/sighting.sh");

/// What a host said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// `/run/current-system`, resolved.
    pub(crate) current_system: Option<StorePath>,
    /// Its version of NixOS.
    pub(crate) nixos_version: Option<String>,
    /// Its kernel's release.
    pub(crate) kernel: Option<String>,
    /// Seconds since boot.
    pub(crate) uptime: Option<u64>,
    /// Its address in the connection.
    pub(crate) address: Option<String>,
    /// `/etc/machine-id`.
    pub(crate) machine_id: Option<String>,
}

/// Asks a host over a connection of its own, once: who asks every few minutes
/// does not try again at once.
pub(crate) async fn ask(link: &Link, host: &HostSpec) -> Result<Sighting, HostError> {
    let session = link.fresh().await?;
    let script = Script::new(SIGHTING);
    let answer = link.run_on(&session, &script, Privilege::Login, host.timeouts.command).await?;
    Ok(parse(&answer))
}

fn parse(answer: &str) -> Sighting {
    let get = |key: &str| shell::value(answer, key).filter(|value| !value.is_empty()).map(str::to_owned);
    Sighting {
        current_system: get("current_system").and_then(|path| StorePath::new(path).ok()),
        nixos_version: get("nixos_version"),
        kernel: get("kernel"),
        uptime: get("uptime").and_then(|line| line.split('.').next()?.parse().ok()),
        address: get("connection").and_then(|line| line.split(' ').nth(2).map(str::to_owned)),
        machine_id: get("machine_id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_what_is_not_there_is_not_known() {
        let system = "/nix/store/0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a-nixos-system-p620-25.05";
        let sighting = parse(&format!(
            "welcome\ncurrent_system={system}\nnixos_version=25.05.1\nkernel=6.6.68\nuptime=17.31 5.0\n\
             machine_id=abc\nconnection=10.0.0.1 50000 10.0.0.9 22\n"
        ));
        assert_eq!(sighting.current_system.unwrap().as_str(), system);
        assert_eq!((sighting.uptime, sighting.address.as_deref()), (Some(17), Some("10.0.0.9")));
        let nothing = parse("current_system=/run/current-system\nuptime=\nconnection=\n");
        assert_eq!(nothing, Sighting::default());
    }

    #[tokio::test]
    async fn this_machine_answers_the_script() {
        let mut host = HostSpec::with_defaults(crate::model::HostName::new("here").unwrap());
        host.address = None;
        let link = Link::new(&host).unwrap();
        let sighting = ask(&link, &host).await.unwrap();
        assert!(sighting.uptime.is_some() && sighting.kernel.is_some(), "{sighting:?}");
    }
}
