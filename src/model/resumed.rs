//! What a run takes over from an interrupted one that it takes up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HostName, RunId, SourceState, StorePath};

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

/// An interrupted run that is taken up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Which one.
    pub run: RunId,
    /// What it evaluated, by host: that is deployed, whatever the configuration says now.
    pub systems: BTreeMap<HostName, Pinned>,
    /// The state of the configuration's repository at that time, when it is
    /// another one now: what lies in the folder is then not what is deployed.
    pub source: Option<SourceState>,
    /// What deserves to be known about it.
    pub notes: Vec<String>,
}
