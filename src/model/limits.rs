//! Limits of `[resources]`: from when on a host's resources deserve a word, and
//! from when on a deploy is taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Metric;

/// What has limits. Its word is its key in hosts.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Available memory, at least.
    MemoryAvailable,
    /// Free room of /nix/store, at least.
    StoreFree,
    /// Free inodes of /nix/store, at least.
    StoreInodesFree,
    /// Free room of /boot, at least.
    BootFree,
    /// Load average over one minute, at most.
    Load,
    /// Busy time of all processors in percent, at most.
    Cpu,
    /// Memory of a service in percent of its `MemoryMax`, at most.
    ServiceMemory,
    /// New journal lines at error level since the activation, at most.
    JournalErrors,
    /// Enabled services that ran before and do not run now, at most.
    NotRunning,
    /// Time since garbage was collected last, at most, in seconds.
    GarbageAge,
    /// Generations of the system profile, at most.
    Generations,
}

impl Watched {
    /// Everything that has limits.
    pub const ALL: [Self; 11] = [
        Self::MemoryAvailable,
        Self::StoreFree,
        Self::StoreInodesFree,
        Self::BootFree,
        Self::Load,
        Self::Cpu,
        Self::ServiceMemory,
        Self::JournalErrors,
        Self::NotRunning,
        Self::GarbageAge,
        Self::Generations,
    ];

    /// Its key in hosts.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemoryAvailable => "memory_available",
            Self::StoreFree => "store_free",
            Self::StoreInodesFree => "store_inodes_free",
            Self::BootFree => "boot_free",
            Self::Load => "load",
            Self::Cpu => "cpu",
            Self::ServiceMemory => "service_memory",
            Self::JournalErrors => "journal_errors",
            Self::NotRunning => "not_running",
            Self::GarbageAge => "garbage_age",
            Self::Generations => "generations",
        }
    }

    /// The metric whose value is compared, where it is one.
    pub fn metric(self) -> Option<Metric> {
        match self {
            Self::MemoryAvailable => Some(Metric::MemoryAvailable),
            Self::StoreFree => Some(Metric::StoreFree),
            Self::StoreInodesFree => Some(Metric::StoreInodesFree),
            Self::BootFree => Some(Metric::BootFree),
            Self::Load => Some(Metric::Load),
            Self::Cpu => Some(Metric::Cpu),
            Self::Generations => Some(Metric::Generations),
            Self::ServiceMemory | Self::JournalErrors | Self::NotRunning | Self::GarbageAge => None,
        }
    }

    /// Whether too little is bad, and not too much.
    pub fn is_least(self) -> bool {
        matches!(self, Self::MemoryAvailable | Self::StoreFree | Self::StoreInodesFree | Self::BootFree)
    }

    /// Whether a deploy can be the cause, so that taking it back can help.
    pub fn may_fail(self) -> bool {
        !matches!(self, Self::GarbageAge | Self::Generations)
    }
}

/// A limit's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// In thousandths of the unit of what is compared: bytes, percent, seconds or a number.
    Thousandths(u64),
    /// A share of the whole, in thousandths.
    Share(u16),
}

impl Bound {
    /// The bound in the unit of what is compared; `None` for a share of what is not known.
    pub fn of(self, whole: Option<f64>) -> Option<f64> {
        match self {
            Self::Thousandths(value) => Some(value as f64 / 1000.0),
            Self::Share(share) => Some(whole? * f64::from(share) / 1000.0),
        }
    }
}

/// From when on something deserves a word, and from when on a deploy is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// A warning beyond it.
    pub warn: Option<Bound>,
    /// A failure beyond it, judged before the deploy is committed.
    pub fail: Option<Bound>,
}

/// The limits of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits(pub BTreeMap<Watched, Limit>);

impl Default for Limits {
    fn default() -> Self {
        let warn = |bound| Limit { warn: Some(bound), fail: None };
        Self(BTreeMap::from([
            (Watched::MemoryAvailable, warn(Bound::Share(50))),
            (Watched::StoreFree, warn(Bound::Thousandths(1000 << 30))),
            (Watched::StoreInodesFree, warn(Bound::Share(20))),
            (Watched::ServiceMemory, warn(Bound::Thousandths(80_000))),
            (Watched::JournalErrors, warn(Bound::Thousandths(0))),
            (Watched::NotRunning, warn(Bound::Thousandths(0))),
        ]))
    }
}

impl Limits {
    /// Whether any of them can take a deploy back.
    pub fn can_fail(&self) -> bool {
        self.0.values().any(|limit| limit.fail.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_has_limits_is_listed_once_under_its_key() {
        for (index, watched) in Watched::ALL.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(watched).unwrap(), watched.as_str());
            assert_eq!(Watched::ALL.iter().position(|other| *other == watched), Some(index));
        }
        assert!(!Limits::default().can_fail());
    }

    #[test]
    fn a_share_is_one_of_the_whole() {
        assert_eq!(Bound::Share(50).of(Some(200.0)), Some(10.0));
        assert_eq!(Bound::Share(50).of(None), None);
        assert_eq!(Bound::Thousandths(1500).of(None), Some(1.5));
    }
}
