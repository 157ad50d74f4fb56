//! The folder of one host's ssh configuration and control sockets: made for a
//! run, gone with it. A run that was killed leaves its folder behind; the next
//! one removes it.
//!
//! Invariant: nobody removes the folder of a process that lives: it holds a
//! lock on a file in it.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// Where the folders are: a short path without spaces, because control sockets
/// are limited to about 100 bytes, and `NIX_SSHOPTS` splits on spaces.
const PARENT: &str = "/tmp";
const PREFIX: &str = "nd-";
/// The file whose lock says that the folder is in use.
const IN_USE: &str = "in-use";
/// A younger folder may be one whose lock is not taken yet.
const YOUNG: Duration = Duration::from_secs(600);

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    directory: TempDir,
    /// Held until the process ends.
    _in_use: File,
}

impl Folder {
    /// Makes one, and takes away what killed runs left.
    pub(super) fn new() -> std::io::Result<Self> {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| sweep(Path::new(PARENT), SystemTime::now()));
        Self::new_in(Path::new(PARENT))
    }

    fn new_in(parent: &Path) -> std::io::Result<Self> {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let in_use = File::create(directory.path().join(IN_USE))?;
        flock(&in_use, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { directory, _in_use: in_use })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes our user's folders that no process holds any more.
fn sweep(parent: &Path, now: SystemTime) {
    let user = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // A link is somebody else's idea.
        let Ok(found) = entry.path().symlink_metadata() else { continue };
        let age = found.modified().ok().and_then(|modified| now.duration_since(modified).ok());
        if !ours || !found.is_dir() || found.uid() != user || age.is_none_or(|age| age < YOUNG) {
            continue;
        }
        let Ok(in_use) = File::open(entry.path().join(IN_USE)) else { continue };
        if flock(&in_use, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::debug!(%error, folder = %entry.path().display(), "the folder of a killed run stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_killed_run_goes_and_that_of_a_living_one_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Folder::new_in(parent.path()).unwrap();
        let killed = Folder::new_in(parent.path()).unwrap();
        let left = killed.path().to_owned();
        // What a SIGKILL leaves: the folder, and a lock that the kernel let go.
        let Folder { directory, _in_use: in_use } = killed;
        let _ = directory.keep();
        drop(in_use);
        let foreign = parent.path().join("nd-without-lock");
        std::fs::create_dir(&foreign).unwrap();

        sweep(parent.path(), SystemTime::now());
        assert!(left.is_dir(), "a young folder stays");
        sweep(parent.path(), SystemTime::now() + YOUNG * 2);
        assert!(!left.exists());
        assert!(living.path().is_dir() && foreign.is_dir());
    }
}
