//! Why the settings cannot be used.

use std::path::PathBuf;

use crate::model::text::{bytes, plural};
use crate::model::{Failure, FailureClass};

/// More problems of one file are counted, not shown.
const SHOWN_PROBLEMS: usize = 25;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// There is no file from the current folder upwards.
    #[error("no hosts.toml in {} or above", .directory.display())]
    NotFound {
        /// Where the search began.
        directory: PathBuf,
        /// Whether a flake is there, for which a file can be written.
        has_flake: bool,
    },
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A folder stands where the file should be.
    #[error("{} is a folder, not a file", .path.display())]
    Directory {
        /// Which.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("{}:{line}: the file is not UTF-8 text", .path.display())]
    NotUtf8 {
        /// Which file.
        path: PathBuf,
        /// The first line that is not.
        line: usize,
    },
    /// The file is too large to be a settings file.
    #[error("{} is larger than {}", .path.display(), bytes(*.limit))]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// How large it may be.
        limit: u64,
    },
    /// The file says something wrong; each problem has its place.
    #[error("{}: {}", .path.display(), plural(.problems.len(), "problem"))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Each problem as people read it.
        problems: Vec<Failure>,
    },
    /// A value of the environment is wrong.
    #[error("{name}: {reason}")]
    Environment {
        /// Which name.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// There is no place for state.
    #[error("there is no folder for state: neither NIX_DEPLOY_STATE nor XDG_STATE_HOME nor HOME is set")]
    NoStateFolder,
    /// The state folder cannot be used.
    #[error("cannot create the folder {}", .path.display())]
    CreateFolder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl SettingsError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { has_flake: true, .. } => {
                Some("there is a flake here: `nix-deploy init` writes a hosts.toml for its hosts")
            }
            Self::NotFound { has_flake: false, .. } => Some(
                "run `nix-deploy init` in the folder of your flake, or name a file with --config or \
                 NIX_DEPLOY_CONFIG",
            ),
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("`nix-deploy init` writes a hosts.toml for the flake in the current folder")
            }
            Self::Directory { .. } => Some("name the file in it"),
            Self::CreateFolder { .. } => Some("set NIX_DEPLOY_STATE to a folder that can be written"),
            _ => None,
        }
    }

    /// What went wrong as people read it: a failure for each problem.
    pub(crate) fn into_failures(self) -> Vec<Failure> {
        match self {
            Self::Invalid { path, mut problems } => {
                let more = problems.len().saturating_sub(SHOWN_PROBLEMS);
                problems.truncate(SHOWN_PROBLEMS);
                if more > 0 {
                    let message = format!("{}: {} more", path.display(), plural(more, "problem"));
                    problems.push(Failure::new(FailureClass::Usage, message));
                }
                problems
            }
            other => {
                let failure = Failure::from_error(FailureClass::Usage, &other);
                vec![match other.hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }]
            }
        }
    }
}
