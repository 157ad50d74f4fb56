//! What the checks before an update come to, and what was decided.

use serde::{Deserialize, Serialize};

use super::HostName;

/// One of the checks that an update is judged by; they run beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateCheck {
    /// Issues of the package set that are known.
    Issues,
    /// What would change; the new systems are built.
    Preview,
    /// Syntax and anti-patterns of the configuration.
    Configuration,
    /// What the hosts are and run now.
    Hosts,
}

impl UpdateCheck {
    /// All of them, as they are shown.
    pub const ALL: [Self; 4] = [Self::Issues, Self::Preview, Self::Configuration, Self::Hosts];

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issues => "known issues",
            Self::Preview => "preview",
            Self::Configuration => "configuration",
            Self::Hosts => "hosts",
        }
    }
}

/// How much speaks against an update, from nothing to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiskLevel {
    /// Nothing was found.
    #[default]
    None,
    /// A person should have a look.
    Medium,
    /// Something is likely to break.
    High,
    /// It is known to break what cannot be taken back from afar.
    Critical,
}

impl RiskLevel {
    /// The word for people and for `--accept-risk`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Something that speaks against an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskReason {
    /// How much.
    pub level: RiskLevel,
    /// What found it.
    pub check: UpdateCheck,
    /// Which host it is about; `None` when it is about all.
    pub host: Option<HostName>,
    /// What, one sentence without control characters.
    pub what: String,
}

/// What the checks of an update come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskAssessment {
    /// The level of the worst reason.
    pub level: RiskLevel,
    /// What speaks against it, the worst first.
    pub reasons: Vec<RiskReason>,
    /// What is good to know and is no risk.
    pub notes: Vec<String>,
}

/// What was decided about an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is applied.
    Apply,
    /// It is not, because somebody did not want it or nobody could say.
    Decline,
    /// It must not be.
    Block,
}

impl Verdict {
    /// The word for records and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Decline => "decline",
            Self::Block => "block",
        }
    }
}

/// Who decided about an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// A person at the terminal.
    Person,
    /// A flag of the command line.
    Flag,
    /// This program, from what the checks found.
    Checks,
}

impl DecidedBy {
    /// The word for records and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Flag => "flag",
            Self::Checks => "checks",
        }
    }
}

/// A decision about an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateDecision {
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub by: DecidedBy,
    /// Who ran the program, `user@machine`.
    pub actor: String,
    /// Why, in a few words: the flag, the answer, what was found.
    pub reason: String,
}

/// What can be done about a package that stands in the way of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum UpdateOffer {
    /// An input is held back: the others alone bring nothing that blocks.
    HoldBack {
        /// The input.
        input: String,
        /// Inputs that can be updated; none when it is the only one.
        others: Vec<String>,
        /// What it brings that blocks.
        brings: String,
    },
    /// The package stays at its old revision.
    Pin {
        /// The package.
        package: String,
        /// The version that stays.
        version: String,
        /// An overlay of nixpkgs that does it.
        overlay: String,
    },
}

/// Where flake.lock stands in an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockFileState {
    /// It holds the new inputs, and what it was is in its backup.
    Updated,
    /// The update has ended well: the new inputs stay.
    Kept,
    /// It is what it was before.
    Restored,
    /// An earlier update that was cut off has been taken back.
    Recovered,
    /// Somebody else changed it: it is left as it is.
    LeftAlone,
}

impl LockFileState {
    /// The word for records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Kept => "kept",
            Self::Restored => "restored",
            Self::Recovered => "recovered",
            Self::LeftAlone => "left-alone",
        }
    }
}
