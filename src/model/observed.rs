//! What was measured of a host before and after a deploy, and what deserves a
//! look about it. Plain values: nothing here knows how they were asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something of a host that has a number. Its word is its name in the `resources`
/// table of the fleet database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Available memory in bytes (`MemAvailable` of `/proc/meminfo`).
    MemoryAvailable,
    /// All memory in bytes.
    MemoryTotal,
    /// Load average over one minute.
    Load,
    /// Busy time of all processors over a short sample, in percent.
    Cpu,
    /// Number of processors.
    Processors,
    /// Free bytes of /nix/store.
    StoreFree,
    /// All bytes of /nix/store's file system.
    StoreSize,
    /// Free inodes of /nix/store; absent where the file system has no limit.
    StoreInodesFree,
    /// All inodes of /nix/store's file system.
    StoreInodes,
    /// Free bytes of /boot, when it is a file system of its own.
    BootFree,
    /// All bytes of it.
    BootSize,
    /// Units that are active.
    UnitsActive,
    /// Units that have failed.
    UnitsFailed,
    /// Generations of the system profile.
    Generations,
}

impl Metric {
    /// Every metric, in the order of the report.
    pub const ALL: [Self; 14] = [
        Self::MemoryAvailable,
        Self::MemoryTotal,
        Self::Load,
        Self::Cpu,
        Self::Processors,
        Self::StoreFree,
        Self::StoreSize,
        Self::StoreInodesFree,
        Self::StoreInodes,
        Self::BootFree,
        Self::BootSize,
        Self::UnitsActive,
        Self::UnitsFailed,
        Self::Generations,
    ];

    /// Its name in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemoryAvailable => "memory_available",
            Self::MemoryTotal => "memory_total",
            Self::Load => "load",
            Self::Cpu => "cpu",
            Self::Processors => "processors",
            Self::StoreFree => "store_free",
            Self::StoreSize => "store_size",
            Self::StoreInodesFree => "store_inodes_free",
            Self::StoreInodes => "store_inodes",
            Self::BootFree => "boot_free",
            Self::BootSize => "boot_size",
            Self::UnitsActive => "units_active",
            Self::UnitsFailed => "units_failed",
            Self::Generations => "generations",
        }
    }

    /// The metric that this one is a part of, for shares.
    pub fn whole(self) -> Option<Self> {
        match self {
            Self::MemoryAvailable => Some(Self::MemoryTotal),
            Self::StoreFree => Some(Self::StoreSize),
            Self::StoreInodesFree => Some(Self::StoreInodes),
            Self::BootFree => Some(Self::BootSize),
            _ => None,
        }
    }
}

/// Metrics of one moment; what could not be asked is absent.
pub type Measured = BTreeMap<Metric, f64>;

/// The kernel's count of processor time since boot, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuTimes {
    /// Time that was not idle and not spent waiting for a disk.
    pub busy: u64,
    /// All time.
    pub total: u64,
}

impl CpuTimes {
    /// The busy share of the time from here to `later`, in percent; `None` when
    /// the time between is too short to say.
    pub fn busy_until(self, later: Self) -> Option<f64> {
        /// With fewer ticks one of them would make more than a percent.
        const FEWEST: u64 = 10;
        let total = later.total.checked_sub(self.total).filter(|total| *total >= FEWEST)?;
        let busy = later.busy.checked_sub(self.busy)?;
        Some((busy as f64 * 1000.0 / total as f64).round() / 10.0)
    }
}

/// A metric before and after the deploy, and as it usually is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// What.
    pub metric: Metric,
    /// Before the deploy.
    pub before: Option<f64>,
    /// After the activation.
    pub after: Option<f64>,
    /// The median after up to ten earlier deploys from here; `None` with fewer than three.
    pub usual: Option<f64>,
}

/// A service that may use only so much memory, and how much it uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceMemory {
    /// The unit.
    pub unit: String,
    /// Bytes in use that cannot be given back at once: without the file cache.
    pub used: u64,
    /// Its `MemoryMax` in bytes.
    pub max: u64,
    /// Bytes in use before the deploy; `None` where that was not asked.
    #[serde(default)]
    pub before: Option<u64>,
}

impl ServiceMemory {
    /// How much of it is used, in percent.
    pub fn percent(&self) -> f64 {
        self.percent_of(self.used)
    }

    /// What so many bytes are of all it may use, in percent.
    pub fn percent_of(&self, used: u64) -> f64 {
        if self.max == 0 { 100.0 } else { used as f64 * 100.0 / self.max as f64 }
    }
}

/// Journal lines at error level of one unit that say the same but for numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorGroup {
    /// The unit, or the program where there is no unit.
    pub unit: String,
    /// The first of the lines.
    pub message: String,
    /// How many since the activation began.
    pub count: u64,
    /// Whether lines like it were logged in the day before.
    pub before: bool,
}

/// An enabled service that does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleService {
    /// The unit.
    pub unit: String,
    /// Whether it did not run before the deploy either.
    pub before: bool,
}

/// What was seen of a host around a deploy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Metrics, in the order of [`Metric::ALL`].
    pub resources: Vec<Resource>,
    /// Services with a `MemoryMax`, the fullest first.
    pub service_memory: Vec<ServiceMemory>,
    /// Errors of the journal since the activation began, the most frequent first.
    pub errors: Vec<ErrorGroup>,
    /// All lines at error level since then, also those that no group counts.
    pub error_lines: u64,
    /// Enabled services that do not run.
    pub not_running: Vec<IdleService>,
    /// How long ago garbage was collected last, in seconds; `None` when that is not known.
    pub garbage_collected: Option<u64>,
    /// What kernel and initrd of the next generation take on /boot, in bytes.
    pub boot_needed: Option<u64>,
    /// The default route, for example `192.0.2.1 on eth0`.
    pub default_route: Option<String>,
}

impl Observed {
    /// A metric's values.
    pub fn resource(&self, metric: Metric) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.metric == metric)
    }

    /// A metric after the activation.
    pub fn after(&self, metric: Metric) -> Option<f64> {
        self.resource(metric)?.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_named_alike_in_the_database_and_in_json() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.as_str());
            assert_eq!(Metric::ALL.iter().position(|other| *other == metric), Some(index));
        }
        let measured = Measured::from([(Metric::Load, 0.5)]);
        assert_eq!(serde_json::to_string(&measured).unwrap(), r#"{"load":0.5}"#);
    }

    #[test]
    fn a_sample_that_is_too_short_or_of_another_boot_says_nothing() {
        let times = |busy, total| CpuTimes { busy, total };
        assert_eq!(times(100, 1000).busy_until(times(150, 1200)), Some(25.0));
        assert_eq!(times(100, 1000).busy_until(times(101, 1005)), None);
        assert_eq!(times(100, 1000).busy_until(times(5, 50)), None);
    }
}
