//! An update that is tried without being made: the lock file that Nix would
//! write, which inputs move, and what an evaluation needs to use it.
//!
//! Nothing is copied: Nix works the lock file out from the very source that it
//! evaluates (the tracked files of a git tree, dirty ones as they are), and
//! evaluations read that source with the trial's lock file. `flake.lock` and
//! everything beside it stay byte for byte.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::lock::{LockFile, LockFileError};
use super::reference;
use crate::model::{Failure, FailureClass, InputMove};
use crate::nix::{LockError, LockRequest, Nix, NixError, NixProgress, TrialLock, Update};

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrialRequest<'a> {
    /// The flake reference as configured.
    pub(crate) flake: &'a str,
    /// The folder of the flake when it is a local one.
    pub(crate) flake_dir: Option<&'a Path>,
    /// The inputs to bring to their newest (`home-manager`, or
    /// `home-manager/nixpkgs`); all when there is none.
    pub(crate) inputs: &'a [String],
    /// How long it may take.
    pub(crate) deadline: Duration,
    /// Gets everything Nix says, as text.
    pub(crate) log_file: &'a Path,
}

/// An update that was tried. Its lock file is there as long as this is.
#[derive(Debug)]
pub(crate) struct Trial {
    before: LockFile,
    text: String,
    moves: Vec<InputMove>,
    lock: TrialLock,
    _file: NamedTempFile,
}

/// Why an update cannot be tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrialError {
    /// An input of this name is not there.
    #[error("the flake has no input {input}; it has {}", listed(.available))]
    NoInput {
        /// What was asked for.
        input: String,
        /// What there is.
        available: Vec<String>,
    },
    /// Nix does not give a lock file.
    #[error("{source}")]
    Lock {
        /// Why.
        source: LockError,
        /// The flake's own inputs, where they are known.
        inputs: Vec<String>,
    },
    /// What Nix gave is no lock file.
    #[error("cannot read the lock file that nix gave")]
    Shape(#[from] LockFileError),
    /// The version of Nix is not known.
    #[error("cannot find out the version of nix")]
    Version(#[from] NixError),
    /// The lock file of the trial cannot be written.
    #[error("cannot write the trial's lock file")]
    Write(#[from] std::io::Error),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl TrialError {
    /// As people read it; exit code 2 for a name that is not there, else 4.
    pub(crate) fn failure(&self) -> Failure {
        let class = match self {
            Self::NoInput { .. } => FailureClass::Usage,
            _ => FailureClass::Build,
        };
        let failure = Failure::from_error(class, self);
        match self {
            Self::Lock { source, inputs } => {
                let hints =
                    source.input().and_then(|bad| without(bad, inputs)).into_iter().chain(source.hints());
                let evidence = source.evidence().iter().cloned();
                Failure { hints: hints.collect(), causes: Vec::new(), ..failure }.evidence(evidence)
            }
            Self::Version(error) => Failure { hints: error.hints(), ..failure },
            Self::NoInput { .. } | Self::Shape(_) | Self::Write(_) => failure,
        }
    }
}

impl Trial {
    /// Asks Nix which inputs have something newer. The lock file as it is and
    /// the new one are worked out at the same time.
    pub(crate) async fn new(
        nix: &Nix,
        request: &TrialRequest<'_>,
        progress: &(dyn Fn(NixProgress) + Send + Sync),
    ) -> Result<Self, TrialError> {
        let update = if request.inputs.is_empty() { Update::All } else { Update::Inputs(request.inputs) };
        let asked = |update| LockRequest {
            flake: request.flake,
            flake_dir: request.flake_dir,
            update,
            deadline: request.deadline,
            log_file: request.log_file,
        };
        let (now, then) = (asked(Update::Nothing), asked(update));
        let (before, after, version) =
            tokio::join!(nix.lock(&now, &|_| {}), nix.lock(&then, progress), nix.version());
        let mut inputs = Vec::new();
        if let Ok(before) = &before {
            let before = LockFile::of_value(before)?;
            // A name that is not there is the better reason of the two.
            known_inputs(&before, request.inputs)?;
            inputs = before.inputs().into_iter().map(str::to_owned).collect();
        }
        let after = after.map_err(|source| TrialError::Lock { source, inputs })?;
        let before = before.map_err(|source| TrialError::Lock { source, inputs: Vec::new() })?;
        let takes_file = version?.at_least(TrialLock::FILES_SINCE);
        let is_first = request.flake_dir.is_some_and(|folder| !folder.join("flake.lock").exists());
        Self::of_locks(&before, &after, takes_file, is_first)
    }

    fn of_locks(before: &Value, after: &Value, takes_file: bool, is_first: bool) -> Result<Self, TrialError> {
        let text = text_of(after);
        let (before, after) = (LockFile::of_value(before)?, LockFile::of_value(after)?);
        // What Nix makes up where there is no lock file pins nothing: the first
        // one is an update of every input.
        let pinned = if is_first { LockFile::default() } else { before.clone() };
        let file = tempfile::Builder::new().prefix("nix-deploy-").suffix(".lock").tempfile()?;
        std::fs::write(file.path(), &text)?;
        let lock = match takes_file {
            true => TrialLock::File(file.path().to_owned()),
            false => TrialLock::Overrides(overrides(&pinned, &after)),
        };
        Ok(Self { moves: pinned.moves_to(&after), before, text, lock, _file: file })
    }

    /// Which inputs move, by name. None: everything is at its newest.
    pub(crate) fn moves(&self) -> &[InputMove] {
        &self.moves
    }

    /// The text of the new `flake.lock`: writing it is the update.
    pub(crate) fn lock_text(&self) -> &str {
        &self.text
    }

    /// The flake's own inputs, as it is now.
    pub(crate) fn inputs(&self) -> Vec<&str> {
        self.before.inputs()
    }

    /// The input that is the flake's package set, where there is one such and it moves.
    pub(crate) fn package_set(&self) -> Option<&str> {
        self.before
            .package_set()
            .filter(|set| self.moves.iter().any(|moved| moved.input.split('/').next() == Some(*set)))
    }

    /// What an evaluation is given to use the new lock file.
    pub(crate) fn lock(&self) -> &TrialLock {
        &self.lock
    }
}

/// As Nix writes it: two spaces of indent, keys in order, a line end.
fn text_of(lock: &Value) -> String {
    // A value that was read from JSON can be written as JSON.
    serde_json::to_string_pretty(lock).unwrap_or_default() + "\n"
}

/// How to update the others.
fn without(bad: &str, inputs: &[String]) -> Option<String> {
    let bad = bad.split('/').next()?;
    let others: Vec<String> =
        inputs.iter().filter(|input| *input != bad).map(|input| format!("--input {input}")).collect();
    (!others.is_empty()).then(|| format!("leave it as it is: {}", others.join(" ")))
}

fn known_inputs(lock: &LockFile, inputs: &[String]) -> Result<(), TrialError> {
    match inputs.iter().find(|input| !lock.has_input(input)) {
        Some(input) => Err(TrialError::NoInput {
            input: input.clone(),
            available: lock.inputs().into_iter().map(str::to_owned).collect(),
        }),
        None => Ok(()),
    }
}

/// Every input that moves with its pinned reference, the outer ones first.
fn overrides(before: &LockFile, after: &LockFile) -> Vec<(String, String)> {
    let moved = before.moves_to(after);
    let pinned = after.pinned();
    let wanted = moved.iter().filter_map(|moved| {
        let locked = pinned.get(&moved.input)?;
        Some((moved.input.clone(), reference::pinned(locked)?))
    });
    wanted.collect()
}
