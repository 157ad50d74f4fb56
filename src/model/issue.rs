//! Known issues of the package set, and what they mean for a host.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::HostName;

/// An issue as its tracker tells it. The title is foreign text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Its number in the repository.
    pub number: u64,
    /// Its title, control characters included: strip them before a screen.
    pub title: String,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// Whether it is open.
    pub open: bool,
    /// When anything of it last changed.
    pub updated_at: Option<Timestamp>,
    /// When it was closed as done; `None` when it is open, or was closed
    /// without a fix.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
}

/// How bad an issue is for a host, from the mildest to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueSeverity {
    /// It concerns a package that is there.
    Medium,
    /// A package that was installed by name crashes or does not build.
    High,
    /// Boot, data or remote access are at stake.
    Critical,
}

impl IssueSeverity {
    /// From the worst to the mildest.
    pub const ALL: [Self; 3] = [Self::Critical, Self::High, Self::Medium];

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Whether the versions that a title names hold the one that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionFit {
    /// The title names no version of the package, or ours is not known.
    Unknown,
    /// The title names the version.
    Affected,
    /// The title names other versions only: the issue is not about this host.
    NotAffected,
}

/// The versions of a package that a title does not name, where it says on which
/// side of those that it names they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnaffectedVersions {
    /// Every older one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<String>,
    /// This one and every newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// Every newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_than: Option<String>,
}

impl UnaffectedVersions {
    /// `a version older than 6.17`, `2.2.2 or newer`.
    pub fn words(&self) -> String {
        let sides = [
            self.older_than.as_ref().map(|version| format!("a version older than {version}")),
            self.at_least.as_ref().map(|version| format!("{version} or newer")),
            self.newer_than.as_ref().map(|version| format!("a version newer than {version}")),
        ];
        sides.into_iter().flatten().collect::<Vec<_>>().join(" or ")
    }
}

/// Which system a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueScope {
    /// What runs on the host now: it informs and never blocks.
    Running,
    /// What an update would bring.
    Update,
}

/// An issue that concerns a package of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueFinding {
    /// The issue's number.
    pub number: u64,
    /// Its title, without control characters.
    pub title: String,
    /// Where to read it.
    pub url: String,
    /// The package.
    pub package: String,
    /// The versions of the package that were looked at; may be empty.
    pub versions: Vec<String>,
    /// How bad.
    pub severity: IssueSeverity,
    /// Whether the title names these versions.
    pub version_fit: VersionFit,
    /// The versions that it does not name, where the title says which those are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unaffected: Option<UnaffectedVersions>,
    /// Why it is said to concern the package, one sentence.
    pub why: String,
    /// Which system it is about.
    pub scope: IssueScope,
    /// The reason that the settings give to ignore it.
    pub ignored: Option<String>,
}

impl IssueFinding {
    /// Whether it stands in the way of an update: only what is sure does.
    pub fn blocks(&self) -> bool {
        self.severity == IssueSeverity::Critical
            && self.version_fit == VersionFit::Affected
            && self.scope == IssueScope::Update
            && self.ignored.is_none()
    }
}

/// What a person is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueAdvice {
    /// Nothing is known to be broken.
    Clear,
    /// Something is known; a person decides.
    Caution,
    /// An update would bring something that is known to be broken.
    DoNotUpdate,
}

/// What the issue check of one host found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueReport {
    /// The host.
    pub host: HostName,
    /// How many packages were looked at.
    pub packages: usize,
    /// How many issues were compared with them.
    pub issues: usize,
    /// When the issues were last in step with the tracker; `None` when never.
    pub as_of: Option<Timestamp>,
    /// What concerns the host, the worst first; ignored ones included.
    pub findings: Vec<IssueFinding>,
    /// What to do.
    pub advice: IssueAdvice,
    /// How: an input to hold back, a version to stay at; may be empty.
    pub hints: Vec<String>,
    /// The input of the flake that is its package set, where there is one such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_set: Option<String>,
}

/// What an exception of the settings is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueMatch {
    /// One issue, `#123`.
    Issue(u64),
    /// Every issue of a package, `pkg:foo`.
    Package(String),
}

/// An exception: findings that do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueIgnore {
    /// What it is about.
    pub what: IssueMatch,
    /// Why, in the words of the settings; may be empty.
    pub reason: String,
    /// The last day it counts on.
    pub until: Option<Date>,
}

/// What happens when the issues cannot be brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnavailable {
    /// It is said, and nothing else.
    #[default]
    Warn,
    /// The check fails, and so does what waits for it.
    Block,
}

/// Where issues come from and which of them count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueSettings {
    /// `OWNER/NAME`.
    pub repository: String,
    /// The REST interface, without a slash at its end.
    pub api_url: String,
    /// What happens without an answer.
    pub on_unavailable: OnUnavailable,
    /// Exceptions.
    pub ignore: Vec<IssueIgnore>,
}

impl Default for IssueSettings {
    fn default() -> Self {
        Self {
            repository: "NixOS/nixpkgs".to_owned(),
            api_url: "https://api.github.com".to_owned(),
            on_unavailable: OnUnavailable::default(),
            ignore: Vec::new(),
        }
    }
}
