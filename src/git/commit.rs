//! The only writing to the configuration's repository: a commit of what is staged
//! or named, and the push of a branch. Hooks run as for any commit; nothing is
//! forced.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{GitError, git, run, run_bytes};
use crate::exec::{Command, ExecError};
use crate::model::text;

/// How long a commit with its hooks may take.
const COMMIT: Duration = Duration::from_secs(600);
/// How long a push may take.
const PUSH: Duration = Duration::from_secs(300);

/// Why nothing was committed or pushed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// git could not be run, or refused to look.
    #[error("cannot look at the repository")]
    Git(#[from] GitError),
    /// git could not be run to its end.
    #[error("cannot run git to its end")]
    Exec(#[source] ExecError),
    /// The folder is in no repository.
    #[error("{folder:?} is in no git repository")]
    NoRepository {
        /// Which folder.
        folder: PathBuf,
    },
    /// Files were named that cannot be staged.
    #[error("git could not stage what was named")]
    Stage {
        /// What it said.
        said: Vec<String>,
    },
    /// There are changes, but none is staged or named.
    #[error("nothing is staged and no file is named, but {0:?} has changed")]
    NothingStaged(String),
    /// A hook or git itself refused.
    #[error("git did not commit")]
    Refused {
        /// What they said.
        said: Vec<String>,
    },
    /// The other side, or the way to it, refused.
    #[error("git did not push to {remote}")]
    Push {
        /// Where to, without credentials.
        remote: String,
        /// What they said.
        said: Vec<String>,
    },
}

impl CommitError {
    /// What git and hooks said.
    pub(crate) fn said(&self) -> &[String] {
        match self {
            Self::Stage { said } | Self::Refused { said } | Self::Push { said, .. } => said,
            _ => &[],
        }
    }
}

/// Files that the next commit would change, relative to the top of the repository.
pub(crate) async fn staged_files(directory: &Path) -> Result<Vec<String>, GitError> {
    names(git(directory).args(["diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff", "-z"])).await
}

async fn names(command: Command) -> Result<Vec<String>, GitError> {
    let output = run_bytes(command).await?;
    let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| text::clean_line(&OsStr::from_bytes(name).to_string_lossy())).collect())
}

/// Whether the named files, relative to `directory`, could be staged; nothing is.
pub(crate) async fn can_stage(directory: &Path, files: &[PathBuf]) -> Result<(), CommitError> {
    if super::source_state(directory).await?.is_none() {
        return Err(CommitError::NoRepository { folder: directory.to_owned() });
    }
    if files.is_empty() {
        return Ok(());
    }
    let command = writing(directory).args(["add", "--dry-run", "--"]).args(files);
    let output = command.output().await.map_err(CommitError::Exec)?;
    if output.success() { Ok(()) } else { Err(CommitError::Stage { said: said(&output.stderr_tail) }) }
}

/// Stages the named files, relative to `directory`, and gives what the commit
/// will hold. None when nothing at all has changed.
pub(crate) async fn stage(directory: &Path, files: &[PathBuf]) -> Result<Option<Vec<String>>, CommitError> {
    match super::source_state(directory).await? {
        None => return Err(CommitError::NoRepository { folder: directory.to_owned() }),
        Some(state) if files.is_empty() && !state.dirty => return Ok(None),
        Some(_) => {}
    }
    if !files.is_empty() {
        let output =
            writing(directory).args(["add", "--"]).args(files).output().await.map_err(CommitError::Exec)?;
        if !output.success() {
            return Err(CommitError::Stage { said: said(&output.stderr_tail) });
        }
    }
    let staged = staged_files(directory).await?;
    if staged.is_empty() {
        let changed = git(directory).args(["diff", "--name-only", "--no-ext-diff", "-z"]);
        return match names(changed).await?.into_iter().next() {
            Some(file) => Err(CommitError::NothingStaged(file)),
            None => Ok(None),
        };
    }
    Ok(Some(staged))
}

/// Commits what is staged and gives the new commit.
pub(crate) async fn commit(directory: &Path, message: &str) -> Result<String, CommitError> {
    // From standard input: a message is never an option.
    let command = writing(directory).args(["commit", "--quiet", "--file=-"]).stdin(message);
    let output = command.deadline(COMMIT).output().await.map_err(CommitError::Exec)?;
    if !output.success() {
        let mut lines = said(output.stdout_text().lines().map(str::to_owned).collect::<Vec<_>>().as_slice());
        lines.extend(said(&output.stderr_tail));
        return Err(CommitError::Refused { said: lines });
    }
    Ok(run(git(directory).args(["rev-parse", "HEAD"])).await?.trim().to_owned())
}

/// Pushes a commit as a branch, whatever is checked out; never by force.
pub(crate) async fn push(
    directory: &Path,
    remote: &str,
    commit: &str,
    branch: &str,
) -> Result<(), CommitError> {
    let command = writing(directory)
        .args(["push", "--quiet", "--", remote])
        .arg(format!("{commit}:refs/heads/{branch}"))
        // A push that wants a password ends instead of waiting for one.
        .env("GIT_TERMINAL_PROMPT", "0");
    let output = command.deadline(PUSH).output().await.map_err(CommitError::Exec)?;
    if output.success() {
        return Ok(());
    }
    Err(CommitError::Push { remote: text::clean_line(remote), said: said(&output.stderr_tail) })
}

/// The URL of a remote, without credentials.
pub(crate) async fn remote(directory: &Path, name: &str) -> Option<String> {
    let output = run(git(directory).args(["config", "--get", &format!("remote.{name}.url")])).await.ok()?;
    let url = text::clean_line(output.trim());
    (!url.is_empty()).then(|| super::without_credentials(&url))
}

/// The first line of the message of a commit.
pub(crate) async fn subject(directory: &Path, commit: &str) -> Result<String, GitError> {
    Ok(text::clean_line(&run(git(directory).args(["log", "-1", "--format=%s", commit, "--"])).await?))
}

fn said(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| text::clean_line(line)).filter(|line| !line.is_empty()).collect()
}

/// git for writing, as its user runs it: hooks, signing and the index are the
/// repository's own business.
fn writing(directory: &Path) -> Command {
    Command::new("git")
        .current_dir(directory)
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        // Nobody edits a message that is given.
        .env("GIT_EDITOR", "true")
        .deadline(Duration::from_secs(60))
}
