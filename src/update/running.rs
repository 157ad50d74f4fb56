//! What hosts run, asked before an update is judged: closure, packages that
//! are installed by name, and the parts that only a reboot changes.

use std::collections::BTreeMap;

use crate::host::{Link, inventory};
use crate::model::{Failure, FailureClass, HostSpec, InstalledPackage, StorePath};
use crate::nix::{Closure, Nix, Selection};

/// What a host runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running {
    /// The running system, where the host says it.
    pub(crate) system: Option<StorePath>,
    /// All its paths.
    pub(crate) closure: Closure,
    /// The paths that are installed by name.
    pub(crate) selection: Selection,
    /// Kernel, initrd and modules of the booted system by path, the kernel's
    /// parameters by content.
    pub(crate) booted: BTreeMap<String, String>,
}

impl Running {
    /// Its packages, with those that are installed by name marked.
    pub(crate) fn packages(&self) -> Vec<InstalledPackage> {
        self.closure.packages(&self.selection)
    }
}

/// Asks a host. A system that was built here is read here: the host then only
/// says which one it is.
pub(crate) async fn ask(host: &HostSpec, nix: &Nix) -> Result<Running, Failure> {
    let link = Link::new(host).map_err(|error| error.failure())?;
    let installed =
        inventory::installed(&link, host.timeouts.command).await.map_err(|error| error.failure())?;
    let known = match &installed.system {
        Some(system) => nix.known_closure(system).await,
        None => None,
    };
    let closure = match known {
        Some(closure) => closure,
        None => listed(host, nix, &link, installed.system.as_ref()).await?,
    };
    Ok(Running {
        system: installed.system,
        closure,
        selection: installed.selected.into_iter().collect(),
        booted: installed.booted,
    })
}

/// The closure as the host lists it; one that lists nothing may still run a
/// system that Nix here knows.
async fn listed(
    host: &HostSpec,
    nix: &Nix,
    link: &Link,
    system: Option<&StorePath>,
) -> Result<Closure, Failure> {
    let listing =
        inventory::closure(link, system, host.timeouts.command).await.map_err(|error| error.failure())?;
    let error = match Closure::parse(&listing) {
        Ok(closure) => return Ok(closure),
        Err(error) => error,
    };
    if let Some(system) = system
        && let Ok(closure) = nix.closure(system, None).await
    {
        return Ok(closure);
    }
    let failure = Failure::from_error(FailureClass::Unfit, &error);
    let message = format!("{}: what is installed cannot be read: {}", host.name, failure.message);
    Err(Failure { message, ..failure })
}
