//! Work for the fleet database that is not a deploy: reading the history of the
//! configuration, asking hosts what they run, evaluating commits, building what
//! is in the queue.
//!
//! Each file brings facts of git, hosts or Nix into the database through
//! `fleet`; none of them prints. All can be run again and again, by a timer or
//! by several machines at once, and nobody is ever asked anything.

pub(crate) mod build;
pub(crate) mod evaluate;
pub(crate) mod poll;
mod source;
pub(crate) mod sync;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub(crate) use source::{FlakeSource, SourceError};

use crate::fleet::FleetError;
use crate::nix::NixError;

/// Why a job could not be done at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// The fleet database did not do what was asked.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The configuration's repository cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nix cannot be used.
    #[error("nix cannot say what is to be built")]
    Nix(#[from] NixError),
    /// A folder of ours cannot be made.
    #[error("make the folder {}", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Makes a folder for its owner alone: logs may name what the configuration
/// keeps private.
fn private_folder(path: &Path) -> Result<(), JobError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|source| JobError::Folder { path: path.to_owned(), source })
}
