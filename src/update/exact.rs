//! The exact comparison: two closures, both known path by path.

use std::collections::BTreeMap;

use super::preview::{Candidate, Compared, read_system};
use super::running::Running;
use crate::model::{Failure, FailureClass, Precision, StorageImpact, StorePath};
use crate::nix::{self, Closure, Nix, NixError, Selection};

/// The parts of a system that only a reboot changes.
const PARTS: [&str; 4] = ["kernel", "initrd", "kernel-modules", "kernel-params"];

/// Compares what was built with what the host runs, or with the old build.
pub(super) async fn compare(nix: &Nix, candidate: &Candidate<'_>) -> Result<Compared, Failure> {
    let unreadable = |error: NixError| {
        let failure = Failure::from_error(FailureClass::Build, &error);
        let message = format!("{}: the new system cannot be read: {}", candidate.host.name, failure.message);
        Failure { message, ..failure }
    };
    let (new_closure, new_selection) = read_system(nix, &candidate.new).await.map_err(unreadable)?;
    let (old_closure, old_selection) = match (candidate.running, &candidate.old) {
        (Some(Running { closure, selection, .. }), _) => (closure.clone(), selection.clone()),
        (None, Some(old)) => read_system(nix, old).await.map_err(unreadable)?,
        (None, None) => (Closure::default(), Selection::default()),
    };
    let before = old_closure.packages(&old_selection);
    let after = new_closure.packages(&new_selection);
    let selection = old_selection.and(new_selection);
    let diff = nix::diff_with(&old_closure, &new_closure, &selection);
    let mut preview = candidate.preview(Precision::Exact);
    preview.packages = diff.packages;
    preview.rebuilt = Some(diff.rebuilt);
    preview.configuration_paths = Some(diff.configuration_paths);
    preview.storage = Some(StorageImpact {
        size_difference: diff.size_difference,
        new_paths: diff.new_paths,
        new_bytes: diff.new_bytes,
    });
    let booted = match (candidate.running, &candidate.old) {
        (Some(running), _) => running.booted.clone(),
        (None, Some(old)) => parts(&old.out_path),
        (None, None) => BTreeMap::new(),
    };
    preview.reboot_reasons = differing(&booted, &parts(&candidate.new.out_path));
    // A host that does not say what it booted may need one all the same.
    preview.reboot_needed = (!booted.is_empty()).then_some(!preview.reboot_reasons.is_empty());
    Ok(Compared { preview, before, after })
}

/// The parts of a system in the local store: paths, and the text of the
/// parameters.
fn parts(system: &StorePath) -> BTreeMap<String, String> {
    let part = |name: &&str| {
        let path = system.join(name);
        let value = match *name {
            "kernel-params" => std::fs::read_to_string(path).ok()?.trim().to_owned(),
            _ => std::fs::canonicalize(path).ok()?.to_str()?.to_owned(),
        };
        Some(((*name).to_owned(), value))
    };
    PARTS.iter().filter_map(part).collect()
}

/// Which parts both have, and not the same.
fn differing(booted: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |part: &&str| booted.get(*part).zip(new.get(*part)).is_some_and(|(old, new)| old != new);
    PARTS.into_iter().filter(|part| differs(part)).map(str::to_owned).collect()
}
