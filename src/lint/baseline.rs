//! The baseline file: findings that were there when checking was adopted.
//!
//! JSON, one finding on a line: version 1 is
//! `{"version":1,"findings":[{"fingerprint":…,"rule":…,"file":…,"count":…},…]}`.
//! Only `fingerprint` and `count` matter; the rest is for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Finding, Suppression};

/// A baseline file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON of the expected shape.
    #[error("cannot read the baseline")]
    Shape(#[from] serde_json::Error),
    /// A newer program wrote it.
    #[error("the baseline has version {0}, this program reads version {VERSION}")]
    Version(u32),
}

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    rule: String,
    file: String,
    count: usize,
}

/// Findings by fingerprint, each with how often it may occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<String, Entry>,
}

impl Baseline {
    /// What keeps these findings quiet: all that are not suppressed otherwise.
    pub fn of(findings: &[Finding]) -> Self {
        let mut entries = BTreeMap::new();
        let open = |finding: &&Finding| matches!(finding.suppressed, None | Some(Suppression::Baseline));
        for finding in findings.iter().filter(open) {
            let file = finding.place.as_ref().map(|place| place.file.to_string_lossy().into_owned());
            let file = file.or_else(|| finding.host.as_ref().map(ToString::to_string)).unwrap_or_default();
            let new = || Entry {
                fingerprint: finding.fingerprint.clone(),
                rule: finding.rule.clone(),
                file,
                count: 0,
            };
            entries.entry(finding.fingerprint.clone()).or_insert_with(new).count += 1;
        }
        Self { entries }
    }

    /// How many findings it knows.
    pub fn len(&self) -> usize {
        self.entries.values().map(|entry| entry.count).sum()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads a baseline file.
    ///
    /// # Errors
    /// When it has another shape or a newer version.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        // A newer shape shall be told as such, not as an unknown field.
        let Version { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(BaselineError::Version(version));
        }
        let page: Page = serde_json::from_str(text)?;
        Ok(Self {
            entries: page.findings.into_iter().map(|entry| (entry.fingerprint.clone(), entry)).collect(),
        })
    }

    /// The text of a baseline file: one line for each finding, sorted, so that
    /// a difference of two versions can be read.
    pub fn to_text(&self) -> String {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| (&entry.file, &entry.rule, &entry.fingerprint));
        let lines = entries.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default());
        let lines = lines.collect::<Vec<_>>().join(",\n");
        let gap = if lines.is_empty() { "" } else { "\n" };
        format!("{{\"version\":{VERSION},\"findings\":[{gap}{lines}{gap}]}}\n")
    }

    /// Marks the findings it knows as suppressed, each as often as it was
    /// there. Gives how many of its own are gone by now.
    pub fn apply(&self, findings: &mut [Finding]) -> usize {
        let mut left: BTreeMap<&str, usize> =
            self.entries.iter().map(|(fingerprint, entry)| (fingerprint.as_str(), entry.count)).collect();
        for finding in findings.iter_mut().filter(|finding| finding.suppressed.is_none()) {
            if let Some(count) = left.get_mut(finding.fingerprint.as_str()).filter(|count| **count > 0) {
                *count -= 1;
                finding.suppressed = Some(Suppression::Baseline);
            }
        }
        left.values().sum()
    }
}
