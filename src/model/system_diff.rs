//! What differs between two systems of a host.

use serde::Serialize;

use super::{ClosureDiff, HostName, StorePath};

/// One of the two systems that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedSystem {
    /// Which one it is, for example `generation 41`.
    pub name: String,
    /// Its toplevel.
    pub path: StorePath,
    /// The NixOS version.
    pub version: Option<String>,
    /// The version of its kernel, as the store path says it.
    pub kernel: Option<String>,
    /// The size of its closure in bytes.
    pub size: u64,
}

/// Units by what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnitDiff {
    /// Units that only the second system has.
    pub added: Vec<String>,
    /// Units that only the first system has.
    pub removed: Vec<String>,
    /// Units whose files differ.
    pub changed: Vec<String>,
    /// Units that the second system wants in more places, and not in fewer.
    pub enabled: Vec<String>,
    /// Units that the second system wants in fewer places.
    pub disabled: Vec<String>,
}

impl UnitDiff {
    /// Whether no unit differs.
    pub fn is_empty(&self) -> bool {
        [&self.added, &self.removed, &self.changed, &self.enabled, &self.disabled]
            .iter()
            .all(|units| units.is_empty())
    }
}

/// The difference between two systems of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SystemDiff {
    /// Whose.
    pub host: HostName,
    /// The first system.
    pub from: ComparedSystem,
    /// The second system.
    pub to: ComparedSystem,
    /// Packages and size.
    pub closure: ClosureDiff,
    /// Units.
    pub units: UnitDiff,
    /// Which of kernel, initrd, modules and kernel parameters differ: a reboot brings them in.
    pub reboot_parts: Vec<String>,
}
