//! What a deploy would change: sources, packages, size, kernel.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The configuration's repository at the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// The full commit hash; `None` outside a repository.
    pub commit: Option<String>,
    /// Whether tracked files differ from the commit.
    pub dirty: bool,
    /// The branch, when there is one.
    pub branch: Option<String>,
    /// Files git does not track and does not ignore: Nix does not see them.
    pub untracked: Vec<String>,
    /// The URL of the remote `origin`, without credentials, when there is one.
    #[serde(default)]
    pub remote: Option<String>,
    /// When the commit was made.
    #[serde(default)]
    pub commit_time: Option<Timestamp>,
}

/// What happened to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its version rose.
    Upgraded,
    /// Its version fell.
    Downgraded,
    /// Its set of versions changed in no clear direction.
    Changed,
}

/// One package of the closure diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// The package's name without version.
    pub name: String,
    /// What happened.
    pub kind: PackageChangeKind,
    /// Versions before, in version order; empty when added.
    pub before: Vec<String>,
    /// Versions after, in version order; empty when removed.
    pub after: Vec<String>,
    /// Difference of the sizes of its paths in bytes.
    pub size_difference: i64,
    /// Whether it is installed by name rather than pulled in by another.
    #[serde(default)]
    pub selected: bool,
}

/// A package of a closure, all its outputs folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledPackage {
    /// The package's name without version.
    pub name: String,
    /// Its versions, in version order; empty where none is known.
    pub versions: Vec<String>,
    /// Whether it is installed by name rather than pulled in by another.
    pub selected: bool,
}

/// The difference between two closures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosureDiff {
    /// Packages that changed, by name.
    pub packages: Vec<PackageChange>,
    /// Packages rebuilt with the same version.
    pub rebuilt: usize,
    /// Configuration files and units that changed; counted, not listed.
    pub configuration_paths: usize,
    /// Closure size difference in bytes.
    pub size_difference: i64,
    /// Paths the host lacks.
    pub new_paths: usize,
    /// Bytes the host must gain; old generations keep the old paths.
    pub new_bytes: u64,
}

/// Everything a deploy would change on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Files changed since the deployed commit; `None` when it is not known.
    pub files: Option<Vec<String>>,
    /// The deployed commit, when known.
    pub deployed_commit: Option<String>,
    /// The closure diff; `None` when the old closure could not be read.
    pub closure: Option<ClosureDiff>,
    /// Whether kernel, initrd, modules or kernel parameters differ from those booted.
    pub reboot_needed: bool,
    /// Which of them differ.
    pub reboot_reasons: Vec<String>,
}
