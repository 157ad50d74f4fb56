//! Compares all issues with all installed packages.
//!
//! Pure and fast: 6,000 titles against 1,250 packages take a few milliseconds,
//! because titles are looked up in the inventory and not the other way round.

use jiff::Timestamp;

use crate::model::{Issue, IssueSeverity, VersionFit};

use super::filter::{self, IssueKind};
use super::grade;
use super::inventory::{Inventory, PackageIndex};
use super::score::Judge;
use super::title::Title;
use super::words::Words;

/// An issue that is about an installed package.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// The index of the issue in the list that was compared.
    pub(crate) issue: usize,
    /// The package's name.
    pub(crate) package: String,
    /// The installed versions.
    pub(crate) versions: Vec<String>,
    /// How bad.
    pub(crate) severity: IssueSeverity,
    /// Whether the title names the installed versions.
    pub(crate) version_fit: VersionFit,
    /// The newest version of the package that the title does not name, as far
    /// as the title says it: what to stay below.
    pub(crate) named_versions: Option<String>,
    /// Why, one sentence.
    pub(crate) why: String,
}

/// Every pair of an issue and an installed package, in the order of the
/// issues. Pairs whose versions do not fit are among them and say so.
pub(crate) fn compare(issues: &[Issue], inventory: &Inventory, now: Timestamp) -> Vec<Found> {
    let titles: Vec<Title> = issues.iter().map(|issue| Title::parse(&issue.title)).collect();
    let words = Words::count(&titles);
    let judge = Judge { inventory, words: &words };
    let mut all = Vec::new();
    for (index, (issue, title)) in issues.iter().zip(&titles).enumerate() {
        if filter::kind(issue, title, now) != IssueKind::Defect {
            continue;
        }
        for found in judge.judge(title) {
            all.push(describe(index, title, inventory, found.package, &found));
        }
    }
    all
}

fn describe(
    issue: usize,
    title: &Title,
    inventory: &Inventory,
    package: PackageIndex,
    found: &super::score::Match,
) -> Found {
    let package = inventory.package(package);
    let version_fit = match &found.versions {
        Some(versions) => versions.fit(&package.versions),
        None => VersionFit::Unknown,
    };
    let named_versions = found.versions.as_ref().map(super::range::Versions::words);
    let why = match (&named_versions, version_fit) {
        (Some(versions), VersionFit::Affected) => format!("{}, and names {versions}, which this is", found.why),
        (Some(versions), VersionFit::NotAffected) => format!("{}, but names {versions}", found.why),
        _ => found.why.clone(),
    };
    Found {
        issue,
        package: package.name.clone(),
        versions: package.versions.clone(),
        severity: grade::grade(title, package, found, version_fit),
        version_fit,
        named_versions,
        why,
    }
}
