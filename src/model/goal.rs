//! What a run brings its hosts to: what the configuration describes, or a
//! system that they had before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{HostName, StorePath};

/// What a run brings its hosts to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// What the configuration describes: it is evaluated, built and copied.
    #[default]
    Configuration,
    /// A system that each host has already: nothing is evaluated, built or copied.
    Existing(Existing),
}

/// Which systems are gone back to, and what the record knows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Existing {
    /// What each host is to run; [`Wanted::Previous`] for one that is not named.
    pub wanted: BTreeMap<HostName, Wanted>,
    /// Systems that the record knows, by host.
    pub recorded: BTreeMap<HostName, Vec<RecordedSystem>>,
}

/// One of the systems on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// The one before that which runs or boots now.
    #[default]
    Previous,
    /// That of a generation of the system profile.
    Generation(u64),
    /// This one, if it is still there.
    System {
        /// Its toplevel.
        path: StorePath,
        /// Why this one, a fragment such as `what run X deployed`.
        said: String,
        /// Only where the host still runs or boots this one: otherwise somebody has
        /// changed it since, and it is left alone.
        #[serde(default)]
        instead_of: Option<StorePath>,
    },
}

/// A deploy as the record has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSystem {
    /// What was deployed.
    pub path: StorePath,
    /// What ran before.
    pub before: Option<StorePath>,
    /// The commit it was built from, when known.
    pub commit: Option<String>,
    /// When the deploy began.
    pub time: Timestamp,
    /// Who deployed it.
    pub actor: Option<String>,
    /// The run.
    pub run: Option<String>,
    /// Whether it was a deploy of a configuration, and no way back.
    pub is_deploy: bool,
}

/// The system of a host that a run goes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its toplevel.
    pub path: StorePath,
    /// Its generation, when it has one.
    pub generation: Option<u64>,
    /// When that generation was made.
    pub made: Option<Timestamp>,
    /// The commit it was built from, when the record knows it.
    pub commit: Option<String>,
    /// Which one it is, in words: `generation 41, the one before generation 42`.
    pub said: String,
}

impl Goal {
    /// The word for the command that has this goal, in events and records.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Configuration => "deploy",
            Self::Existing(_) => "rollback",
        }
    }

    /// Whether hosts get a system that is described, and not one they have.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Configuration)
    }
}

impl Existing {
    /// What a host is to run.
    pub fn of(&self, host: &HostName) -> Wanted {
        self.wanted.get(host).cloned().unwrap_or_default()
    }

    /// What the record has of a host, newest first.
    pub fn recorded_of(&self, host: &HostName) -> &[RecordedSystem] {
        self.recorded.get(host).map(Vec::as_slice).unwrap_or_default()
    }
}
