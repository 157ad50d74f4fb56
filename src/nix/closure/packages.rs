//! The packages of a closure: its paths grouped by name, outputs folded,
//! configuration set apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::package_name::{Kind, kind, without_output};
use crate::model::{InstalledPackage, StorePath, compare_versions};

use super::Closure;

/// The paths that are installed by name, with the name and version that the
/// evaluation gave them, where it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    paths: BTreeMap<StorePath, Option<(String, String)>>,
}

impl Selection {
    /// Adds a path with its `pname` and `version`.
    #[cfg_attr(not(test), expect(dead_code, reason = "the preview of an update evaluates names"))]
    pub(crate) fn name(&mut self, path: StorePath, name: impl Into<String>, version: impl Into<String>) {
        self.paths.insert(path, Some((name.into(), version.into())));
    }
}

impl Selection {
    /// Both together; what the other one names wins.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        self
    }
}

impl FromIterator<StorePath> for Selection {
    fn from_iter<I: IntoIterator<Item = StorePath>>(paths: I) -> Self {
        Self { paths: paths.into_iter().map(|path| (path, None)).collect() }
    }
}

/// All paths of one package in one closure.
#[derive(Default)]
pub(super) struct Package<'a> {
    /// As the paths say them, outputs not yet folded.
    raw_versions: BTreeSet<&'a str>,
    pub(super) paths: BTreeSet<&'a StorePath>,
    /// Of all its paths, in bytes.
    pub(super) size: u64,
    pub(super) selected: bool,
}

/// What a closure holds.
#[derive(Default)]
pub(super) struct Contents<'a> {
    pub(super) packages: BTreeMap<String, Package<'a>>,
    pub(super) configuration: BTreeSet<&'a StorePath>,
}

/// Groups the paths of a closure.
pub(super) fn contents<'a>(closure: &'a Closure, selection: &'a Selection) -> Contents<'a> {
    let mut contents = Contents::default();
    for (path, size) in closure.iter() {
        let selected = selection.paths.get(path);
        let (name, version) = match (selected, kind(path.name())) {
            (Some(Some((name, version))), _) => (name.clone(), version.as_str()),
            (_, Kind::Package { name, version }) => (name, version),
            (_, Kind::Configuration) => {
                contents.configuration.insert(path);
                continue;
            }
        };
        let package = contents.packages.entry(name).or_default();
        package.raw_versions.insert(version);
        package.paths.insert(path);
        package.size += size;
        package.selected |= selected.is_some();
    }
    contents
}

impl<'a> Package<'a> {
    pub(super) fn versions(&self) -> BTreeSet<&'a str> {
        self.raw_versions.iter().map(|version| without_output(version, &self.raw_versions)).collect()
    }
}

/// Versions from the oldest to the newest.
pub(super) fn in_order(versions: &BTreeSet<&str>) -> Vec<String> {
    let mut versions: Vec<&str> = versions.iter().copied().collect();
    versions.sort_by(|left, right| compare_versions(left, right));
    versions.into_iter().map(str::to_owned).collect()
}

impl Closure {
    /// Its packages by name, with those of the selection marked.
    pub(crate) fn packages(&self, selection: &Selection) -> Vec<InstalledPackage> {
        let packages = contents(self, selection).packages.into_iter();
        packages
            .map(|(name, package)| InstalledPackage {
                name,
                versions: in_order(&package.versions()),
                selected: package.selected,
            })
            .collect()
    }
}
