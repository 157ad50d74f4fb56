//! What a run takes over from an interrupted one that it takes up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HostName, HostSpec, RunId, SourceState, StorePath};

/// A system as an earlier run evaluated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The derivation.
    pub drv_path: StorePath,
    /// The toplevel it builds.
    pub out_path: StorePath,
    /// What the host ran when that run looked.
    pub seen: Option<StorePath>,
}

/// A host that was done before: it is not touched again, unless the fleet is
/// taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneHost {
    /// Which one.
    pub name: HostName,
    /// As hosts.toml describes it now; `None` when it is not in it any more.
    pub host: Option<HostSpec>,
    /// Whether it was changed, and not found as it was to be.
    pub is_changed: bool,
    /// What it was given, and what it ran before; `None` when it was not changed.
    pub systems: Option<Replaced>,
}

/// The system that a host was given, and the one it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// What it ran before.
    pub old: StorePath,
    /// What it was given.
    pub new: StorePath,
}

/// A host that had committed its new system when its run was cut off, or may have
/// done so: nobody has seen it through its reboot, or watched it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// What it ran before that; `None` when that is not known.
    pub old: Option<StorePath>,
    /// The boot in which it did.
    pub boot_id: String,
    /// Whether only a reboot makes it run the new system wholly, as that run had found.
    pub reboot_needed: bool,
}

/// An interrupted run that is taken up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Which one.
    pub run: RunId,
    /// What it evaluated, by host: that is deployed, whatever the configuration says now.
    pub systems: BTreeMap<HostName, Pinned>,
    /// Its hosts that are done, also those of runs that it had taken up itself.
    pub done: Vec<DoneHost>,
    /// Hosts that it had changed and not brought to their end; where the host runs and
    /// boots the new system that is so, otherwise it has gone back.
    pub committed: BTreeMap<HostName, Committed>,
    /// The state of the configuration's repository at that time, when it is
    /// another one now: what lies in the folder is then not what is deployed.
    pub source: Option<SourceState>,
    /// What deserves to be known about it.
    pub notes: Vec<String>,
}
