//! How a host stands right now, and what is not well about it.

use jiff::Timestamp;
use serde::Serialize;

use super::{HostName, StorePath};

/// How well a host is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing is wrong with it.
    Well,
    /// Something deserves a look: a pending reboot, little room.
    Notice,
    /// A unit has failed, or a disk is all but full.
    Degraded,
    /// It could not be asked.
    Unreachable,
}

impl Standing {
    /// The word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Notice => "notice",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
        }
    }
}

/// A reason why a host is not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// How bad.
    pub standing: Standing,
    /// What, for example `1 unit has failed: web.service`.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Room {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes there are.
    pub size: u64,
    /// Inodes that are free; `None` where there is no limit.
    pub free_inodes: Option<u64>,
}

/// A host as it answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostStatus {
    /// Its name.
    pub host: HostName,
    /// The worst of what there is to say.
    pub standing: Standing,
    /// Why it is not well, worst first.
    pub complaints: Vec<Complaint>,
    /// What it runs.
    pub system: Option<StorePath>,
    /// The NixOS version of that.
    pub version: Option<String>,
    /// The commit that it was built from, when it is known.
    pub commit: Option<String>,
    /// The run that brought it, when it is known.
    pub run: Option<String>,
    /// The generation that runs.
    pub generation: Option<u64>,
    /// When that generation was made.
    pub since: Option<Timestamp>,
    /// The generation that boots.
    pub boots_generation: Option<u64>,
    /// Units that have failed.
    pub failed_units: Vec<String>,
    /// Parts of the running system that only a reboot brings in.
    pub reboot_pending: Vec<String>,
    /// Room for the store.
    pub store: Option<Room>,
    /// Room on a /boot of its own.
    pub boot: Option<Room>,
    /// Available memory in bytes.
    pub memory_available: Option<u64>,
    /// Load average over one minute.
    pub load: Option<f64>,
    /// Seconds since boot.
    pub uptime: Option<u64>,
    /// Who is deploying it, in words.
    pub deployed_by: Option<String>,
    /// How long it took to answer, in milliseconds.
    pub answered_ms: u64,
}

impl HostStatus {
    /// A host of which nothing is known.
    pub fn of(host: HostName) -> Self {
        Self {
            host,
            standing: Standing::Well,
            complaints: Vec::new(),
            system: None,
            version: None,
            commit: None,
            run: None,
            generation: None,
            since: None,
            boots_generation: None,
            failed_units: Vec::new(),
            reboot_pending: Vec::new(),
            store: None,
            boot: None,
            memory_available: None,
            load: None,
            uptime: None,
            deployed_by: None,
            answered_ms: 0,
        }
    }

    /// Adds a reason why it is not well.
    pub fn complain(&mut self, standing: Standing, what: impl Into<String>, hint: Option<String>) {
        self.complaints.push(Complaint { standing, what: what.into(), hint });
        self.complaints.sort_by_key(|complaint| std::cmp::Reverse(complaint.standing));
        self.standing = self.standing.max(standing);
    }
}
