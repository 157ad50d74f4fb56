//! The engine of the checks as a whole: against the installed Nix on mutated
//! files, on odd files, and what fixes may and may not change.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod fixes;
mod judge;
mod mutants;
mod mutate;
mod odd_files;
mod real_code;

use std::path::{Path, PathBuf};

/// The fixture files: realistic code that covers the language.
pub(crate) fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "nix"));
    let read = files.map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    });
    read.collect()
}
