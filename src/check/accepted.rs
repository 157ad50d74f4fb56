//! Which texts the installed Nix has accepted before, so that it is only asked
//! about what is new.
//!
//! The file holds one line that names the Nix, then 8 bytes for each text. One
//! that is missing, broken or of another Nix knows nothing. Two texts that
//! share a hash would only cost a second opinion.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::exec;

/// More texts than this are not kept: 8 bytes each.
const MOST: usize = 200_000;

/// Texts that a Nix has accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    path: PathBuf,
    head: String,
    known: BTreeSet<u64>,
    is_changed: bool,
}

impl Accepted {
    /// What is known of the Nix that stands behind `program`.
    pub(super) fn open(path: &Path, program: &Path) -> Self {
        let head = identity(program);
        let mut known = BTreeSet::new();
        let bytes = std::fs::read(path).unwrap_or_default();
        if let Some(rest) = bytes.strip_prefix(head.as_bytes()) {
            known.extend(rest.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)));
        }
        Self { path: path.to_owned(), head, known, is_changed: false }
    }

    /// Whether this text was accepted before.
    pub(super) fn knows(&self, text: u64) -> bool {
        self.known.contains(&text)
    }

    /// This text is accepted.
    pub(super) fn add(&mut self, text: u64) {
        self.is_changed |= self.known.insert(text);
    }

    /// Writes it back. Best effort: without it Nix is asked again.
    pub(super) fn save(&self) {
        if !self.is_changed {
            return;
        }
        let mut bytes = self.head.clone().into_bytes();
        // Nobody knows which are still in use: too many, and all begins anew.
        if self.known.len() <= MOST {
            bytes.extend(self.known.iter().flat_map(|text| text.to_le_bytes()));
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.persist(&self.path).map_err(|error| error.error)
        });
        if let Err(error) = written {
            tracing::debug!(%error, "what Nix accepts is not remembered");
        }
    }
}

/// What a text is known by.
pub(super) fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}

/// The line that names a program: where it really is, and since when.
fn identity(program: &Path) -> String {
    let found = exec::find(program);
    let file = found.and_then(|path| path.canonicalize().ok());
    let since = file.as_deref().and_then(|file| file.metadata().ok()).map_or(0, |metadata| metadata.mtime());
    let version = env!("CARGO_PKG_VERSION");
    format!("nix-deploy {version}: {} {since}\n", file.unwrap_or_default().display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_is_known_until_the_program_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, program) = (folder.path().join("accepted"), folder.path().join("nix-instantiate"));
        std::fs::write(&program, "1").unwrap();
        let mut accepted = Accepted::open(&path, &program);
        let (one, two) = (hash(b"{ }"), hash(b"{  }"));
        assert_ne!(one, two);
        accepted.add(one);
        accepted.save();
        let again = Accepted::open(&path, &program);
        assert!(again.knows(one) && !again.knows(two));
        let other = Accepted::open(&path, Path::new("/bin/sh"));
        assert!(!other.knows(one));
        std::fs::write(&path, "rubbish").unwrap();
        assert!(!Accepted::open(&path, &program).knows(one));
    }
}
