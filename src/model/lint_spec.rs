//! What settings say about rules, resolved and checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Severity;

/// Severities by rule id, where settings say so; `None` switches a rule off.
pub type Levels = BTreeMap<String, Option<Severity>>;

/// How a run judges the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LintSpec {
    /// Severities for every host; a host's own come after them.
    pub levels: Levels,
    /// Globs of files that are not judged, relative to the flake's folder.
    pub ignore: Vec<String>,
    /// The baseline file; it may not exist.
    pub baseline: Option<PathBuf>,
    /// Rules that do not count in this run (`--allow`).
    pub allow: Vec<String>,
}
