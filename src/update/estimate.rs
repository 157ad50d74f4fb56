//! The estimate: which versions the derivations of the new system have,
//! without building any.
//!
//! What a system is built from holds far more than what it needs to run:
//! compilers, tests, older versions. So only names that the old system needs to
//! run are looked up, and what is installed by name, which the derivation of
//! the common path lists. A name with several new versions gets the newest.

use std::collections::{BTreeMap, BTreeSet};

use super::preview::{Candidate, Compared, read_system};
use crate::model::package_name::{Kind, is_kernel, kind, without_output};
use crate::model::{Failure, InstalledPackage, PackageChange, Precision, StorePath, compare_versions};
use crate::nix::{self, Nix};

/// Names and versions of derivations, and which are installed by name.
#[derive(Clone, Debug, Default, PartialEq)]
struct Graph {
    versions: BTreeMap<String, BTreeSet<String>>,
    selected: BTreeSet<String>,
}

/// Estimates what changes on a host.
pub(super) async fn compare(nix: &Nix, candidate: &Candidate<'_>) -> Result<Compared, Failure> {
    let new = graph(nix, &candidate.new.drv_path).await;
    let mut preview = candidate.preview(Precision::Estimate);
    let before = match (candidate.running, &candidate.old) {
        (Some(running), _) => running.packages(),
        (None, Some(old)) => match read_system(nix, old).await {
            Ok((closure, selection)) => closure.packages(&selection),
            Err(_) => {
                preview.notes.push(
                    "the system as it is now is not built here: tools that only builds need are among the packages"
                        .to_owned(),
                );
                graph(nix, &old.drv_path).await.packages()
            }
        },
        (None, None) => Vec::new(),
    };
    // Builders of the common path are among what it needs: what was there before
    // is not added, installed or not.
    let before_drv = match (candidate.running.and_then(|running| running.system.as_ref()), &candidate.old) {
        (Some(system), _) => nix.deriver(system).await,
        (None, old) => old.as_ref().map(|old| old.drv_path.clone()),
    };
    let there = match before_drv {
        Some(drv) => graph(nix, &drv).await.selected,
        None => BTreeSet::new(),
    };
    let after = new.after(&before, &there);
    preview.packages = changes(&before, &after);
    if preview.packages.iter().any(|change| is_kernel(&change.name)) {
        preview.reboot_needed = Some(true);
        preview.reboot_reasons.push("kernel".to_owned());
    }
    Ok(Compared { preview, before, after })
}

async fn graph(nix: &Nix, drv: &StorePath) -> Graph {
    let paths: Vec<StorePath> = nix.requisites(drv).await.into_iter().collect();
    let common = paths.iter().find(|path| path.name() == "system-path.drv");
    let selected = match common {
        Some(common) => nix.references(common).await,
        None => Vec::new(),
    };
    Graph::new(&paths, &selected)
}

/// Name and version of a derivation that makes a package.
fn package(path: &StorePath) -> Option<(String, &str)> {
    match kind(path.name().strip_suffix(".drv")?) {
        Kind::Package { name, version } => Some((name, version)),
        Kind::Configuration => None,
    }
}

impl Graph {
    fn new(paths: &[StorePath], selected: &[StorePath]) -> Self {
        let mut raw: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (name, version) in paths.iter().filter_map(package) {
            raw.entry(name).or_default().insert(version);
        }
        let fold = |versions: &BTreeSet<&str>| {
            versions.iter().map(|version| without_output(version, versions).to_owned()).collect()
        };
        let versions = raw.into_iter().map(|(name, versions)| (name, fold(&versions))).collect();
        Self { versions, selected: selected.iter().filter_map(package).map(|(name, _)| name).collect() }
    }

    /// Everything in it, as if it were installed.
    fn packages(&self) -> Vec<InstalledPackage> {
        let package = |(name, versions): (&String, &BTreeSet<String>)| InstalledPackage {
            name: name.clone(),
            versions: in_order(versions.iter().map(String::as_str)),
            selected: self.selected.contains(name),
        };
        self.versions.iter().map(package).collect()
    }

    /// What of the packages before there will be, in which versions, and what is
    /// installed by name and new: neither before nor `there`.
    fn after(&self, before: &[InstalledPackage], there: &BTreeSet<String>) -> Vec<InstalledPackage> {
        let mut after: Vec<InstalledPackage> = before
            .iter()
            .filter_map(|package| {
                let versions = self.versions_after(package)?;
                let selected = self.selected.contains(&package.name);
                Some(InstalledPackage { name: package.name.clone(), versions, selected })
            })
            .collect();
        let known: BTreeSet<&str> = before.iter().map(|package| package.name.as_str()).collect();
        let is_new = |name: &&String| !known.contains(name.as_str()) && !there.contains(*name);
        for name in self.selected.iter().filter(is_new) {
            let newest = self.versions.get(name).and_then(|versions| newest(versions.iter()));
            after.push(InstalledPackage {
                name: name.clone(),
                versions: newest.into_iter().collect(),
                selected: true,
            });
        }
        after.sort_by(|left, right| left.name.cmp(&right.name));
        after
    }

    /// The versions that a package will have; `None` when it goes.
    fn versions_after(&self, package: &InstalledPackage) -> Option<Vec<String>> {
        let there = self.versions.get(&package.name)?;
        let mut stay: BTreeSet<&str> = BTreeSet::new();
        let mut gone = false;
        for version in &package.versions {
            // `8.5.0-bin` is an output of `8.5.0`.
            let known: BTreeSet<&str> = there.iter().map(String::as_str).collect();
            let is_there = known.contains(version.as_str()) || known.contains(without_output(version, &known));
            match is_there {
                true => _ = stay.insert(version),
                false => gone = true,
            }
        }
        let come = newest(there.iter().filter(|version| !package.versions.contains(version)));
        let come = come.filter(|_| gone);
        let versions = in_order(stay.into_iter().chain(come.as_deref()));
        (!versions.is_empty()).then_some(versions)
    }
}

fn newest<'a>(versions: impl Iterator<Item = &'a String>) -> Option<String> {
    versions.max_by(|left, right| compare_versions(left, right)).cloned()
}

fn in_order<'a>(versions: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut versions: Vec<&str> = versions.collect();
    versions.sort_by(|left, right| compare_versions(left, right));
    versions.into_iter().map(str::to_owned).collect()
}

/// What differs between two lists of packages; sizes are not known.
fn changes(before: &[InstalledPackage], after: &[InstalledPackage]) -> Vec<PackageChange> {
    let by_name = |packages: &[InstalledPackage]| -> BTreeMap<String, InstalledPackage> {
        packages.iter().map(|package| (package.name.clone(), package.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let versions = |packages: &BTreeMap<String, InstalledPackage>| {
                packages.get(name).map(|package| package.versions.clone()).unwrap_or_default()
            };
            let selected =
                [&before, &after].iter().any(|packages| packages.get(name).is_some_and(|one| one.selected));
            let (old, new) = (versions(&before), versions(&after));
            let kind = nix::change_kind(
                &old.iter().map(String::as_str).collect(),
                &new.iter().map(String::as_str).collect(),
            )?;
            Some(PackageChange {
                name: name.clone(),
                kind,
                before: old,
                after: new,
                size_difference: 0,
                selected,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<StorePath> {
        let path = |name: &&str| StorePath::new(format!("/nix/store/{}-{name}", "1".repeat(32))).unwrap();
        names.iter().map(path).collect()
    }

    fn installed(packages: &[(&str, &str)]) -> Vec<InstalledPackage> {
        let package = |(name, versions): &(&str, &str)| InstalledPackage {
            name: (*name).to_owned(),
            versions: versions.split(' ').map(str::to_owned).collect(),
            selected: false,
        };
        packages.iter().map(package).collect()
    }

    fn told(before: &[(&str, &str)], graph: &[&str], selected: &[&str]) -> Vec<String> {
        let graph = Graph::new(&paths(graph), &paths(selected));
        let before = installed(before);
        let there = BTreeSet::from(["perl".to_owned()]);
        let all = changes(&before, &graph.after(&before, &there));
        let line = |change: &PackageChange| {
            format!(
                "{:?} {} {} -> {}",
                change.kind,
                change.name,
                change.before.join(","),
                change.after.join(",")
            )
        };
        all.iter().map(line).collect()
    }

    #[test]
    fn only_what_runs_and_what_is_installed_by_name_is_told() {
        let graph = [
            "nginx-1.26.1.drv",
            "openssl-1.1.1w.drv",
            "openssl-3.0.14.drv",
            "gcc-13.2.0.drv",
            "curl-8.5.0.drv",
            "htop-3.4.0.drv",
            "hello-2.12.tar.gz.drv",
            "linux-6.6.69.drv",
            "linux-6.6.69-modules.drv",
            "nginx.conf",
            "system-path.drv",
            "perl-5.38.2.drv",
        ];
        let told = told(
            &[
                ("linux", "6.6.68"),
                ("nginx", "1.26.0"),
                ("openssl", "3.0.13"),
                ("curl", "8.5.0-bin"),
                ("telnet", "1.0"),
            ],
            &graph,
            &["htop-3.4.0.drv", "nginx-1.26.1.drv", "perl-5.38.2.drv"],
        );
        assert_eq!(
            told,
            [
                "Added htop  -> 3.4.0",
                "Upgraded linux 6.6.68 -> 6.6.69",
                "Upgraded nginx 1.26.0 -> 1.26.1",
                "Upgraded openssl 3.0.13 -> 3.0.14",
                "Removed telnet 1.0 -> ",
            ]
        );
    }

    #[test]
    fn a_version_that_stays_is_no_change_whatever_else_builds_need() {
        let graph = ["gcc-12.3.0.drv", "gcc-13.2.0.drv", "gcc-14.1.0.drv", "lua-5.1.5.drv", "lua-5.4.6.drv"];
        assert!(told(&[("gcc", "13.2.0"), ("lua", "5.1.5")], &graph, &[]).is_empty());
        assert_eq!(
            told(&[("gcc", "13.1.0 13.2.0")], &graph, &[]),
            ["Upgraded gcc 13.1.0,13.2.0 -> 13.2.0,14.1.0"]
        );
    }
}
