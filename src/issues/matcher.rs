//! Compares all issues with all installed packages.
//!
//! Pure and fast: 6,000 titles against 1,250 packages take some ten
//! milliseconds, because titles are looked up in the inventory and not the other
//! way round, and because they are independent: processors share them.

use std::thread::{ScopedJoinHandle, available_parallelism};

use jiff::Timestamp;

use crate::model::{Issue, IssueSeverity, VersionFit};

use super::filter::{self, IssueKind};
use super::grade;
use super::inventory::{Inventory, PackageIndex};
use super::range::Versions;
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
    /// The versions of the package that the title names.
    pub(super) named: Option<Versions>,
    /// Why, one sentence.
    pub(crate) why: String,
}

/// Every pair of an issue and an installed package, in the order of the
/// issues. Pairs whose versions do not fit are among them and say so.
pub(crate) fn compare(issues: &[Issue], inventory: &Inventory, now: Timestamp) -> Vec<Found> {
    let titles = in_parts(issues, |_, issues| issues.iter().map(|issue| Title::parse(&issue.title)).collect());
    let words = Words::count(&titles);
    let judge = Judge { inventory, words: &words };
    in_parts(&titles, |begun, titles| {
        let mut all = Vec::new();
        for (index, title) in (begun..).zip(titles) {
            if filter::kind(&issues[index], title, now) != IssueKind::Defect {
                continue;
            }
            for found in judge.judge(title) {
                all.push(describe(index, title, inventory, found.package, &found));
            }
        }
        all
    })
}

/// Fewer are not worth a thread.
const WORTH_THREADS: usize = 500;
/// More threads are not worth their start.
const MOST_THREADS: usize = 4;

/// Works on parts of a list at the same time, each with the index of its first
/// item, and gives the results in the order of the list.
fn in_parts<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &[T]) -> Vec<R> + Sync) -> Vec<R> {
    let threads = available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    if threads == 1 || items.len() < WORTH_THREADS {
        return work(0, items);
    }
    let size = items.len().div_ceil(threads);
    let work = &work;
    let parts = std::thread::scope(|scope| {
        let parts = items.chunks(size).enumerate();
        let running: Vec<_> =
            parts.map(|(index, part)| scope.spawn(move || work(index * size, part))).collect();
        running.into_iter().map(ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    // A part that panics does so here, as it would have without threads.
    parts.into_iter().flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
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
    let named_versions = found.versions.as_ref().map(Versions::words);
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
        named: found.versions.clone(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_list_give_what_the_list_gives_in_its_order() {
        for count in [0, 1, WORTH_THREADS - 1, WORTH_THREADS, WORTH_THREADS + 1, 4 * WORTH_THREADS + 3] {
            let items: Vec<usize> = (0..count).collect();
            let found = in_parts(&items, |begun, part| {
                let of_part = (begun..).zip(part).filter(|(index, _)| index % 3 != 1);
                of_part.map(|(index, item)| (index, *item)).collect()
            });
            let expected: Vec<_> =
                (0..count).filter(|index| index % 3 != 1).map(|index| (index, index)).collect();
            assert_eq!(found, expected, "{count}");
        }
    }
}
