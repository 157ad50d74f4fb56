//! The difference of two closures in the words of people: packages and versions.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::model::{ClosureDiff, PackageChange, PackageChangeKind, compare_versions};

use super::Closure;
use super::packages::{Package, Selection, contents, in_order};

/// What changes from one closure to another, of all packages.
///
/// New paths and bytes are those that the old closure lacks: the most that a
/// host with the old system must gain, as older generations may have some of
/// them already.
pub(crate) fn diff(old: &Closure, new: &Closure) -> ClosureDiff {
    diff_with(old, new, &Selection::default())
}

/// The same, and marks the packages that are installed by name; those of the
/// old and of the new closure are in one selection.
pub(crate) fn diff_with(old: &Closure, new: &Closure, selection: &Selection) -> ClosureDiff {
    let (before, after) = (contents(old, selection), contents(new, selection));
    let nothing = Package::default();
    let names: BTreeSet<&String> = before.packages.keys().chain(after.packages.keys()).collect();
    let mut result = ClosureDiff::default();
    for name in names {
        let (old, new) =
            (before.packages.get(name).unwrap_or(&nothing), after.packages.get(name).unwrap_or(&nothing));
        let (before, after) = (old.versions(), new.versions());
        match change_kind(&before, &after) {
            Some(kind) => result.packages.push(PackageChange {
                name: name.clone(),
                kind,
                before: in_order(&before),
                after: in_order(&after),
                size_difference: difference(old.size, new.size),
                selected: old.selected || new.selected,
            }),
            None if old.paths != new.paths => result.rebuilt += 1,
            None => {}
        }
    }
    result.configuration_paths = after.configuration.difference(&before.configuration).count();
    result.size_difference = difference(old.size(), new.size());
    for (_, size) in new.iter().filter(|(path, _)| !old.contains(path)) {
        result.new_paths += 1;
        result.new_bytes += size;
    }
    result
}

/// What became of a package, by its versions before and after; `None` when they
/// are the same.
pub(crate) fn change_kind(before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> Option<PackageChangeKind> {
    if before == after {
        return None;
    }
    if before.is_empty() {
        return Some(PackageChangeKind::Added);
    }
    if after.is_empty() {
        return Some(PackageChangeKind::Removed);
    }
    let gone: Vec<&str> = before.difference(after).copied().collect();
    let come: Vec<&str> = after.difference(before).copied().collect();
    let all = |order: Ordering| {
        !gone.is_empty()
            && !come.is_empty()
            && come.iter().all(|new| gone.iter().all(|old| compare_versions(new, old) == order))
    };
    Some(if all(Ordering::Greater) {
        PackageChangeKind::Upgraded
    } else if all(Ordering::Less) {
        PackageChangeKind::Downgraded
    } else {
        PackageChangeKind::Changed
    })
}

fn difference(before: u64, after: u64) -> i64 {
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    size(after) - size(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StorePath;

    /// Names with a digit that stands for the hash, each of 100 bytes:
    /// `1:nginx-1.26.1`.
    fn closure(names: &[&str]) -> Closure {
        let path = |name: &&str| {
            let (hash, name) = name.split_once(':').unwrap();
            StorePath::new(format!("/nix/store/{}-{name}", hash.repeat(32))).unwrap()
        };
        names.iter().map(path).map(|path| (path, 100)).collect()
    }

    fn told(old: &[&str], new: &[&str]) -> Vec<String> {
        diff(&closure(old), &closure(new))
            .packages
            .iter()
            .map(|package| {
                let (before, after) = (package.before.join(","), package.after.join(","));
                format!("{:?} {} {before} -> {after} {:+}", package.kind, package.name, package.size_difference)
            })
            .collect()
    }

    #[test]
    fn changes_are_told_as_people_say_them() {
        let cases: [(&[&str], &[&str], &[&str]); 13] = [
            (&["1:nginx-1.26.1"], &["2:nginx-1.26.2"], &["Upgraded nginx 1.26.1 -> 1.26.2 +0"]),
            (&["1:nginx-1.26.10"], &["2:nginx-1.26.9"], &["Downgraded nginx 1.26.10 -> 1.26.9 +0"]),
            (&[], &["1:htop-3.3.0"], &["Added htop  -> 3.3.0 +100"]),
            (&["1:htop-3.3.0"], &[], &["Removed htop 3.3.0 ->  -100"]),
            (&["1:nginx-1.26.1"], &["2:nginx-1.26.1"], &[]),
            // Outputs of one package are one package.
            (
                &["1:curl-8.5.0", "1:curl-8.5.0-bin", "1:curl-8.5.0-man"],
                &["2:curl-8.6.0", "2:curl-8.6.0-bin"],
                &["Upgraded curl 8.5.0 -> 8.6.0 -100"],
            ),
            // An output alone keeps its name.
            (&["1:curl-8.5.0-bin"], &["2:curl-8.6.0-bin"], &["Upgraded curl 8.5.0-bin -> 8.6.0-bin +0"]),
            // A new interpreter is one change, not thousands.
            (
                &["1:python3-3.11.9", "1:python3.11-requests-2.31.0", "1:python3.11-idna-3.6"],
                &["2:python3-3.12.3", "2:python3.12-requests-2.31.0", "2:python3.12-idna-3.7"],
                &["Upgraded python-idna 3.6 -> 3.7 +0", "Upgraded python3 3.11.9 -> 3.12.3 +0"],
            ),
            (
                &["1:linux-6.6.31", "1:linux-6.6.31-modules", "1:nvidia-x11-545.29.06-6.6.31"],
                &["2:linux-6.6.32", "2:linux-6.6.32-modules", "2:nvidia-x11-545.29.06-6.6.32"],
                &[
                    "Upgraded linux 6.6.31 -> 6.6.32 +0",
                    "Upgraded nvidia-x11 545.29.06-6.6.31 -> 545.29.06-6.6.32 +0",
                ],
            ),
            // Two versions side by side.
            (
                &["1:openssl-1.1.1w", "1:openssl-3.0.13"],
                &["1:openssl-1.1.1w", "2:openssl-3.0.14"],
                &["Upgraded openssl 1.1.1w,3.0.13 -> 1.1.1w,3.0.14 +0"],
            ),
            (&["1:lua-5.1.5"], &["1:lua-5.1.5", "1:lua-5.4.6"], &["Changed lua 5.1.5 -> 5.1.5,5.4.6 +100"]),
            (
                &["1:foo-unstable-2023-12-31"],
                &["2:foo-unstable-2024-01-01"],
                &["Upgraded foo unstable-2023-12-31 -> unstable-2024-01-01 +0"],
            ),
            (&["1:unit-nginx.service", "1:etc"], &["2:unit-nginx.service", "2:etc"], &[]),
        ];
        for (old, new, expected) in cases {
            assert_eq!(told(old, new), expected, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn rebuilds_and_configuration_are_counted_not_listed() {
        let old = closure(&["1:nginx-1.26.1", "1:glibc-2.39", "1:unit-a.service", "1:etc", "1:htop-3.3.0"]);
        let new = closure(&["2:nginx-1.26.1", "1:glibc-2.39", "2:unit-a.service", "2:etc", "2:unit-b.service"]);
        let diff = diff(&old, &new);
        assert_eq!((diff.rebuilt, diff.configuration_paths), (1, 3));
        assert_eq!((diff.new_paths, diff.new_bytes, diff.size_difference), (4, 400, 0));
        assert_eq!(diff.packages.len(), 1);
    }

    fn path(name: &str) -> StorePath {
        let (hash, name) = name.split_once(':').unwrap();
        StorePath::new(format!("/nix/store/{}-{name}", hash.repeat(32))).unwrap()
    }

    #[test]
    fn what_a_kernel_or_an_interpreter_drags_along_is_one_line_each() {
        let kernel = |hash: &str, version: &str| {
            ["linux", "linux-headers", "zfs-kernel-2.2.4", "nvidia-x11-550.78"]
                .iter()
                .map(|name| format!("{hash}:{name}-{version}"))
                .chain([
                    format!("{hash}:linux-{version}-modules"),
                    format!("{hash}:linux-{version}-modules-shrunk"),
                ])
                .collect::<Vec<_>>()
        };
        let (old, new) = (kernel("1", "6.6.31"), kernel("2", "6.6.32"));
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let told = told(&old, &new);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told.contains(&"Upgraded zfs-kernel 2.2.4-6.6.31 -> 2.2.4-6.6.32 +0".to_owned()), "{told:?}");
    }

    #[test]
    fn an_output_that_goes_alone_is_a_rebuild_not_a_change() {
        let old = ["1:curl-8.5.0", "1:curl-8.5.0-bin", "1:curl-8.5.0-man"];
        assert!(told(&old, &["1:curl-8.5.0", "1:curl-8.5.0-bin"]).is_empty());
        let diff = diff(&closure(&old), &closure(&["1:curl-8.5.0", "1:curl-8.5.0-bin"]));
        assert_eq!((diff.rebuilt, diff.size_difference, diff.new_bytes), (1, -100, 0));
    }

    #[test]
    fn packages_that_are_installed_by_name_are_marked() {
        let old = closure(&["1:firefox-126.0", "1:glibc-2.39", "1:htop-3.3.0", "1:htop-3.3.0-man"]);
        let new = closure(&["2:firefox-127.0", "2:glibc-2.40"]);
        let selection: Selection =
            ["1:firefox-126.0", "1:htop-3.3.0-man", "2:firefox-127.0"].iter().map(|name| path(name)).collect();
        let diff = diff_with(&old, &new, &selection);
        let marks: Vec<_> =
            diff.packages.iter().map(|change| (change.name.as_str(), change.selected)).collect();
        assert_eq!(marks, [("firefox", true), ("glibc", false), ("htop", true)]);
    }

    #[test]
    fn a_name_from_the_evaluation_beats_the_one_of_the_path() {
        // A wrapper that is called otherwise than its package.
        let old = closure(&["1:vscode-with-extensions-1.90.0"]);
        let new = closure(&["2:vscode-with-extensions-1.91.0"]);
        let mut selection = Selection::default();
        selection.name(path("1:vscode-with-extensions-1.90.0"), "vscode", "1.90.0");
        selection.name(path("2:vscode-with-extensions-1.91.0"), "vscode", "1.91.0");
        let diff = diff_with(&old, &new, &selection);
        assert_eq!(diff.packages.len(), 1);
        assert_eq!((diff.packages[0].name.as_str(), diff.packages[0].selected), ("vscode", true));
    }

    #[test]
    fn equal_closures_differ_in_nothing() {
        let same = closure(&["1:nginx-1.26.1", "1:etc", "1:unit-a.service"]);
        assert_eq!(diff(&same, &same), ClosureDiff::default());
        assert_eq!(diff(&Closure::default(), &Closure::default()), ClosureDiff::default());
    }
}
