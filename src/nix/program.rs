//! The Nix programs and the parts of their argv that every call shares.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::exec::Command;

use super::{NixError, NixVersion};

/// The programs of one Nix installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nix {
    /// Where the programs are; `None` looks them up on PATH.
    folder: Option<PathBuf>,
    /// Set for every child on top of what we were started with.
    environment: Vec<(OsString, OsString)>,
}

/// Another machine's store, reached over ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteStore {
    url: String,
    ssh_config: PathBuf,
}

/// A store that cannot be given to Nix.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteStoreError {
    /// Nix splits its ssh options on white space.
    #[error("the ssh config path {0:?} has white space, which Nix cannot pass to ssh")]
    ConfigPath(PathBuf),
    /// Not `ssh-ng://[user@]host`.
    #[error("{0:?} is not an ssh-ng store of a host")]
    Scheme(String),
}

impl RemoteStore {
    /// The store `ssh-ng://[user@]host`, reached with the options of an ssh
    /// config file whose path has no white space.
    pub(crate) fn new(
        url: impl Into<String>,
        ssh_config: impl Into<PathBuf>,
    ) -> Result<Self, RemoteStoreError> {
        let (url, ssh_config) = (url.into(), ssh_config.into());
        // ssh:// answers one path at a time: ten times slower over distance.
        let is_destination = |text: &str| {
            let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
            let plain = |character: char| character.is_ascii_alphanumeric() || "._-@:[]%".contains(character);
            !host.is_empty() && !host.starts_with('-') && !text.starts_with('-') && text.chars().all(plain)
        };
        if !url.strip_prefix("ssh-ng://").is_some_and(is_destination) {
            return Err(RemoteStoreError::Scheme(url));
        }
        if ssh_config.to_string_lossy().contains(char::is_whitespace) {
            return Err(RemoteStoreError::ConfigPath(ssh_config));
        }
        Ok(Self { url, ssh_config })
    }

    /// What `--store`, `--to` and `--from` take.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The value of `NIX_SSHOPTS`.
    pub(crate) fn ssh_options(&self) -> String {
        format!("-F {}", self.ssh_config.display())
    }
}

impl Nix {
    /// The programs on PATH.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The programs of one folder.
    #[cfg(test)]
    pub(crate) fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::default() }
    }

    /// Sets an environment variable for every child.
    #[cfg(test)]
    pub(crate) fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The version, by asking; 11–30 ms. For doctor and for messages only.
    pub(crate) async fn version(&self) -> Result<NixVersion, NixError> {
        let output = self.command("nix").arg("--version").checked().await?;
        NixVersion::parse(&output.stdout_text())
    }

    /// A call of `nix`; flakes work even where nobody switched them on.
    pub(super) fn nix(&self) -> Command {
        self.command("nix").args(["--extra-experimental-features", "nix-command flakes"])
    }

    /// A call of `nix-store`.
    pub(super) fn nix_store(&self) -> Command {
        self.command("nix-store")
    }

    /// A call of `nix-instantiate`.
    pub(super) fn nix_instantiate(&self) -> Command {
        self.command("nix-instantiate")
    }

    /// A call of `nix-eval-jobs`.
    pub(super) fn nix_eval_jobs(&self) -> Command {
        self.command("nix-eval-jobs").args(["--extra-experimental-features", "nix-command flakes"])
    }

    fn command(&self, name: &str) -> Command {
        let program =
            self.folder.as_deref().map_or_else(|| Path::new(name).to_owned(), |folder| folder.join(name));
        let mut command = Command::new(program);
        // A deploy started by a git hook inherits these, and Nix' own git calls
        // would then look at the wrong repository.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command = command.env_remove(variable);
        }
        for (name, value) in &self.environment {
            command = command.env(name, value);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nix_call_switches_flakes_on() {
        let argv = Nix::in_folder("/opt/nix/bin").nix().arg("eval").argv();
        assert_eq!(argv, ["/opt/nix/bin/nix", "--extra-experimental-features", "nix-command flakes", "eval"]);
        assert_eq!(Nix::new().nix_store().argv(), ["nix-store"]);
    }

    #[test]
    fn stores_that_nix_could_not_reach_are_refused() {
        let store = RemoteStore::new("ssh-ng://root@p620", "/run/user/0/ssh").unwrap();
        assert_eq!(store.ssh_options(), "-F /run/user/0/ssh");
        assert!(RemoteStore::new("ssh-ng://p620", "/home/a b/ssh").is_err());
        for url in
            ["ssh://p620", "ssh-ng://", "ssh-ng://-oProxyCommand=x", "ssh-ng://root@-x", "ssh-ng://p620?a=b"]
        {
            assert!(RemoteStore::new(url, "/ssh").is_err(), "{url} was accepted");
        }
    }
}
