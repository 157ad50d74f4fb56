//! What a check of the configuration found.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::HostName;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Information,
    /// Deserves a look; never blocks.
    Warning,
    /// Blocks a standard deploy.
    Critical,
}

impl Severity {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A range of a source file. Lines and columns count from 1; columns count
/// characters. The byte range is half open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the folder that was checked.
    pub file: PathBuf,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Suppression {
    /// A comment in the file.
    Comment {
        /// The reason it gives.
        reason: String,
    },
    /// The baseline file: it was there when checking was adopted.
    Baseline,
    /// `--allow` for one run.
    Flag {
        /// Who gave it, `user@machine`.
        actor: String,
    },
}

/// One finding of a rule. Secrets are masked before a finding is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id, for example `firewall-off`.
    pub rule: String,
    /// How much it matters here, settings applied.
    pub severity: Severity,
    /// Where in the source; `None` for what was seen on the built system.
    pub place: Option<Place>,
    /// What it is about: an option path or a unit; may be empty.
    pub subject: String,
    /// What is wrong, one sentence.
    pub message: String,
    /// How to mend it, one sentence; may be empty.
    pub mend: String,
    /// The line of the source the place starts in, secrets masked; may be empty.
    pub source_line: String,
    /// The host, for what was seen on a built system.
    pub host: Option<HostName>,
    /// Set when it does not count.
    pub suppressed: Option<Suppression>,
    /// The same for the same code in another line or after a reformat of other
    /// code: what the baseline file keeps.
    pub fingerprint: String,
}

impl Finding {
    /// Whether it blocks a standard deploy.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Critical && self.suppressed.is_none()
    }
}
