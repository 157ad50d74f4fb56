//! The state of an activation on the host, as its supervisor writes it.

use serde::{Deserialize, Serialize};

use super::StorePath;

/// What `switch-to-configuration dry-activate` says it would do, and what it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPlan {
    /// Units that stop.
    pub stop: Vec<String>,
    /// Changed units that are left alone.
    pub not_stopped: Vec<String>,
    /// Units that restart.
    pub restart: Vec<String>,
    /// Units that reload.
    pub reload: Vec<String>,
    /// Units that start.
    pub start: Vec<String>,
    /// Units that start because active targets want them from now on. The dry run does not
    /// name these: the targets start them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<String>,
}

impl UnitPlan {
    /// Units that are started, restarted or reloaded.
    pub fn touched(&self) -> Vec<String> {
        self.restart.iter().chain(&self.reload).chain(&self.start).chain(&self.new).cloned().collect()
    }

    /// What was to become of each unit, as a report says it of a change that nobody could look at.
    pub fn intentions(&self) -> Vec<(&str, &'static str)> {
        // Stopped with the old definition and started with the new one.
        let (again, stop): (Vec<_>, Vec<_>) = self.stop.iter().partition(|unit| self.start.contains(unit));
        let start = self.start.iter().filter(|unit| !self.stop.contains(unit)).chain(&self.new);
        let restart = again.into_iter().chain(&self.restart).map(|unit| (unit, "was to restart"));
        let reload = self.reload.iter().map(|unit| (unit, "was to reload"));
        let all = stop.into_iter().map(|unit| (unit, "was to stop")).chain(restart).chain(reload);
        all.chain(start.map(|unit| (unit, "was to start"))).map(|(unit, what)| (unit.as_str(), what)).collect()
    }

    /// Whether no unit is touched.
    pub fn is_empty(&self) -> bool {
        self.stop.is_empty()
            && self.not_stopped.is_empty()
            && self.restart.is_empty()
            && self.reload.is_empty()
            && self.start.is_empty()
            && self.new.is_empty()
    }
}

/// Where the supervisor is. The names are those of its state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationPhase {
    /// Started; takes the lock.
    Starting,
    /// Waits for another activation to end.
    Waiting,
    /// `switch-to-configuration` runs.
    Activating,
    /// The new system runs; the host waits for the confirmation.
    Activated,
    /// Profile and boot loader are being changed.
    Committing,
    /// Final: the new system is confirmed and boots by default.
    Committed,
    /// Final: confirmed, runs until the next reboot (action `test`).
    Kept,
    /// Final: the boot default changed, the running system did not.
    BootOnly,
    /// The old system is being activated again.
    RollingBack,
    /// Final: the old system runs again.
    RolledBack,
    /// Final: the old system could not be activated again.
    RollbackFailed,
    /// Final: nothing was changed (check failed, lock held, host moved on).
    Refused,
}

impl ActivationPhase {
    /// Whether the supervisor has ended in this phase.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Committed
                | Self::Kept
                | Self::BootOnly
                | Self::RolledBack
                | Self::RollbackFailed
                | Self::Refused
        )
    }
}

/// The supervisor's state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationState {
    /// Where it is.
    pub phase: ActivationPhase,
    /// The exit code of `switch-to-configuration`, once it ended.
    pub exit_code: Option<i32>,
    /// Why it went there, in words.
    pub reason: String,
    /// Milliseconds the activation took.
    pub activation_ms: Option<u64>,
}

/// What really is on the host after everything, read over a fresh connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// `/run/current-system`, resolved.
    pub current_system: Option<StorePath>,
    /// The system profile, resolved.
    pub profile: Option<StorePath>,
    /// The number of the profile's generation.
    pub generation: Option<u64>,
    /// The supervisor's state, when its folder is still there.
    pub state: Option<ActivationState>,
    /// Whether the supervisor's unit is still alive.
    pub supervisor_alive: bool,
    /// The kernel's id of this boot.
    pub boot_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_to_become_of_a_unit_is_said_once() {
        let units = |units: &[&str]| units.iter().map(|&unit| unit.to_owned()).collect();
        let plan = UnitPlan {
            stop: units(&["a", "b"]),
            not_stopped: units(&["c"]),
            restart: units(&["d"]),
            reload: units(&["e"]),
            start: units(&["b", "f"]),
            new: units(&["g"]),
        };
        let expected = [
            ("a", "was to stop"),
            ("b", "was to restart"),
            ("d", "was to restart"),
            ("e", "was to reload"),
            ("f", "was to start"),
            ("g", "was to start"),
        ];
        assert_eq!(plan.intentions(), expected);
    }
}
