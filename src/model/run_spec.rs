//! One run as it was asked for: flags, environment and file merged.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Action, Goal, HostSpec, LintSpec, Mode, RunId};

/// Who answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Questions {
    /// A person at a terminal is asked.
    Ask,
    /// Every question is taken as answered with yes (`--yes`).
    AssumeYes,
    /// Nobody can answer: what has a safe default takes it, the rest fails.
    NonInteractive,
}

/// In which order hosts are deployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// All at once, up to the limit.
    #[default]
    Parallel,
    /// One after the other.
    Rolling,
    /// One first, then the others.
    Canary,
}

/// How a run spreads over its hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// In which order.
    pub strategy: Strategy,
    /// How many hosts at a time.
    pub max_parallel: usize,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { strategy: Strategy::Parallel, max_parallel: 8 }
    }
}

/// A whole run: which hosts, how, and where its records go.
#[derive(Clone, Debug, Serialize)]
pub struct RunSpec {
    /// Identifies the run everywhere.
    pub id: RunId,
    /// What hosts are brought to.
    pub goal: Goal,
    /// The issue of the configuration's repository that it is for.
    pub issue: Option<u64>,
    /// The flake reference as configured.
    pub flake: String,
    /// The folder of the flake when it is a local one.
    pub flake_dir: Option<PathBuf>,
    /// How careful.
    pub mode: Mode,
    /// What to do.
    pub action: Action,
    /// Reboot hosts that need it to run the new system wholly.
    pub reboot: bool,
    /// Who answers.
    pub questions: Questions,
    /// How many hosts at a time.
    pub rollout: Rollout,
    /// The selected hosts.
    pub hosts: Vec<HostSpec>,
    /// Hosts that are not deployed but may be built on.
    pub builders: Vec<HostSpec>,
    /// How the configuration is judged.
    pub lint: LintSpec,
    /// The state folder.
    pub state_dir: PathBuf,
    /// The folder of this run's journal and logs.
    pub run_dir: PathBuf,
    /// Who runs it: user and machine, for records and locks.
    pub actor: String,
}
