//! Reading git's answers, and real repositories.

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
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        run(git(self.path()).args(identity).args(arguments)).await.unwrap()
    }

    pub(super) async fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]).await;
        self.git(&["commit", "--quiet", "--message", message]).await;
        self.git(&["rev-parse", "HEAD"]).await.trim().to_owned()
    }

    /// An empty commit of a certain moment.
    pub(super) async fn commit_at(&self, message: &str, time: &str) -> String {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
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
    for file in ["flake.lock.backup", "flake.lock.updating", "flake.lock.backup.20251121-100000-aaaaaa", "b"] {
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
async fn changed_files_are_those_of_commits_index_and_folder_but_no_untracked_ones() {
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
    assert_eq!(files, ["committed.nix", "edited.nix", "gone.nix", "staged.nix"]);
}

#[tokio::test]
async fn untracked_nix_files_are_named_one_by_one_as_seen_from_the_folder() {
    let repository = Repository::new().await;
    repository.write("sub/flake.nix", "{ }");
    repository.write(".gitignore", "ignored.nix");
    repository.commit("first").await;
    for file in ["above.nix", "sub/hosts/new.nix", "sub/a.nix", "sub/ignored.nix", "sub/notes.txt"] {
        repository.write(file, "");
    }
    repository.write("sub/intended.nix", "");
    repository.git(&["add", "--intent-to-add", "sub/intended.nix"]).await;
    let files = untracked_nix_files(&repository.path().join("sub")).await.unwrap();
    assert_eq!(files, ["a.nix", "hosts/new.nix"]);
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
    let read: Vec<_> = staged.iter().map(|file| (file.path.to_str().unwrap(), file.bytes.as_slice())).collect();
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
