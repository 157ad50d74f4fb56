//! What an update of flake inputs brings: inputs that move, packages, sizes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{HostName, PackageChange, StorePath};

/// One state of an input, as a lock file pins it. All text is foreign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRevision {
    /// The full commit hash, where the source has commits.
    pub revision: Option<String>,
    /// The hash of the content, `sha256-…`.
    pub hash: Option<String>,
    /// When the content was last changed (`lastModified`), where that is known.
    pub date: Option<Timestamp>,
    /// The flake reference without revision, hash and password.
    pub url: String,
}

/// An input that a lock file pins otherwise than another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputMove {
    /// The names that lead to it, for example `home-manager/nixpkgs`.
    pub input: String,
    /// How it was pinned; `None` when it is new.
    pub before: Option<InputRevision>,
    /// How it will be; `None` when it goes.
    pub after: Option<InputRevision>,
    /// The page that shows what lies between, where the forge has one.
    pub compare_url: Option<String>,
}

/// What a preview compares the new system with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewBase {
    /// What the host runs.
    Running,
    /// What the configuration gives with the lock file as it is: the host
    /// could not be asked.
    Configuration,
}

/// How sure a preview is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// The new system was built: packages and sizes are what they will be.
    Exact,
    /// Names and versions come from derivations; sizes are not known.
    Estimate,
}

/// What an update would add to the store of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageImpact {
    /// Closure size difference in bytes.
    pub size_difference: i64,
    /// Paths that the host lacks, at the most: older generations may have some.
    pub new_paths: usize,
    /// Their bytes. The old paths stay as long as old generations do.
    pub new_bytes: u64,
}

/// What has to be fetched and built here first, as `nix-store --dry-run` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildNeeds {
    /// Derivations to build.
    pub builds: u64,
    /// Paths to fetch from binary caches.
    pub fetches: u64,
    /// Bytes to download, compressed.
    pub download_bytes: u64,
    /// Their size in the store.
    pub unpacked_bytes: u64,
}

/// What an update would change on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPreview {
    /// Which host.
    pub host: HostName,
    /// What the new system is compared with.
    pub base: PreviewBase,
    /// Why the host could not be asked, when it could not.
    pub unreachable: Option<String>,
    /// How sure this is.
    pub precision: Precision,
    /// The old system, where it is known.
    pub old: Option<StorePath>,
    /// The new system; it may not be there yet.
    pub new: StorePath,
    /// Packages that change, by name.
    pub packages: Vec<PackageChange>,
    /// Packages rebuilt with the same version; `None` in an estimate.
    pub rebuilt: Option<usize>,
    /// Configuration files and units that change; `None` in an estimate.
    pub configuration_paths: Option<usize>,
    /// `None` in an estimate.
    pub storage: Option<StorageImpact>,
    /// What was to be fetched and built when the preview began; `None` when
    /// Nix did not say.
    pub needs: Option<BuildNeeds>,
    /// Whether a reboot is needed to run all of it; `None` when that cannot be told.
    pub reboot_needed: Option<bool>,
    /// Which of kernel, initrd, modules and parameters differ from those booted.
    pub reboot_reasons: Vec<String>,
    /// Attributes of the package set that there were none of before; `None`
    /// when they were not asked for or the configuration has no package set.
    pub new_packages: Option<Vec<String>>,
    /// What else deserves to be said.
    pub notes: Vec<String>,
}

impl HostPreview {
    /// Whether the update leaves the host as it is.
    pub fn is_unchanged(&self) -> bool {
        self.old.as_ref() == Some(&self.new)
    }
}

/// What an update would change: inputs and hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatePreview {
    /// Inputs that move, by name.
    pub inputs: Vec<InputMove>,
    /// The hosts that could be judged, in the order of the run.
    pub hosts: Vec<HostPreview>,
}
