//! What a run tried by itself when something usual went wrong: each attempt with
//! its reason and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryKind {
    /// Garbage was collected to make room.
    CollectGarbage,
    /// A lost connection was made anew.
    Reconnect,
    /// A host that did not answer was waited for (`--wait-for-host`).
    WaitForHost,
    /// A binary cache that does not answer was done without.
    LeaveOutCache,
    /// Fewer hosts were evaluated at once, because memory ran out.
    FewerHosts,
}

impl RecoveryKind {
    /// Its name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CollectGarbage => "collect-garbage",
            Self::Reconnect => "reconnect",
            Self::WaitForHost => "wait-for-host",
            Self::LeaveOutCache => "leave-out-cache",
            Self::FewerHosts => "fewer-hosts",
        }
    }
}

impl fmt::Display for RecoveryKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryOutcome {
    /// The way was free again.
    Helped,
    /// It was not: the failure stands.
    InVain,
    /// A person said no.
    Declined,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// What was tried.
    pub what: RecoveryKind,
    /// What went wrong.
    pub why: String,
    /// What came of it.
    pub outcome: RecoveryOutcome,
    /// The same in words and figures, for example `95.4 MiB were freed`.
    pub result: String,
}

impl Recovery {
    /// An attempt that helped.
    pub fn helped(what: RecoveryKind, why: impl Into<String>, result: impl Into<String>) -> Self {
        Self { what, why: why.into(), outcome: RecoveryOutcome::Helped, result: result.into() }
    }

    /// An attempt in vain.
    pub fn in_vain(what: RecoveryKind, why: impl Into<String>, result: impl Into<String>) -> Self {
        Self { outcome: RecoveryOutcome::InVain, ..Self::helped(what, why, result) }
    }

    /// An attempt that a person did not want.
    pub fn declined(what: RecoveryKind, why: impl Into<String>) -> Self {
        Self { outcome: RecoveryOutcome::Declined, ..Self::helped(what, why, "declined") }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.why, self.result)
    }
}
