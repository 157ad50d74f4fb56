//! What is installed on a host: the paths of the running system, and what of
//! the booted one only a reboot changes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::HostError;
use super::link::Link;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::StorePath;

const INVENTORY: &str = include_str!("../../templates/inventory.sh");
const CLOSURE: &str = include_str!("../../templates/closure.sh");

/// The host's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installed {
    /// The running system.
    pub(crate) system: Option<StorePath>,
    /// Paths that are installed by name.
    pub(crate) selected: Vec<StorePath>,
    /// Kernel, initrd and modules of the booted system by path, the kernel's
    /// parameters by content.
    pub(crate) booted: BTreeMap<String, String>,
}

/// Asks a host in one round trip.
pub(crate) async fn installed(link: &Link, deadline: Duration) -> Result<Installed, HostError> {
    let answer = link.run(&Script::new(INVENTORY), Privilege::Login, deadline).await?;
    Ok(parse(&answer))
}

/// The closure of a system, by default of the running one, as the host lists
/// it: what `nix path-info -r -s` prints, among other lines.
pub(crate) async fn closure(
    link: &Link,
    system: Option<&StorePath>,
    deadline: Duration,
) -> Result<String, HostError> {
    let system = system.map_or("/run/current-system", StorePath::as_str);
    link.run(&Script::new(CLOSURE).set("SYSTEM", system), Privilege::Login, deadline).await
}

fn parse(answer: &str) -> Installed {
    let paths = |wanted: &str| -> Vec<StorePath> {
        let values = shell::pairs(answer).filter(|(key, _)| *key == wanted);
        values.filter_map(|(_, path)| StorePath::new(path).ok()).collect()
    };
    let booted = shell::pairs(answer).filter(|(key, _)| *key == "booted");
    let booted = booted.filter_map(|(_, part)| part.split_once(' '));
    Installed {
        system: paths("system").pop(),
        selected: paths("selected"),
        booted: booted.map(|(part, value)| (part.to_owned(), value.trim().to_owned())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_and_what_is_installed_by_name_are_read() {
        let path = |name: &str| format!("/nix/store/f98asahd0v34slfpy357djz098h6aq55-{name}");
        let (system, htop) = (path("nixos-system-p620-25.05"), path("htop-3.3.0"));
        let kernel = path("linux-6.6.68") + "/bzImage";
        let installed = parse(&format!(
            "motd\nsystem={system}\nselected={htop}\nselected=x\nbooted=kernel {kernel}\n\
             booted=kernel-params quiet loglevel=4\n"
        ));
        assert_eq!(installed.system.map(String::from), Some(system));
        assert_eq!(installed.selected.len(), 1);
        assert_eq!(installed.booted["kernel"], kernel);
        assert_eq!(installed.booted["kernel-params"], "quiet loglevel=4");
    }
}
