//! One run as it was asked for: flags, environment and file merged.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Action, HostName, HostSpec, LintSpec, Mode, Reboot, Rollout, RunId};

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

/// A whole run: which hosts, how, and where its records go.
#[derive(Clone, Debug, Serialize)]
pub struct RunSpec {
    /// Identifies the run everywhere.
    pub id: RunId,
    /// The flake reference as configured.
    pub flake: String,
    /// The folder of the flake when it is a local one.
    pub flake_dir: Option<PathBuf>,
    /// How careful.
    pub mode: Mode,
    /// What to do.
    pub action: Action,
    /// Which hosts are rebooted.
    pub reboot: Reboot,
    /// Who answers.
    pub questions: Questions,
    /// In which order, how many at a time, and when it stops.
    pub rollout: Rollout,
    /// The selected hosts.
    pub hosts: Vec<HostSpec>,
    /// Their waves, by the plan; empty when nobody waits for anybody.
    pub waves: Vec<Vec<HostName>>,
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
