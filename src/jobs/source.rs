//! The flake as a repository with a history: where its commits are read, and
//! how Nix is told to evaluate it at one of them.
//!
//! Invariant: a commit is named to Nix by its hash (`rev`), so that `self.rev` is
//! what it is in a deploy of that commit, and the same system comes out.

use std::path::{Path, PathBuf};

use super::{JobError, private_folder};
use crate::fleet::FlakeIdentity;
use crate::git::{self, GitError, History, Range};
use crate::model::Failure;
use crate::model::FailureClass;

/// Parameters of a flake reference that say which commit; ours replaces them.
const WHICH: [&str; 6] = ["rev", "ref", "narHash", "lastModified", "revCount", "dirtyRev"];

/// A flake whose history can be read.
#[derive(Clone, Debug)]
pub(crate) struct FlakeSource {
    /// The flake reference as the settings resolved it.
    pub(crate) flake: String,
    /// The folder of a local flake.
    pub(crate) folder: Option<PathBuf>,
    /// The name of this machine.
    pub(crate) machine: String,
    /// The state folder; mirrors of repositories elsewhere are below it.
    pub(crate) state_dir: PathBuf,
}

/// Why the history cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The folder is in no repository.
    #[error("{} is in no git repository", folder.display())]
    NoRepository {
        /// Which folder.
        folder: PathBuf,
    },
    /// Nothing was committed yet.
    #[error("the repository of {} has no commit yet", folder.display())]
    NoCommit {
        /// Which folder.
        folder: PathBuf,
    },
    /// The flake is something else than a git repository.
    #[error("the history of {flake} cannot be read: it is no git repository that is known how to reach")]
    NotGit {
        /// The reference.
        flake: String,
    },
    /// git did not do it.
    #[error("the history of {flake} cannot be read")]
    Git {
        /// The reference.
        flake: String,
        /// What it said.
        #[source]
        source: GitError,
    },
}

impl SourceError {
    /// The failure, with what to do next.
    pub(crate) fn failure(&self) -> Failure {
        let failure = Failure::from_error(FailureClass::Usage, self);
        match self {
            Self::NoRepository { .. } => failure
                .hint("the record is about commits: `git init`, `git add` and `git commit` the configuration"),
            Self::NoCommit { .. } => failure.hint("`git commit` the configuration first"),
            Self::NotGit { .. } => failure.hint(
                "use a local folder, `git+ssh://…`, `git+https://…`, `github:…`, `gitlab:…` or `sourcehut:…`",
            ),
            Self::Git { source, .. } => source.hints().into_iter().fold(failure, Failure::hint),
        }
    }
}

/// A history with what is worth saying about the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceHistory {
    /// The commits.
    pub(crate) history: History,
    /// Whether the folder has changes that are not committed.
    pub(crate) is_dirty: bool,
}

impl FlakeSource {
    /// The flake as the recorder names it: by its repository, where it has one.
    pub(crate) async fn identity(&self) -> FlakeIdentity {
        let remote = match &self.folder {
            Some(folder) => git::remote_url(folder).await,
            None => None,
        };
        FlakeIdentity::new(&self.machine, &self.flake, remote.as_deref())
    }

    /// Reads the history, for a repository elsewhere after fetching it.
    pub(crate) async fn history(&self, range: Range) -> Result<SourceHistory, JobError> {
        let failed = |source| SourceError::Git { flake: self.flake.clone(), source };
        let (folder, range, is_dirty) = match &self.folder {
            Some(folder) => {
                let is_dirty = self.look(folder).await?;
                let until = parameter(&self.flake, "rev").or_else(|| parameter(&self.flake, "ref"));
                (folder.clone(), Range { until: until.map(str::to_owned), ..range }, is_dirty)
            }
            None => {
                let remote = self.remote()?;
                let mirrors = self.state_dir.join("git");
                private_folder(&mirrors)?;
                let folder = mirrors.join(file_name(&remote.url));
                let mirrored = git::mirror(&folder, &remote.url, remote.reference.as_deref(), range).await;
                let (folder, range) = mirrored.map_err(failed)?;
                (folder, range, false)
            }
        };
        let history = git::history(&folder, &range).await.map_err(failed)?;
        Ok(SourceHistory { history, is_dirty })
    }

    /// Whether the folder has changes that are not committed.
    async fn look(&self, folder: &Path) -> Result<bool, SourceError> {
        let state = git::source_state(folder)
            .await
            .map_err(|source| SourceError::Git { flake: self.flake.clone(), source })?;
        let folder = folder.to_owned();
        match state {
            None => Err(SourceError::NoRepository { folder }),
            Some(state) if state.commit.is_none() => Err(SourceError::NoCommit { folder }),
            Some(state) => Ok(state.dirty),
        }
    }

    /// Whether a commit can be evaluated here: a local clone may lack it.
    pub(crate) async fn has(&self, hash: &str) -> bool {
        match &self.folder {
            // git that cannot be asked is no reason not to try: Nix will say it.
            Some(folder) => git::has_commit(folder, hash).await.unwrap_or(true),
            None => true,
        }
    }

    /// The reference of the flake at a commit; for a local one as seen from its
    /// folder.
    pub(crate) fn at(&self, hash: &str) -> String {
        let (reference, query) = self.flake.split_once('?').unwrap_or((&self.flake, ""));
        let others = query.split('&').filter(|pair| {
            let key = pair.split('=').next().unwrap_or_default();
            // Nix finds the folder by itself when it starts in it.
            !(key.is_empty() || WHICH.contains(&key) || (self.folder.is_some() && key == "dir"))
        });
        let others: String = others.map(|pair| format!("&{pair}")).collect();
        match (&self.folder, forge(reference)) {
            (Some(_), _) => format!(".?rev={hash}{others}"),
            (None, Some((scheme, path))) => {
                let mut parts = path.split('/');
                let (owner, repository) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let others = others.trim_start_matches('&');
                let query = if others.is_empty() { String::new() } else { format!("?{others}") };
                format!("{scheme}:{owner}/{repository}/{hash}{query}")
            }
            (None, None) => {
                // Without it Nix looks for the commit on the default branch only.
                let branch =
                    parameter(&self.flake, "ref").map_or("&allRefs=1".to_owned(), |r| format!("&ref={r}"));
                format!("{reference}?rev={hash}{branch}{others}")
            }
        }
    }

    fn remote(&self) -> Result<Remote, SourceError> {
        remote(&self.flake).ok_or_else(|| SourceError::NotGit { flake: self.flake.clone() })
    }
}

/// A repository elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Remote {
    url: String,
    reference: Option<String>,
}

/// `github`, `gitlab` or `sourcehut`, and what follows.
fn forge(reference: &str) -> Option<(&str, &str)> {
    let (scheme, path) = reference.split_once(':')?;
    ["github", "gitlab", "sourcehut"].contains(&scheme).then_some((scheme, path))
}

fn remote(flake: &str) -> Option<Remote> {
    let (reference, _) = flake.split_once('?').unwrap_or((flake, ""));
    let named = |key| parameter(flake, key).map(str::to_owned);
    let reference_of = |path_reference: Option<&str>| {
        named("rev").or_else(|| path_reference.map(str::to_owned)).or_else(|| named("ref"))
    };
    if let Some((scheme, path)) = forge(reference) {
        let mut parts = path.splitn(3, '/');
        let (owner, repository) = (parts.next()?, parts.next()?);
        let host = named("host").unwrap_or_else(|| {
            match scheme {
                "github" => "github.com",
                "gitlab" => "gitlab.com",
                _ => "git.sr.ht",
            }
            .to_owned()
        });
        // gitlab:group%2Fsubgroup/repository
        let owner = owner.replace("%2F", "/").replace("%2f", "/");
        let end = if scheme == "sourcehut" { "" } else { ".git" };
        let url = format!("https://{host}/{owner}/{repository}{end}");
        return Some(Remote { url, reference: reference_of(parts.next()) });
    }
    let is_git = ["git+ssh://", "git+https://", "git+http://", "git://"];
    if !is_git.iter().any(|scheme| reference.starts_with(scheme)) {
        return None;
    }
    let url = reference.strip_prefix("git+").unwrap_or(reference).to_owned();
    Some(Remote { url, reference: reference_of(None) })
}

/// The value of a parameter of a flake reference.
fn parameter<'a>(flake: &'a str, key: &str) -> Option<&'a str> {
    let (_, query) = flake.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(found, _)| *found == key)
        .map(|(_, value)| value)
}

/// A file name for a URL: the same for the same URL, and of no other.
fn file_name(url: &str) -> String {
    let mut name = String::new();
    for byte in url.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' => name.push(char::from(byte)),
            byte => name.push_str(&format!("_{byte:02x}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(flake: &str, folder: Option<&str>) -> FlakeSource {
        FlakeSource {
            flake: flake.to_owned(),
            folder: folder.map(PathBuf::from),
            machine: "desk".to_owned(),
            state_dir: PathBuf::from("/state"),
        }
    }

    #[test]
    fn a_commit_is_named_in_the_way_of_the_flake() {
        let here = Some("/home/ada/cfg");
        let rows = [
            ("/home/ada/cfg", here, ".?rev=c0ffee"),
            ("path:/home/ada/cfg", here, ".?rev=c0ffee"),
            ("git+file:///home/ada/cfg?ref=main&dir=x&submodules=1", here, ".?rev=c0ffee&submodules=1"),
            ("github:ada/cfg", None, "github:ada/cfg/c0ffee"),
            ("github:ada/cfg/main?dir=x", None, "github:ada/cfg/c0ffee?dir=x"),
            ("git+ssh://git@forge/cfg", None, "git+ssh://git@forge/cfg?rev=c0ffee&allRefs=1"),
            ("git+https://forge/cfg?ref=next&dir=x", None, "git+https://forge/cfg?rev=c0ffee&ref=next&dir=x"),
        ];
        for (flake, folder, expected) in rows {
            assert_eq!(source(flake, folder).at("c0ffee"), expected, "{flake}");
        }
    }

    #[test]
    fn repositories_elsewhere_are_found_and_others_refused() {
        let rows = [
            ("github:ada/cfg", "https://github.com/ada/cfg.git", None),
            ("github:ada/cfg/main?dir=x", "https://github.com/ada/cfg.git", Some("main")),
            ("github:ada/cfg?host=git.acme.example", "https://git.acme.example/ada/cfg.git", None),
            ("gitlab:group%2Fsub/cfg", "https://gitlab.com/group/sub/cfg.git", None),
            ("sourcehut:~ada/cfg", "https://git.sr.ht/~ada/cfg", None),
            ("git+ssh://git@forge:22/cfg?ref=next", "ssh://git@forge:22/cfg", Some("next")),
        ];
        for (flake, url, reference) in rows {
            let expected = Remote { url: url.to_owned(), reference: reference.map(str::to_owned) };
            assert_eq!(remote(flake), Some(expected), "{flake}");
        }
        for flake in ["cfg", "flake:cfg", "https://forge/cfg.tar.gz", "github:ada", "hg+https://x/y"] {
            assert_eq!(remote(flake), None, "{flake}");
        }
        assert_eq!(file_name("ssh://git@forge/a_b"), "ssh_3a_2f_2fgit_40forge_2fa_5fb");
    }

    #[tokio::test]
    async fn a_folder_without_repository_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let source = source("/x", folder.path().to_str());
        let error = source.history(Range::default()).await.unwrap_err();
        assert!(error.to_string().ends_with("is in no git repository"), "{error}");
    }
}
