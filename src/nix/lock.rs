//! Lock files that Nix works out without writing them: the one that a flake
//! is evaluated with, and the one that an update would give.
//!
//! `nix flake metadata` prints the whole lock file as JSON, from 2.8 on, and
//! reads the very source that an evaluation reads. A [`TrialLock`] lets an
//! evaluation use another lock file than the flake's own; newer versions take
//! it as a file, older ones get each moved input as an override.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::exec::{Command, ExecError};

use super::Nix;
use super::error::exec_hints;
use super::run::{self, Call, ProgressFn};

/// Which lock file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update<'a> {
    /// The one that the flake is evaluated with now.
    Nothing,
    /// With every input at its newest.
    All,
    /// With these inputs at their newest and all others as they are.
    Inputs(&'a [String]),
}

/// Whose lock file is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockRequest<'a> {
    /// The flake reference as configured.
    pub(crate) flake: &'a str,
    /// The folder of the flake when it is a local one.
    pub(crate) flake_dir: Option<&'a Path>,
    /// What is brought to its newest.
    pub(crate) update: Update<'a>,
    /// How long it may take.
    pub(crate) deadline: Duration,
    /// Gets everything Nix says, as text.
    pub(crate) log_file: &'a Path,
}

/// The lock file of an evaluation that must not write any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrialLock {
    /// The flake's own, which stays as it is even where it is not complete.
    Own,
    /// The lock file itself (`--reference-lock-file`, from Nix 2.18 on).
    File(PathBuf),
    /// Each moved input with its pinned reference (`--override-input`).
    Overrides(Vec<(String, String)>),
}

impl TrialLock {
    /// The first version that takes a lock file as an argument.
    pub(crate) const FILES_SINCE: &'static str = "2.18";

    /// What a call that evaluates a flake is told; none of it ever writes.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--no-write-lock-file".to_owned()];
        match self {
            Self::Own => {}
            Self::File(path) => {
                arguments.extend(["--reference-lock-file".to_owned(), path.to_string_lossy().into_owned()]);
            }
            Self::Overrides(moved) => {
                for (input, reference) in moved {
                    arguments.extend(["--override-input".to_owned(), input.clone(), reference.clone()]);
                }
            }
        }
        arguments
    }
}

/// Why there is no lock file to go on with.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// One input cannot be brought to its newest.
    #[error("the input {input} cannot be updated: {message}")]
    Input {
        /// The names that lead to it.
        input: String,
        /// What Nix said.
        message: String,
        /// What the programs that Nix asked said, for example git.
        said: Vec<String>,
        /// Where everything is.
        log: PathBuf,
    },
    /// The flake itself cannot be read.
    #[error("nix cannot read the flake's inputs: {message}")]
    Flake {
        /// What Nix said.
        message: String,
        /// Where everything is.
        log: PathBuf,
    },
    /// The answer has another shape than expected.
    #[error("cannot read the answer of nix flake metadata: {0}")]
    Answer(String),
    /// Nix could not be run to its end.
    #[error("cannot ask nix for the flake's inputs")]
    Exec(#[source] Arc<ExecError>),
}

impl LockError {
    /// What to do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Input { log, .. } | Self::Flake { log, .. } => {
                vec![format!("what Nix said is in {}", log.display())]
            }
            Self::Answer(_) => vec!["check that `nix --version` shows Nix 2.8 or newer".to_owned()],
            Self::Exec(error) => exec_hints(error),
        }
    }

    /// The input that is to blame.
    pub(crate) fn input(&self) -> Option<&str> {
        match self {
            Self::Input { input, .. } => Some(input),
            _ => None,
        }
    }

    /// The words of the programs that failed below Nix.
    pub(crate) fn evidence(&self) -> &[String] {
        match self {
            Self::Input { said, .. } => said,
            _ => &[],
        }
    }
}

impl Nix {
    /// Works out a lock file; nothing is written but what Nix caches.
    pub(crate) async fn lock(
        &self,
        request: &LockRequest<'_>,
        progress: ProgressFn<'_>,
    ) -> Result<Value, LockError> {
        let idle = if request.update == Update::Nothing { "reading inputs" } else { "fetching inputs" };
        let call =
            run::run(self.lock_command(request, metadata_argv(request)), idle, request.log_file, progress)
                .await;
        match answer(call) {
            Err(LockError::Flake { message, .. })
                if request.update != Update::Nothing && is_unknown_flag(&message) =>
            {
                self.lock_into_file(request, progress).await
            }
            result => result.and_then(|json| locks(&json)),
        }
    }

    /// The same where the flags of `nix flake metadata` are gone: `nix flake
    /// update` writes into a file of ours.
    async fn lock_into_file(
        &self,
        request: &LockRequest<'_>,
        progress: ProgressFn<'_>,
    ) -> Result<Value, LockError> {
        let unwritable = |error: std::io::Error| LockError::Answer(error.to_string());
        let folder = tempfile::tempdir().map_err(unwritable)?;
        let file = folder.path().join("flake.lock");
        let command = self.lock_command(request, update_argv(request, &file));
        answer(run::run(command, "fetching inputs", request.log_file, progress).await)?;
        let text = std::fs::read(&file).map_err(unwritable)?;
        serde_json::from_slice(&text).map_err(|error| LockError::Answer(error.to_string()))
    }

    fn lock_command(&self, request: &LockRequest<'_>, arguments: Vec<String>) -> Command {
        let command = self.nix().args(arguments).deadline(request.deadline);
        match request.flake_dir {
            Some(directory) => command.current_dir(directory),
            None => command,
        }
    }
}

/// What every call about inputs says first.
const TALK: [&str; 3] = ["--log-format", "internal-json", "--show-trace"];
/// What was looked up within the last hour is looked up again: an update that
/// misses what came since would not be one. `nix flake update` does the same.
const NEWEST: [&str; 3] = ["--option", "tarball-ttl", "0"];

fn reference(request: &LockRequest<'_>) -> String {
    super::eval::reference(request.flake, request.flake_dir.is_some())
}

fn metadata_argv(request: &LockRequest<'_>) -> Vec<String> {
    let mut argv = words(&["flake", "metadata", "--json", "--no-write-lock-file"]);
    argv.extend(words(&TALK));
    match request.update {
        Update::Nothing => {}
        Update::All => argv.push("--recreate-lock-file".to_owned()),
        Update::Inputs(inputs) => {
            argv.extend(inputs.iter().flat_map(|input| ["--update-input".to_owned(), input.clone()]));
        }
    }
    if request.update != Update::Nothing {
        argv.extend(words(&NEWEST));
    }
    argv.extend(["--".to_owned(), reference(request)]);
    argv
}

fn update_argv(request: &LockRequest<'_>, file: &Path) -> Vec<String> {
    let mut argv = words(&["flake", "update", "--flake"]);
    argv.push(reference(request));
    argv.extend(words(&TALK));
    argv.extend(["--output-lock-file".to_owned(), file.to_string_lossy().into_owned(), "--".to_owned()]);
    if let Update::Inputs(inputs) = request.update {
        argv.extend(inputs.iter().cloned());
    }
    argv
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Newer versions only let `nix flake update` bring inputs to their newest.
fn is_unknown_flag(message: &str) -> bool {
    message.contains("unrecognised flag") || message.contains("has been replaced by")
}

/// Standard output, or why there is none.
fn answer(call: Call) -> Result<Vec<u8>, LockError> {
    let Call { output, said, transcript, .. } = call;
    let output = output.map_err(|error| LockError::Exec(Arc::new(error)))?;
    if output.success() {
        return Ok(output.stdout);
    }
    let log = transcript.path().to_owned();
    let Some(last) = said.errors.last() else {
        let message = said.plain.last().cloned();
        let message = message.unwrap_or_else(|| "it ended without a message".to_owned());
        return Err(LockError::Flake { message: message.trim_start_matches("error: ").to_owned(), log });
    };
    let (message, trace) = match &last.error {
        Some(error) => (error.message.clone(), error.trace.as_slice()),
        None => (last.text.trim_start_matches("error:").trim().to_owned(), &[] as &[String]),
    };
    match trace.iter().find_map(|line| input_of(line)) {
        Some(input) => {
            Err(LockError::Input { input: input.to_owned(), message, said: last_words(&said.plain), log })
        }
        None => Err(LockError::Flake { message, log }),
    }
}

/// The last lines of what other programs said.
fn last_words(lines: &[String]) -> Vec<String> {
    let lines: Vec<&String> = lines.iter().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].iter().map(|&line| line.clone()).collect()
}

/// The input of `while updating the flake input 'three/one'`, innermost first.
fn input_of(line: &str) -> Option<&str> {
    line.strip_prefix("while updating the flake input '")?.split('\'').next()
}

fn locks(json: &[u8]) -> Result<Value, LockError> {
    let mut metadata: Value =
        serde_json::from_slice(json).map_err(|error| LockError::Answer(error.to_string()))?;
    match metadata.get_mut("locks") {
        Some(locks) => Ok(locks.take()),
        None => Err(LockError::Answer("it has no `locks`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(update: Update<'a>, log_file: &'a Path) -> LockRequest<'a> {
        LockRequest {
            flake: "/srv/a b",
            flake_dir: Some(Path::new("/srv/a b")),
            update,
            deadline: Duration::from_secs(60),
            log_file,
        }
    }

    #[test]
    fn no_call_writes_a_lock_file_of_the_flake() {
        let inputs = ["nixpkgs".to_owned(), "hm/nixpkgs".to_owned()];
        for update in [Update::Nothing, Update::All, Update::Inputs(&inputs)] {
            let request = request(update, Path::new("/log"));
            let argv = metadata_argv(&request);
            assert!(argv.contains(&"--no-write-lock-file".to_owned()), "{argv:?}");
            assert_eq!(argv[argv.len() - 2..], ["--", "."]);
            assert!(
                update_argv(&request, Path::new("/tmp/x/flake.lock"))
                    .join(" ")
                    .contains("--output-lock-file /tmp/x/flake.lock --")
            );
        }
        let argv = metadata_argv(&request(Update::Inputs(&inputs), Path::new("/log"))).join(" ");
        assert!(argv.contains("--update-input nixpkgs --update-input hm/nixpkgs"), "{argv}");
        assert!(argv.contains("tarball-ttl 0"), "{argv}");
        for lock in [
            TrialLock::Own,
            TrialLock::File("/x".into()),
            TrialLock::Overrides(vec![("a".into(), "path:/b".into())]),
        ] {
            assert_eq!(lock.arguments()[0], "--no-write-lock-file");
        }
    }

    #[test]
    fn the_innermost_input_of_a_trace_is_named() {
        assert_eq!(input_of("while updating the flake input 'three/one'"), Some("three/one"));
        assert_eq!(input_of("while fetching the input 'git+file:///x'"), None);
    }
}
