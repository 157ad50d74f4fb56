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

/// Files that differ between a commit and what is in the folder now: committed
/// since, changed and not committed, untracked. Sorted, each once.
pub(crate) async fn changed_files(directory: &Path, since: &str) -> Result<Vec<String>, GitError> {
    let since = checked_commit(since)?;
    let diff = git(directory).args(["diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", since, "--"]);
    let (diff, state) = tokio::join!(run(diff), source_state(directory));
    let mut files: Vec<String> =
        diff?.split('\0').filter(|path| !path.is_empty()).map(text::clean_line).collect();
    files.extend(state?.unwrap_or_default().untracked);
    files.sort();
    files.dedup();
    Ok(files)
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
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    pub(super) struct Repository(TempDir);

    impl Repository {
        pub(super) async fn new() -> Self {
            let repository = Self(tempfile::tempdir().unwrap());
            repository.git(&["init", "--quiet", "--initial-branch=main"]).await;
            repository
        }

        pub(super) fn path(&self) -> &Path {
            self.0.path()
        }

        pub(super) fn write(&self, file: &str, text: &str) {
            let path = self.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        pub(super) async fn git(&self, arguments: &[&str]) -> String {
            let identity =
                ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
            run(git(self.path()).args(identity).args(arguments)).await.unwrap()
        }

        pub(super) async fn commit(&self, message: &str) -> String {
            self.git(&["add", "--all"]).await;
            self.git(&["commit", "--quiet", "--message", message]).await;
            self.git(&["rev-parse", "HEAD"]).await.trim().to_owned()
        }

        /// An empty commit of a certain moment.
        pub(super) async fn commit_at(&self, message: &str, time: &str) -> String {
            let identity =
                ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
            let commit = ["commit", "--quiet", "--allow-empty", "--message", message];
            let command = git(self.path()).args(identity).args(commit);
            run(command.env("GIT_COMMITTER_DATE", time)).await.unwrap();
            self.git(&["rev-parse", "HEAD"]).await.trim().to_owned()
        }
    }

    #[tokio::test]
    async fn a_clean_repository_has_commit_and_branch() {
        let repository = Repository::new().await;
        repository.write("flake.nix", "{ }");
        let commit = repository.commit("first: a subject\n\nand a body").await;
        repository.write("modules/a.nix", "");
        fs::remove_dir_all(repository.path().join("modules")).unwrap();
        let state = source_state(repository.path()).await.unwrap().unwrap();
        let expected = SourceState {
            commit: Some(commit.clone()),
            branch: Some("main".to_owned()),
            commit_time: state.commit_time,
            ..SourceState::default()
        };
        assert_eq!(state, expected);
        assert!(state.commit_time.is_some_and(|time| time <= Timestamp::now()));
    }

    #[tokio::test]
    async fn a_new_file_can_be_made_known_to_git_and_forgotten_again() {
        let repository = Repository::new().await;
        repository.write("flake.nix", "{ }");
        repository.write(".gitignore", "flake.lock\n");
        repository.commit("first").await;
        repository.write("flake.lock", "{ }");
        let index = async || repository.git(&["ls-files"]).await;
        assert!(intend_to_add(repository.path(), "flake.lock").await.unwrap());
        assert_eq!(index().await, ".gitignore\nflake.lock\nflake.nix\n");
        assert!(!intend_to_add(repository.path(), "flake.lock").await.unwrap());
        forget_intention(repository.path(), "flake.lock").await.unwrap();
        assert_eq!(index().await, ".gitignore\nflake.nix\n");
        assert!(repository.path().join("flake.lock").exists());
        let outside = tempfile::tempdir().unwrap();
        assert!(!intend_to_add(outside.path(), "flake.lock").await.unwrap());
    }

    #[tokio::test]
    async fn what_updates_keep_beside_the_lock_file_is_no_untracked_file() {
        let repository = Repository::new().await;
        for file in
            ["flake.lock.backup", "flake.lock.updating", "flake.lock.backup.20251121-100000-aaaaaa", "b"]
        {
            repository.write(file, "");
        }
        let state = source_state(repository.path()).await.unwrap().unwrap();
        assert_eq!(state.untracked, ["b"]);
    }

    #[tokio::test]
    async fn the_remote_is_read_without_its_credentials() {
        let repository = Repository::new().await;
        assert_eq!(remote_url(repository.path()).await, None);
        let rows = [
            ("https://ada:token@git.example/acme/infra.git", "https://git.example/acme/infra.git"),
            ("https://token@git.example/acme", "https://git.example/acme"),
            ("git@github.com:acme/infra.git", "git@github.com:acme/infra.git"),
            ("ssh://ada:pw@host:2222/infra", "ssh://ada@host:2222/infra"),
            ("/srv/infra.git", "/srv/infra.git"),
        ];
        for (url, shown) in rows {
            repository.git(&["config", "remote.origin.url", url]).await;
            assert_eq!(remote_url(repository.path()).await.as_deref(), Some(shown));
        }
    }

    #[tokio::test]
    async fn dirt_and_untracked_files_are_told_apart() {
        let repository = Repository::new().await;
        repository.write("flake.nix", "{ }");
        repository.write(".gitignore", "ignored");
        repository.write("old name.nix", "a file that is long enough to be seen as renamed");
        let commit = repository.commit("first").await;
        repository.write("new\nline.nix", "");
        repository.write("modules/a.nix", "");
        repository.write("ignored", "");
        let state = source_state(repository.path()).await.unwrap().unwrap();
        assert!(!state.dirty);
        assert_eq!(state.untracked, ["modules/", "new line.nix"]);
        repository.git(&["mv", "old name.nix", "new name.nix"]).await;
        let state = source_state(&repository.path().join("modules")).await.unwrap().unwrap();
        assert!(state.dirty);
        assert_eq!(state.untracked, ["modules/", "new line.nix"]);
        repository.git(&["checkout", "--quiet", "--detach"]).await;
        let state = source_state(repository.path()).await.unwrap().unwrap();
        assert_eq!((state.branch, state.commit), (None, Some(commit)));
    }

    #[tokio::test]
    async fn changed_files_are_those_of_commits_index_folder_and_untracked() {
        let repository = Repository::new().await;
        for file in ["same.nix", "committed.nix", "staged.nix", "edited.nix", "gone.nix"] {
            repository.write(file, "1");
        }
        let since = repository.commit("first").await;
        repository.write("committed.nix", "2");
        repository.commit("second").await;
        repository.write("staged.nix", "2");
        repository.git(&["add", "staged.nix"]).await;
        repository.write("edited.nix", "2");
        repository.write("new.nix", "1");
        fs::remove_file(repository.path().join("gone.nix")).unwrap();
        let files = changed_files(repository.path(), &since).await.unwrap();
        assert_eq!(files, ["committed.nix", "edited.nix", "gone.nix", "new.nix", "staged.nix"]);
    }

    fn shown(paths: &[PathBuf]) -> Vec<&str> {
        paths.iter().map(|path| path.to_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn changed_nix_files_are_those_below_the_folder_that_are_still_there() {
        let repository = Repository::new().await;
        for file in ["flake.nix", "sub/a.nix", "sub/deep/b.nix", "sub/c.txt"] {
            repository.write(file, "1");
        }
        repository.write(".gitignore", "ignored.nix");
        let since = repository.commit("first").await;
        repository.write("sub/ignored.nix", "1");
        repository.write("sub/new/n w.nix", "1");
        repository.write("sub/deep/b.nix", "2");
        fs::remove_file(repository.path().join("sub/a.nix")).unwrap();
        repository.write("flake.nix", "2");
        let sub = repository.path().join("sub");
        let changed = changed_nix_files(&sub, &since).await.unwrap();
        assert_eq!(shown(&changed), ["deep/b.nix", "new/n w.nix"]);
    }

    #[tokio::test]
    async fn what_is_staged_is_read_from_the_index_and_not_from_the_folder() {
        let repository = Repository::new().await;
        repository.write("a.nix", "staged");
        repository.write("sub/b.nix", "two\nlines\n");
        repository.write("c.txt", "no");
        repository.git(&["add", "--all"]).await;
        repository.write("a.nix", "later");
        let staged = staged_nix_files(repository.path(), &[]).await.unwrap();
        let read: Vec<_> =
            staged.iter().map(|file| (file.path.to_str().unwrap(), file.bytes.as_slice())).collect();
        assert_eq!(read, [("a.nix", b"staged".as_slice()), ("sub/b.nix", b"two\nlines\n")]);
        let below = staged_nix_files(&repository.path().join("sub"), &[]).await.unwrap();
        assert_eq!(below.len(), 2, "the whole commit counts, whatever folder it is made in");
        let named = staged_nix_files(repository.path(), &["sub".into()]).await.unwrap();
        assert_eq!(named.len(), 1);
        repository.commit("first").await;
        fs::remove_file(repository.path().join("a.nix")).unwrap();
        repository.git(&["add", "--all"]).await;
        assert_eq!(staged_nix_files(repository.path(), &[]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn outside_a_repository_there_is_no_state() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(source_state(directory.path()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_repository_without_commit_has_none() {
        let repository = Repository::new().await;
        let state = source_state(repository.path()).await.unwrap().unwrap();
        assert_eq!((state.commit, state.branch.as_deref()), (None, Some("main")));
    }

    #[tokio::test]
    async fn what_is_no_commit_never_reaches_git() {
        let directory = Path::new("/");
        for commit in ["--output=/tmp/x", "HEAD", "abc", "main..x", ""] {
            assert!(matches!(changed_files(directory, commit).await, Err(GitError::Commit(_))), "{commit:?}");
        }
    }

    #[tokio::test]
    async fn a_commit_that_is_not_here_is_refused() {
        let repository = Repository::new().await;
        let error = changed_files(repository.path(), &"a".repeat(40)).await.unwrap_err();
        assert!(matches!(error, GitError::Refused(_)), "{error:?}");
    }
}
