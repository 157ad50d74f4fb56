//! The configuration's repository, read with git.
//!
//! Only reads, but for mirrors of what is elsewhere (`history.rs`), for a commit
//! or a push that is asked for (`commit.rs`), and for
//! [`intend_to_add`] and [`forget_intention`]: no lock is taken
//! (`GIT_OPTIONAL_LOCKS=0`), and no program that the repository's own
//! configuration names is run for it. Paths are relative to the top of the
//! repository, whatever folder of it is given.

mod history;

pub(crate) mod commit;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::exec::{Command, ExecError};
use crate::model::{SourceState, text};

pub(crate) use history::{History, Range, has_commit, history, mirror};

/// What a Nix file is called, as git wants patterns; in every folder below.
const NIX: &str = "*.nix";

/// Why git could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// git could not be run to its end.
    #[error("cannot run git")]
    Exec(#[from] ExecError),
    /// git refused; the text is its own.
    #[error("git refused: {0}")]
    Refused(String),
    /// What should be a commit is none.
    #[error("{0:?} is not a commit hash")]
    Commit(String),
}

impl GitError {
    /// What to do about it.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Refused(message) if message.contains("dubious ownership") => vec![
                "run as the owner of the repository, or `git config --global --add safe.directory DIR`"
                    .to_owned(),
            ],
            Self::Exec(ExecError::NotFound { .. }) => vec!["install git".to_owned()],
            Self::Exec(_) | Self::Refused(_) | Self::Commit(_) => Vec::new(),
        }
    }
}

/// Commit, branch, dirt, untracked files and remote of the repository that
/// `directory` belongs to; `None` outside a repository. Three git processes
/// beside each other, about 5 ms.
///
/// A folder without any tracked file is listed as such, with a slash at the end.
pub(crate) async fn source_state(directory: &Path) -> Result<Option<SourceState>, GitError> {
    let command =
        git(directory).args(["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"]);
    let (status, remote, commit_time) =
        tokio::join!(run(command), remote_url(directory), commit_time(directory));
    match status {
        Ok(output) => Ok(Some(SourceState { remote, commit_time, ..parse_status(&output) })),
        Err(GitError::Refused(message)) if message.contains("not a git repository") => Ok(None),
        Err(error) => Err(error),
    }
}

/// The URL of the remote `origin`, without credentials; `None` when there is
/// none. Never a failure: it only says which repository this is.
pub(crate) async fn remote_url(directory: &Path) -> Option<String> {
    let output = run(git(directory).args(["config", "--get", "remote.origin.url"])).await.ok()?;
    let url = text::clean_line(output.trim());
    (!url.is_empty()).then(|| without_credentials(&url))
}

/// When the commit was made that is checked out.
async fn commit_time(directory: &Path) -> Option<Timestamp> {
    let output = run(git(directory).args(["log", "-1", "--format=%ct", "HEAD", "--"])).await.ok()?;
    Timestamp::from_second(output.trim().parse().ok()?).ok()
}

/// `https://user:token@host/x` without what stands before the `@`. The user of
/// ssh, as in `git@host:x`, is part of the place.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", authority.rsplit('@').next().unwrap_or(authority))
        }
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match authority.rsplit_once('@') {
                Some((user, host)) => {
                    let user = user.split(':').next().unwrap_or(user);
                    format!("{scheme}://{user}@{host}{path}")
                }
                None => url.to_owned(),
            }
        }
        None => url.to_owned(),
    }
}

/// Tracked files that differ between a commit and what is in the folder now:
/// committed since, changed and not committed. Sorted, each once.
pub(crate) async fn changed_files(directory: &Path, since: &str) -> Result<Vec<String>, GitError> {
    let since = checked_commit(since)?;
    let diff = git(directory).args(["diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", since, "--"]);
    let diff = run(diff).await?;
    let mut files: Vec<String> =
        diff.split('\0').filter(|path| !path.is_empty()).map(text::clean_line).collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// Nix files below a folder, relative to it, that git neither tracks nor ignores. Sorted.
pub(crate) async fn untracked_nix_files(directory: &Path) -> Result<Vec<String>, GitError> {
    let files =
        run(git(directory).args(["ls-files", "--others", "--exclude-standard", "-z", "--", NIX])).await?;
    let mut files: Vec<String> =
        files.split('\0').filter(|path| !path.is_empty()).map(text::clean_line).collect();
    files.sort();
    Ok(files)
}

/// Nix files below a folder, relative to it, that git does not track: those that
/// `git add` would take, and those that it is told to ignore. Each sorted.
pub(crate) async fn unseen_nix_files(directory: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), GitError> {
    let others = ["ls-files", "--others", "--exclude-standard", "-z"];
    let untracked = run_bytes(git(directory).args(others).args(["--", NIX]));
    let ignored = run_bytes(git(directory).args(others).args(["--ignored", "--", NIX]));
    let (untracked, ignored) = tokio::join!(untracked, ignored);
    Ok((paths(&untracked?), paths(&ignored?)))
}

/// Whether Nix reads of a local flake only what git knows; not so outside of a repository.
pub(crate) fn hides_untracked(flake: &str) -> bool {
    !flake.starts_with("path:")
}

/// Nix files below a folder, relative to it, that differ between a commit and
/// what is there now; those that are gone are left out. Sorted, each once.
pub(crate) async fn changed_nix_files(directory: &Path, since: &str) -> Result<Vec<PathBuf>, GitError> {
    let since = checked_commit(since)?;
    let diff = git(directory)
        .args(["diff", "--name-only", "--relative", "--no-renames", "--no-ext-diff", "--diff-filter=d", "-z"])
        .args([since, "--", NIX]);
    let untracked = git(directory).args(["ls-files", "--others", "--exclude-standard", "-z", "--", NIX]);
    let (diff, untracked) = tokio::join!(run_bytes(diff), run_bytes(untracked));
    let mut files = paths(&diff?);
    files.extend(paths(&untracked?));
    files.sort();
    files.dedup();
    Ok(files)
}

/// A file as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Staged {
    /// Its path, relative to the top of the repository.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// Nix files that the next commit would change, with the content that it would
/// get. `directory` must be the folder the program was started in: a hook's
/// git names its index relative to that. Symbolic links are left out.
pub(crate) async fn staged_nix_files(directory: &Path, below: &[PathBuf]) -> Result<Vec<Staged>, GitError> {
    let mut diff = hooked_git(directory)
        .args(["diff", "--cached", "--raw", "--no-abbrev", "--no-renames", "--no-relative", "--no-ext-diff"])
        .args(["--diff-filter=d", "-z", "--"]);
    diff = if below.is_empty() { diff.arg(":/*.nix") } else { diff.args(below) };
    let raw = run_bytes(diff).await?;
    let mut records = raw.split(|byte| *byte == 0);
    let mut found = Vec::new();
    // `:OLDMODE NEWMODE OLDHASH NEWHASH STATUS`, then the path (git-diff(1), "RAW OUTPUT FORMAT").
    while let (Some(record), Some(path)) = (records.next(), records.next()) {
        let record = String::from_utf8_lossy(record);
        let fields: Vec<&str> = record.split(' ').collect();
        let path = PathBuf::from(OsStr::from_bytes(path));
        if let [_, "100644" | "100755", _, hash, _] = fields[..]
            && path.extension().is_some_and(|extension| extension == "nix")
        {
            found.push((path, checked_commit(hash)?.to_owned()));
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let hashes: String = found.iter().map(|(_, hash)| format!("{hash}\n")).collect();
    let answer = run_bytes(hooked_git(directory).args(["cat-file", "--batch"]).stdin(hashes)).await?;
    let mut rest = answer.as_slice();
    let mut staged = Vec::new();
    for (path, hash) in found {
        // `HASH blob SIZE`, the content, a line end.
        let cut_off = || GitError::Refused(format!("git cat-file gave no content for {hash}"));
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(cut_off)?;
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()).ok_or_else(cut_off)?;
        let bytes = rest.get(end + 1..end + 1 + size).ok_or_else(cut_off)?.to_vec();
        rest = rest.get(end + 2 + size..).unwrap_or_default();
        staged.push(Staged { path, bytes });
    }
    Ok(staged)
}

/// The top folder of the repository that `directory` belongs to.
pub(crate) async fn top_level(directory: &Path) -> Result<PathBuf, GitError> {
    let mut top = run_bytes(hooked_git(directory).args(["rev-parse", "--show-toplevel"])).await?;
    // One line end; a folder's name may hold more.
    top.pop_if(|byte| *byte == b'\n');
    Ok(PathBuf::from(OsStr::from_bytes(&top)))
}

/// Makes a new file of a folder visible to Nix, which reads what git knows:
/// its name goes into the index, its content does not. Nothing outside of a
/// repository, or for a file that git knows. Gives whether it was needed.
pub(crate) async fn intend_to_add(directory: &Path, file: &str) -> Result<bool, GitError> {
    match run(git(directory).args(["ls-files", "--error-unmatch", "--", file])).await {
        Ok(_) => return Ok(false),
        Err(GitError::Refused(message)) if message.contains("not a git repository") => return Ok(false),
        Err(GitError::Refused(_)) => {}
        Err(error) => return Err(error),
    }
    // As Nix does it with a lock file that is new; also where .gitignore names it.
    run(git(directory).args(["add", "--intent-to-add", "--force", "--", file])).await?;
    Ok(true)
}

/// Takes [`intend_to_add`] back.
pub(crate) async fn forget_intention(directory: &Path, file: &str) -> Result<(), GitError> {
    run(git(directory).args(["rm", "--cached", "--quiet", "--ignore-unmatch", "--", file])).await?;
    Ok(())
}

fn paths(output: &[u8]) -> Vec<PathBuf> {
    let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut paths: Vec<PathBuf> = names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect();
    paths.sort();
    // A file in conflict is listed once for each side.
    paths.dedup();
    paths
}

/// git on a folder, for what a hook asks: the index may be one that git made
/// for this commit alone, and its variables say so.
fn hooked_git(directory: &Path) -> Command {
    Command::new("git")
        .current_dir(directory)
        .args(["-c", "core.fsmonitor=false", "-c", "core.pager=cat"])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .deadline(Duration::from_secs(30))
}

/// git on a folder. Variables that a git hook leaves behind would point it at
/// another repository.
fn git(directory: &Path) -> Command {
    Command::new("git")
        .arg("-C")
        .arg(directory)
        // Both can be set by the repository to run a program.
        .args(["-c", "core.fsmonitor=false", "-c", "core.pager=cat"])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .deadline(Duration::from_secs(30))
}

async fn run(command: Command) -> Result<String, GitError> {
    run_bytes(command).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

async fn run_bytes(command: Command) -> Result<Vec<u8>, GitError> {
    let output = command.output().await?;
    if output.success() {
        return Ok(output.stdout);
    }
    let said = text::clean_line(&output.stderr_tail.join(" "));
    Err(GitError::Refused(said.trim_start_matches("fatal: ").to_owned()))
}

/// Only hexadecimal digits: never an option, a range or a path.
fn checked_commit(commit: &str) -> Result<&str, GitError> {
    let is_hash = (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(commit) } else { Err(GitError::Commit(commit.to_owned())) }
}

/// Reads `git status --porcelain=v2 --branch -z` (git-status(1), "Porcelain
/// Format Version 2").
fn parse_status(output: &str) -> SourceState {
    let mut state = SourceState::default();
    let mut records = output.split('\0');
    while let Some(record) = records.next() {
        match record.split_once(' ') {
            Some(("#", header)) => match header.split_once(' ') {
                Some(("branch.oid", commit)) if commit != "(initial)" => state.commit = Some(commit.to_owned()),
                Some(("branch.head", branch)) if branch != "(detached)" => {
                    state.branch = Some(text::clean_line(branch));
                }
                _ => {}
            },
            Some(("1" | "u", _)) => state.dirty = true,
            Some(("2", _)) => {
                state.dirty = true;
                // A rename's old path is a record of its own.
                records.next();
            }
            Some(("?", path)) if is_of_an_update(path) => {}
            Some(("?", path)) => state.untracked.push(text::clean_line(path)),
            _ => {}
        }
    }
    state
}

/// What updates of inputs keep beside flake.lock is no part of a configuration.
fn is_of_an_update(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_prefix("flake.lock.").is_some_and(|rest| {
        rest == "updating" || ["backup", "new", "old", "marker"].iter().any(|kind| rest.starts_with(kind))
    })
}

#[cfg(test)]
mod tests;
