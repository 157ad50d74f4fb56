//! The steps of a run and the phases people speak of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The configuration and the host are judged.
    Validate,
    /// The system is evaluated, built and compared.
    Test,
    /// The host changes.
    Deploy,
    /// The changed host is looked at.
    Observe,
}

/// Names a step in events, records and screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Revision and changed files of the configuration.
    Git,
    /// State of the host before the deploy.
    HostFacts,
    /// Syntax of the configuration's changed files.
    Syntax,
    /// Anti-patterns in the configuration's changed files.
    Antipatterns,
    /// One evaluation for all hosts.
    Evaluate,
    /// What is to be done, from what the host runs and what it should run.
    Decide,
    /// One build for all hosts.
    Build,
    /// What the new system opens that the old one did not.
    Audit,
    /// Closure and file differences.
    Changes,
    /// The closure goes to the host.
    Copy,
    /// The host says what it would do.
    Preview,
    /// The supervisor activates the new system.
    Activate,
    /// A fresh login and elevation.
    Prove,
    /// Health of units and checks.
    Verify,
    /// Confirmation; profile and boot loader change.
    Commit,
    /// The truth on the host is read and the run's traces are removed.
    Settle,
    /// The host is rebooted into the new system and proven again.
    Reboot,
    /// Units after the deploy.
    Services,
    /// Memory, load and room after the deploy.
    Resources,
    /// Network properties after the deploy.
    Network,
    /// Errors that the new system logged.
    Logs,
    /// The host is watched before others begin.
    Soak,
}

impl StepId {
    /// Every step, in the order people read them.
    pub const ALL: [Self; 22] = [
        Self::Git,
        Self::HostFacts,
        Self::Syntax,
        Self::Antipatterns,
        Self::Evaluate,
        Self::Decide,
        Self::Build,
        Self::Audit,
        Self::Changes,
        Self::Copy,
        Self::Preview,
        Self::Activate,
        Self::Prove,
        Self::Verify,
        Self::Commit,
        Self::Settle,
        Self::Reboot,
        Self::Services,
        Self::Resources,
        Self::Network,
        Self::Logs,
        Self::Soak,
    ];

    /// The phase the step belongs to.
    pub fn phase(self) -> Phase {
        match self {
            Self::Git | Self::HostFacts | Self::Syntax | Self::Antipatterns => Phase::Validate,
            Self::Evaluate | Self::Decide | Self::Build | Self::Audit | Self::Changes => Phase::Test,
            Self::Copy
            | Self::Preview
            | Self::Activate
            | Self::Prove
            | Self::Verify
            | Self::Commit
            | Self::Settle
            | Self::Reboot => Phase::Deploy,
            Self::Services | Self::Resources | Self::Network | Self::Logs | Self::Soak => Phase::Observe,
        }
    }

    /// The name people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::HostFacts => "host facts",
            Self::Syntax => "syntax",
            Self::Antipatterns => "antipatterns",
            Self::Evaluate => "evaluate",
            Self::Decide => "decide",
            Self::Build => "build",
            Self::Audit => "audit",
            Self::Changes => "changes",
            Self::Copy => "copy",
            Self::Preview => "preview",
            Self::Activate => "activate",
            Self::Prove => "prove",
            Self::Verify => "verify",
            Self::Commit => "commit",
            Self::Settle => "settle",
            Self::Reboot => "reboot",
            Self::Services => "services",
            Self::Resources => "resources",
            Self::Network => "network",
            Self::Logs => "logs",
            Self::Soak => "soak",
        }
    }
}

impl Phase {
    /// Every phase in order.
    pub const ALL: [Self; 4] = [Self::Validate, Self::Test, Self::Deploy, Self::Observe];

    /// The name people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Test => "test",
            Self::Deploy => "deploy",
            Self::Observe => "observe",
        }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// It did what it should.
    Passed,
    /// It did, and something deserves a look.
    Warned,
    /// It failed; the host's run does not go on.
    Failed,
    /// There was nothing for it to do.
    Skipped,
    /// It was stopped because the run ended.
    Cancelled,
}
