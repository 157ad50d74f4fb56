//! What is known of a host before it is touched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CpuTimes, Measured, ServiceMemory, StorePath};

/// How the login user can become root, as the host answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElevationFact {
    /// The login user is root.
    Root,
    /// `sudo` asks for nothing.
    Sudo,
    /// `sudo` is there and wants a password.
    SudoPassword,
    /// `doas` asks for nothing.
    Doas,
    /// `run0` asks for nothing.
    Run0,
    /// Nothing works.
    Impossible,
}

/// The health of one unit at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitHealth {
    /// `LoadState`: loaded, not-found, masked …
    pub load: String,
    /// `ActiveState`: active, inactive, failed, activating …
    pub active: String,
    /// `SubState`: running, exited, auto-restart …
    pub sub: String,
    /// `Result`: success, exit-code, timeout …
    pub result: String,
    /// `NRestarts`: automatic restarts since it was last started by hand.
    pub restarts: u32,
}

impl UnitHealth {
    /// Its restarts were counted: a mere listing of units says no results either.
    pub fn is_counted(&self) -> bool {
        !self.result.is_empty()
    }

    /// Its file cannot be read as a unit. What is masked or not there is meant to be so.
    pub fn is_unloadable(&self) -> bool {
        matches!(self.load.as_str(), "bad-setting" | "error")
    }

    /// Failed, or waiting to be started again after a failure.
    pub fn is_broken(&self) -> bool {
        self.active == "failed" || self.sub.starts_with("auto-restart")
    }
}

/// Units before the deploy, by name; what was broken already is not judged.
pub type Baseline = BTreeMap<String, UnitHealth>;

/// Who holds the host's deploy lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The run that holds it, when it is one of ours.
    pub run: Option<String>,
    /// Who and from where, in words.
    pub who: String,
    /// Since when, RFC 3339, when known.
    pub since: Option<String>,
}

/// A run whose supervisor or traces were found on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanRun {
    /// Its run id.
    pub run: String,
    /// The phase its supervisor wrote last.
    pub phase: String,
    /// Whether its unit is still alive.
    pub alive: bool,
    /// Whether its last word is so old that nobody can be about to read it.
    #[serde(default)]
    pub stale: bool,
    /// The machine, boot and process that started it.
    pub owner: String,
    /// The system it deploys.
    pub new: Option<StorePath>,
    /// The system it came from.
    pub old: Option<StorePath>,
    /// Who started it.
    pub actor: String,
}

/// A boot entry that an earlier run had tried once, and that it has not proven: the
/// firmware's default is still the entry of the system before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftTrial {
    /// The entry that the firmware's default was set to.
    pub entry: String,
    /// The system that was tried.
    pub new: Option<StorePath>,
    /// The run that did it.
    pub run: String,
    /// Machine, boot and process of its deployer.
    #[serde(default)]
    pub owner: String,
    /// How many seconds ago.
    #[serde(default)]
    pub age: Option<u64>,
}

/// What nix-deploy last confirmed on the host, as the host itself keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedRecord {
    /// The system that was confirmed.
    pub path: StorePath,
    /// The commit it was built from, when known and clean.
    pub commit: Option<String>,
    /// The run that did it.
    pub run: String,
    /// Who did it.
    pub actor: String,
}

/// The host before the deploy, from one round trip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The numeric id of the login user.
    pub uid: u32,
    /// The login user's name.
    pub user: String,
    /// How it becomes root.
    pub elevation: ElevationFact,
    /// `/run/current-system`, resolved.
    pub current_system: Option<StorePath>,
    /// `/run/booted-system`, resolved.
    pub booted_system: Option<StorePath>,
    /// The system profile, resolved.
    pub profile: Option<StorePath>,
    /// The number of the profile's generation.
    pub generation: Option<u64>,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// The kernel's id of this boot.
    pub boot_id: String,
    /// The kernel's host name.
    pub hostname: String,
    /// PID 1 is systemd.
    pub systemd: bool,
    /// `uname -m`.
    pub machine: String,
    /// The host's Nix, for example `2.26.3`; known where it comes from the store.
    pub nix_version: Option<String>,
    /// Whether the daemon trusts the login user to import unsigned paths.
    pub trusted: bool,
    /// Free bytes of /nix/store.
    pub store_free: Option<u64>,
    /// Free inodes of /nix/store; `None` where the file system has no limit.
    pub store_free_inodes: Option<u64>,
    /// Free bytes of /boot, when it is a file system of its own.
    pub boot_free: Option<u64>,
    /// Available memory in bytes.
    pub memory_available: Option<u64>,
    /// Load average over one minute.
    pub load: Option<f64>,
    /// Everything that was measured, also the values above.
    #[serde(default)]
    pub measured: Measured,
    /// Processor time since boot, to compare a later look with.
    #[serde(default)]
    pub cpu_times: Option<CpuTimes>,
    /// Services with a `MemoryMax`, where a deploy is to fail by them.
    #[serde(default)]
    pub service_memory: Vec<ServiceMemory>,
    /// The default route, for example `192.0.2.1 on eth0`.
    #[serde(default)]
    pub default_route: Option<String>,
    /// Seconds since boot.
    pub uptime: Option<u64>,
    /// Health of all services before the deploy.
    pub baseline: Baseline,
    /// What runs was activated by a run that neither proved it nor took it back: units
    /// that have failed since are not in the baseline.
    #[serde(default)]
    pub unproven: bool,
    /// A commit was cut off between profile and boot loader.
    #[serde(default)]
    pub commit_cut_off: bool,
    /// Who holds the deploy lock or the activation lock.
    pub lock: Option<LockHolder>,
    /// Traces of earlier runs.
    pub orphans: Vec<OrphanRun>,
    /// The boot entry that an earlier run has left on trial.
    #[serde(default)]
    pub boot_trial: Option<LeftTrial>,
    /// What nix-deploy last confirmed here.
    pub deployed: Option<DeployedRecord>,
}

impl HostFacts {
    /// Units that were broken before the deploy.
    pub fn broken_before(&self) -> Vec<&str> {
        self.baseline.iter().filter(|(_, health)| health.is_broken()).map(|(unit, _)| unit.as_str()).collect()
    }
}
