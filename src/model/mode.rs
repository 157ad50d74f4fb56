//! How careful a run is and what it does on the host.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much is checked around the deploy itself. Rollback is on in every mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every step.
    #[default]
    Standard,
    /// Of the checks syntax alone; without the looks at resources, network and logs afterwards.
    Fast,
    /// Only what a safe activation needs; no preview and no question.
    Emergency,
}

/// What is done with the new system, in the words of `switch-to-configuration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Activate now and make it the boot default.
    #[default]
    Switch,
    /// Make it the boot default; it runs after the next reboot.
    Boot,
    /// Activate now; the next reboot returns to the old system.
    Test,
    /// Only ask the host what would happen.
    DryActivate,
}

impl Action {
    /// Whether the running system changes.
    pub fn activates(self) -> bool {
        matches!(self, Self::Switch | Self::Test)
    }

    /// Whether the profile and the boot loader change.
    pub fn commits(self) -> bool {
        matches!(self, Self::Switch | Self::Boot)
    }

    /// The name as `switch-to-configuration` and `--action` spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Boot => "boot",
            Self::Test => "test",
            Self::DryActivate => "dry-activate",
        }
    }
}

impl Mode {
    /// The name as `--mode` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fast => "fast",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
