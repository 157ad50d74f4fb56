//! How one host's run ended, with everything the end report shows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::text::duration;
use super::{
    Changes, Failure, FailureClass, Observed, Recovery, Replaced, StepId, StepOutcome, StorePath, Truth,
    UnitPlan,
};

/// How one host's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostOutcome {
    /// The host already runs and boots this system.
    Unchanged,
    /// The new system runs and is proven.
    Deployed,
    /// The same, and something deserves a look.
    DeployedWithWarnings,
    /// The new system is the boot default; a reboot enters it.
    RebootRequired,
    /// Only asked what would happen (`dry-activate`).
    Previewed,
    /// The deploy failed; the old system runs again and is well.
    RolledBack,
    /// The deploy failed and the old system could not be brought back.
    RollbackFailed,
    /// Nobody knows: the host could not be asked.
    Unknown,
    /// It ended before the host was changed, or the change was kept although
    /// the host is not well (`rollback.auto = false`); the failure says which.
    Failed,
    /// It was not started.
    Skipped,
}

impl HostOutcome {
    /// Whether the person got what they asked for.
    pub fn is_success(self) -> bool {
        matches!(
            self,
            Self::Unchanged
                | Self::Deployed
                | Self::DeployedWithWarnings
                | Self::RebootRequired
                | Self::Previewed
        )
    }

    /// The word in the report's first line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "UNCHANGED",
            Self::Deployed => "SUCCESS",
            Self::DeployedWithWarnings => "SUCCESS WITH WARNINGS",
            Self::RebootRequired => "REBOOT REQUIRED",
            Self::Previewed => "PREVIEW",
            Self::RolledBack => "ROLLED BACK",
            Self::RollbackFailed => "ROLLBACK FAILED",
            Self::Unknown => "UNKNOWN",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// One finished step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Which step.
    pub step: StepId,
    /// How it ended.
    pub outcome: StepOutcome,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// A few words for the report, for example `14 paths, 22 MiB`; may be empty.
    pub summary: String,
}

/// What became of a unit in this deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceChange {
    /// The unit.
    pub unit: String,
    /// restarted, reloaded, started, stopped, left alone, failed; unchanged for a critical
    /// service that the switch had nothing to do with.
    pub what: String,
    /// How long its start took, in milliseconds, when the host said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
}

impl ServiceChange {
    /// The service that the switch did not touch.
    pub const UNCHANGED: &'static str = "unchanged";

    /// What became of it, in words: `restarted (0.8 s)`.
    pub fn in_words(&self) -> String {
        // Less would read as no time at all.
        match self.start_ms.filter(|took| *took >= 50) {
            Some(took) => format!("{} ({})", self.what, duration(Duration::from_millis(took))),
            None => self.what.clone(),
        }
    }
}

/// The end report of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// How it ended.
    pub outcome: HostOutcome,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The system that ran before.
    pub old: Option<StorePath>,
    /// The system that was to be deployed.
    pub new: Option<StorePath>,
    /// The profile's generation before.
    pub generation_before: Option<u64>,
    /// Whether the host ran another system than that generation before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ran_another: bool,
    /// The profile's generation after, as read from the host.
    pub generation_after: Option<u64>,
    /// What changed.
    pub changes: Option<Changes>,
    /// What the host said it would do.
    pub unit_plan: Option<UnitPlan>,
    /// What became of units.
    pub services: Vec<ServiceChange>,
    /// The steps in the order they ended.
    pub steps: Vec<StepRecord>,
    /// What was tried by itself when something went wrong, in order.
    #[serde(default)]
    pub recoveries: Vec<Recovery>,
    /// What deserves a look.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What is on the host now.
    pub truth: Option<Truth>,
    /// What was measured before and after; `None` where nothing was looked at.
    #[serde(default)]
    pub observed: Option<Observed>,
}

impl HostReport {
    /// What the host was given and what it ran before, when it was changed or may
    /// have been, and is not back.
    pub fn replaced(&self) -> Option<Replaced> {
        let (old, new) = self.old.clone().zip(self.new.clone()).filter(|(old, new)| old != new)?;
        let is_new = |path: &Option<StorePath>| path.as_ref() == Some(&new);
        let keeps =
            self.truth.as_ref().is_some_and(|truth| is_new(&truth.current_system) || is_new(&truth.profile));
        (keeps || self.outcome == HostOutcome::Unknown).then_some(Replaced { old, new })
    }

    /// Whether the host never answered in this run.
    pub fn is_unreached(&self) -> bool {
        let unreached = self.failure.as_ref().is_some_and(|failure| failure.unreached);
        unreached && self.outcome == HostOutcome::Failed && self.old.is_none() && self.truth.is_none()
    }

    /// The word that people read: a host that nobody reached has not failed, nor has one
    /// where a person said no.
    pub fn word(&self) -> &'static str {
        let class = self.failure.as_ref().map(|failure| failure.class);
        match (self.outcome, class) {
            (HostOutcome::Failed, _) if self.is_unreached() => "UNREACHABLE",
            (HostOutcome::Failed, Some(FailureClass::Declined)) => "DECLINED",
            (HostOutcome::Failed, Some(FailureClass::Interrupted)) => "INTERRUPTED",
            (outcome, _) => outcome.as_str(),
        }
    }

    /// The class that decides the exit code; `None` on success.
    pub fn failure_class(&self) -> Option<FailureClass> {
        if self.outcome.is_success() {
            return None;
        }
        Some(match self.outcome {
            HostOutcome::RolledBack => FailureClass::RolledBack,
            HostOutcome::RollbackFailed | HostOutcome::Unknown => FailureClass::HostNotWell,
            _ => self.failure.as_ref().map_or(FailureClass::Unexpected, |failure| failure.class),
        })
    }
}
