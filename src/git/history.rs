//! The history of a repository: which commits there are, in which order, when
//! they were made. A repository that is elsewhere has a mirror here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::{GitError, git, run};
use crate::exec::Command;
use crate::model::Commit;

/// Fetching a history may take so long.
const FETCH: Duration = Duration::from_secs(10 * 60);
/// The branch of a mirror that follows the other repository.
const FOLLOWED: &str = "refs/nix-deploy/followed";

/// Which commits are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// The branch, tag or hash that it ends with; what is checked out if `None`.
    pub(crate) until: Option<String>,
    /// Only so many of the newest.
    pub(crate) limit: Option<u64>,
    /// Only from then on.
    pub(crate) since: Option<Timestamp>,
}

/// A history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// The commits, oldest first; each after those it follows.
    pub(crate) commits: Vec<Commit>,
    /// Whether older commits are missing because the clone is a shallow one.
    pub(crate) is_shallow: bool,
}

/// Reads the history of the repository that a folder belongs to. Two git
/// processes beside each other; 5,000 commits take about 40 ms.
pub(crate) async fn history(directory: &Path, range: &Range) -> Result<History, GitError> {
    let mut log = git(directory).args(["log", "--date-order", "--reverse", "--no-show-signature"]);
    log = log.args(["--no-color", "--format=%H %ct"]);
    if let Some(limit) = range.limit {
        log = log.arg(format!("--max-count={limit}"));
    }
    if let Some(since) = range.since {
        log = log.arg(format!("--since={since}"));
    }
    let until = range.until.as_deref().unwrap_or("HEAD");
    // Behind this word nothing is an option.
    log = log.args(["--end-of-options", until, "--"]);
    let shallow = git(directory).args(["rev-parse", "--is-shallow-repository"]);
    let (log, shallow) = tokio::join!(run(log), run(shallow));
    let commits = log?.lines().filter_map(parse_line).collect();
    Ok(History { commits, is_shallow: shallow?.trim() == "true" })
}

/// `HASH SECONDS`.
fn parse_line(line: &str) -> Option<Commit> {
    let (hash, seconds) = line.trim().split_once(' ')?;
    // A clock may have said anything; the order is git's.
    let time = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some(Commit { hash: hash.to_owned(), time: time.unwrap_or(Timestamp::UNIX_EPOCH) })
}

/// Whether a commit is in the repository that a folder belongs to.
pub(crate) async fn has_commit(directory: &Path, commit: &str) -> Result<bool, GitError> {
    let commit = super::checked_commit(commit)?;
    let object = format!("{commit}^{{commit}}");
    match run(git(directory).args(["cat-file", "-e", &object])).await {
        Ok(_) => Ok(true),
        Err(GitError::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Brings the mirror of a repository that is elsewhere up to date, makes it when
/// it is missing, and gives the range of its history that ends with `reference`
/// there. Only commits are fetched where the other side can do that.
pub(crate) async fn mirror(
    folder: &Path,
    url: &str,
    reference: Option<&str>,
    range: Range,
) -> Result<(PathBuf, Range), GitError> {
    let reference = reference.unwrap_or("HEAD");
    if !folder.join("HEAD").exists() {
        run(unattended(Command::new("git")).args(["init", "--quiet", "--bare", "--"]).arg(folder)).await?;
    }
    run(git(folder).args(["config", "remote.origin.url", url])).await?;
    let fetch = unattended(git(folder))
        .args(["fetch", "--quiet", "--no-tags", "--filter=tree:0", "origin"])
        .arg(format!("+{reference}:{FOLLOWED}"))
        .deadline(FETCH);
    run(fetch).await?;
    Ok((folder.to_owned(), Range { until: Some(FOLLOWED.to_owned()), ..range }))
}

/// git and ssh that ask nobody anything: there may be a terminal, but this is
/// not its foreground.
fn unattended(command: Command) -> Command {
    command.env("GIT_TERMINAL_PROMPT", "0").env("SSH_ASKPASS", "false").env("SSH_ASKPASS_REQUIRE", "force")
}

#[cfg(test)]
mod tests {
    use super::super::tests::Repository;
    use super::*;

    fn hashes(history: &History) -> Vec<&str> {
        history.commits.iter().map(|commit| commit.hash.as_str()).collect()
    }

    #[tokio::test]
    async fn commits_come_oldest_first_and_after_what_they_follow() {
        let repository = Repository::new().await;
        let first = repository.commit_at("first", "2025-11-21T10:00:00Z").await;
        repository.git(&["checkout", "--quiet", "-b", "side"]).await;
        let side = repository.commit_at("side", "2025-11-21T09:00:00Z").await;
        repository.git(&["checkout", "--quiet", "main"]).await;
        let second = repository.commit_at("second", "2025-11-21T12:00:00Z").await;
        repository.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "side"]).await;
        let merge = repository.git(&["rev-parse", "HEAD"]).await.trim().to_owned();
        let whole = history(repository.path(), &Range::default()).await.unwrap();
        assert_eq!(whole.commits.len(), 4);
        assert_eq!((hashes(&whole)[0], hashes(&whole)[3]), (first.as_str(), merge.as_str()));
        assert!(hashes(&whole).contains(&side.as_str()) && !whole.is_shallow);
        assert_eq!(whole.commits[0].time.to_string(), "2025-11-21T10:00:00Z");
        let newest = Range { until: Some(second.clone()), limit: Some(1), ..Range::default() };
        assert_eq!(hashes(&history(repository.path(), &newest).await.unwrap()), [second.as_str()]);
        let since = Range { since: Some("2025-11-21T11:00:00Z".parse().unwrap()), ..Range::default() };
        assert_eq!(hashes(&history(repository.path(), &since).await.unwrap()), [second.as_str(), &merge]);
        let option = Range { until: Some("--output=/tmp/x".to_owned()), ..Range::default() };
        assert!(matches!(history(repository.path(), &option).await, Err(GitError::Refused(_))));
        assert!(has_commit(repository.path(), &side).await.unwrap());
        assert!(!has_commit(repository.path(), &"0".repeat(40)).await.unwrap());
    }

    #[tokio::test]
    async fn a_repository_elsewhere_is_followed_and_a_shallow_one_is_told() {
        let repository = Repository::new().await;
        repository.write("flake.nix", "{ }");
        let first = repository.commit("first").await;
        let folder = tempfile::tempdir().unwrap();
        let mirrored = folder.path().join("mirror");
        let url = format!("file://{}", repository.path().display());
        let (mirror_folder, range) = mirror(&mirrored, &url, None, Range::default()).await.unwrap();
        assert_eq!(hashes(&history(&mirror_folder, &range).await.unwrap()), [first.as_str()]);
        repository.write("flake.nix", "{ a = 1; }");
        let second = repository.commit("second").await;
        let (_, range) = mirror(&mirrored, &url, Some("main"), Range::default()).await.unwrap();
        assert_eq!(hashes(&history(&mirror_folder, &range).await.unwrap()), [first.as_str(), &second]);
        let error = mirror(&mirrored, &url, Some("no-such-branch"), Range::default()).await.unwrap_err();
        assert!(matches!(&error, GitError::Refused(said) if said.contains("no-such-branch")), "{error:?}");

        let shallow = folder.path().join("shallow");
        let clone = ["clone", "--quiet", "--depth=1", &url, shallow.to_str().unwrap()];
        repository.git(&clone).await;
        let history = history(&shallow, &Range::default()).await.unwrap();
        assert!(history.is_shallow);
        assert_eq!(hashes(&history), [second.as_str()]);
    }
}
