//! What is installed on a host: the paths of the running system.

use std::time::Duration;

use super::error::HostError;
use super::link::Link;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::StorePath;

const INVENTORY: &str = include_str!("../../templates/inventory.sh");

/// The host's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installed {
    /// The running system.
    pub(crate) system: Option<StorePath>,
    /// Paths that are installed by name.
    pub(crate) selected: Vec<StorePath>,
    /// What `nix path-info -r -s` printed, among other lines.
    pub(crate) closure: String,
}

/// Asks a host in one round trip.
pub(crate) async fn installed(link: &Link, deadline: Duration) -> Result<Installed, HostError> {
    let answer = link.run(&Script::new(INVENTORY), Privilege::Login, deadline).await?;
    Ok(parse(answer))
}

fn parse(answer: String) -> Installed {
    let paths = |wanted: &str| -> Vec<StorePath> {
        let values = shell::pairs(&answer).filter(|(key, _)| *key == wanted);
        values.filter_map(|(_, path)| StorePath::new(path).ok()).collect()
    };
    Installed { system: paths("system").pop(), selected: paths("selected"), closure: answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_and_what_is_installed_by_name_are_read() {
        let path = |name: &str| format!("/nix/store/f98asahd0v34slfpy357djz098h6aq55-{name}");
        let (system, htop) = (path("nixos-system-p620-25.05"), path("htop-3.3.0"));
        let installed = parse(format!("motd\nsystem={system}\nselected={htop}\nselected=x\n{htop}\t 120\n"));
        assert_eq!(installed.system.map(String::from), Some(system));
        assert_eq!(installed.selected.len(), 1);
        assert!(installed.closure.contains("120"));
    }
}
