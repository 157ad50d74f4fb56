//! Why flake.lock cannot be changed or put back.

use std::path::PathBuf;

use crate::model::{Failure, FailureClass};

/// Why flake.lock cannot be changed or put back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransactionError {
    /// Another program updates the same flake right now.
    #[error("another update of this flake is running: {who}")]
    Busy {
        /// Who, as its marker says.
        who: String,
    },
    /// A file of the update cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried, for example "write".
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// flake.lock holds bytes that no lock file holds.
    #[error("{} is no lock file: it is not UTF-8 text", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
    },
    /// The marker of an unfinished update says nothing.
    #[error("{} cannot be understood: {detail}", path.display())]
    Marker {
        /// The marker.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Somebody changed flake.lock while the update ran.
    #[error("{} was changed by somebody else while the update ran: it is left as it is", path.display())]
    Foreign {
        /// flake.lock.
        path: PathBuf,
    },
    /// There is no backup to restore.
    #[error("there is no {}: nothing was updated here", path.display())]
    NoBackup {
        /// Where it would be.
        path: PathBuf,
    },
}

impl TransactionError {
    /// An error of the system about a file.
    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// What to do about it.
    fn hint(&self) -> String {
        match self {
            Self::Busy { .. } => "wait until it has ended, or interrupt it: it puts flake.lock back".to_owned(),
            Self::Io { .. } => "is the flake's folder writable, and is there room?".to_owned(),
            Self::NotText { .. } => "take it from your repository: git checkout -- flake.lock".to_owned(),
            Self::Marker { path, .. } => format!(
                "look at flake.lock and flake.lock.backup beside it, keep the right one, and remove {}",
                path.display()
            ),
            Self::Foreign { .. } => "the lock file from before is in flake.lock.backup".to_owned(),
            Self::NoBackup { .. } => "an older flake.lock is in your repository's history".to_owned(),
        }
    }

    /// The failure that a person reads.
    pub(crate) fn failure(&self) -> Failure {
        let class = match self {
            Self::Busy { .. } => FailureClass::Busy,
            Self::NoBackup { .. } | Self::NotText { .. } => FailureClass::Usage,
            Self::Io { .. } | Self::Marker { .. } | Self::Foreign { .. } => FailureClass::Unexpected,
        };
        Failure::from_error(class, self).hint(self.hint())
    }
}
