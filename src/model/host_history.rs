//! What a host ran when, from its generations and from the record.

use jiff::Timestamp;
use serde::Serialize;

use super::{HostName, StorePath};

/// One line of a host's history: a generation, or a deploy that left none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// Whose.
    pub host: HostName,
    /// The generation; `None` for a deploy that left none, or whose generation is gone.
    pub generation: Option<u64>,
    /// Whether it runs.
    pub runs: bool,
    /// Whether it boots.
    pub boots: bool,
    /// When the generation was made, or the deploy began.
    pub time: Option<Timestamp>,
    /// The toplevel.
    pub path: StorePath,
    /// The NixOS version, while the system is there.
    pub version: Option<String>,
    /// The version of its kernel, as the store path says it.
    pub kernel: Option<String>,
    /// The commit it was built from, when the record knows it.
    pub commit: Option<String>,
    /// Whether the source had changes that are in no commit, when the record knows it.
    pub dirty: Option<bool>,
    /// `deploy` or `rollback`, when it was this program.
    pub command: Option<String>,
    /// How the deploy ended, for example `SUCCESS`.
    pub outcome: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who deployed it.
    pub actor: Option<String>,
    /// The run.
    pub run: Option<String>,
}

/// The history of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostHistory {
    /// Whose.
    pub host: HostName,
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
    /// Why the host's generations or the record are missing.
    pub missing: Vec<String>,
}
