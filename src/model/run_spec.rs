//! One run as it was asked for: flags, environment and file merged.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, Goal, HostName, HostSpec, LintSpec, Mode, Reboot, Resumed, Rollout, RunId};

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

/// What a run may do by itself when something usual goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverPolicy {
    /// Whether garbage is collected on this machine when it has no room to
    /// build. For hosts their own setting decides.
    pub gc: bool,
    /// How long a host that does not answer is waited for (`--wait-for-host`).
    pub wait_for_host: Option<Duration>,
}

/// A binary cache that builds fetch from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substituter {
    /// Its URL, as Nix takes it.
    pub url: String,
    /// The public keys that its paths are signed with, `NAME:BASE64`.
    pub keys: Vec<String>,
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
    /// Those that have to be well before any other one is changed: they and what
    /// they depend on. With a run that is taken up also those that are done.
    pub canaries: Vec<HostName>,
    /// It is an update: flake.lock is changed first, and put back when it fails.
    pub updates: bool,
    /// The interrupted run that is taken up.
    pub resumed: Option<Resumed>,
    /// The failed run whose hosts are taken back.
    pub takes_back: Option<RunId>,
    /// Hosts that are not deployed but may be built on.
    pub builders: Vec<HostSpec>,
    /// What it may do by itself when something goes wrong.
    pub recover: RecoverPolicy,
    /// Binary caches beside those that Nix knows.
    pub substituters: Vec<Substituter>,
    /// How the configuration is judged.
    pub lint: LintSpec,
    /// The state folder.
    pub state_dir: PathBuf,
    /// The folder of this run's journal and logs.
    pub run_dir: PathBuf,
    /// Who runs it: user and machine, for records and locks.
    pub actor: String,
}

impl RunSpec {
    /// How many hosts the run is about, with those that are done already where it
    /// takes another one up.
    pub fn total(&self) -> usize {
        self.hosts.len() + self.resumed.as_ref().map_or(0, |resumed| resumed.done.len())
    }

    /// Whether any host is watched before others begin: the last wave never is,
    /// but for hosts that take the place of canaries.
    pub fn soaks(&self) -> bool {
        let is_behind = |host: &HostSpec| !self.canaries.is_empty() && !self.canaries.contains(&host.name);
        !self.rollout.soak.is_zero() && (self.waves.len() > 1 || self.hosts.iter().any(is_behind))
    }

    /// Nobody waits for anybody: a way back is not tried out on a few hosts first.
    pub fn at_once(&mut self) {
        let Rollout { max_parallel, reboot_parallel, .. } = self.rollout;
        self.rollout = Rollout { max_parallel, reboot_parallel, ..Rollout::default() };
        self.canaries.clear();
        self.waves = vec![self.hosts.iter().map(|host| host.name.clone()).collect()];
        for host in &mut self.hosts {
            host.depends_on.clear();
        }
    }
}
