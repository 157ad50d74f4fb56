//! A place of its own for tests with the installed Nix: store, home, flake,
//! and a stand-in for ssh whose "host" is a second store. Nothing outside the
//! temporary folder is touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::exec::Command;
use crate::model::HostName;

use super::{ChunkPolicy, EvalRequest, Evaluated, Nix, NixProgress, RemoteStore};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";

/// Four hosts: alpha and beta are fine, broken needs a package whose builder
/// fails, typo does not evaluate.
const FLAKE: &str = r#"{
  outputs = { self }: let
    package = name: script: derivation { inherit name; system = builtins.currentSystem or "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; };
    host = name: unit: { config.system.build.toplevel = package "nixos-system-${name}-25.05" "echo ${unit} > $out"; };
  in { nixosConfigurations = {
    alpha = host "alpha" (package "hello-1.0" "echo greeting; echo hello > $out");
    beta = host "beta" (package "world-2.0" "echo world > $out");
    broken = host "broken" (package "broken-3.0" "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo part $i; done; exit 3");
    typo = host "typo" {}.missing;
    untracked = host "untracked" (import ./new.nix);
    "odd\"\${name}" = host "odd" "text";
  }; };
}"#;

/// Drops ssh's options and the host and runs the command here.
const SSH: &str = r#"#!/bin/sh
case " $* " in *" -O check "*) exit 255;; esac
echo "$@" >> "$TEST_ROOT/ssh-argv"
case " $* " in *LocalCommand=echo*) echo started;; esac
while [ $# -gt 0 ]; do case $1 in nix-daemon*|nix-store*) break;; *) shift;; esac; done
export NIX_REMOTE="local?root=$TEST_ROOT/host"
[ ! -e "$TEST_ROOT/ssh-mode" ] || . "$TEST_ROOT/ssh-mode"
exec sh -c "$*"
"#;

pub(crate) struct Playground {
    directory: TempDir,
}

impl Playground {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let playground = Self { directory };
        for folder in ["home", "bin", "flake", "logs", "roots"] {
            fs::create_dir(playground.path(folder)).unwrap();
        }
        playground.script("ssh", SSH);
        fs::write(playground.path("flake/flake.nix"), FLAKE).unwrap();
        playground.git(&["init", "--quiet"]).await;
        playground.git(&["add", "flake.nix"]).await;
        playground
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) async fn git(&self, arguments: &[&str]) {
        self.git_in("flake", arguments).await;
    }

    /// Runs git in another folder of the playground.
    pub(crate) async fn git_in(&self, folder: &str, arguments: &[&str]) {
        let git = Command::new("git").current_dir(self.path(folder)).args(arguments);
        git.env("HOME", self.path("home")).checked().await.unwrap();
    }

    /// The installed Nix on a store of its own. Builders see the system's
    /// shell because a store that is elsewhere always builds in a sandbox.
    pub(crate) fn nix(&self) -> Nix {
        self.around(Nix::new())
    }

    /// Scripts of ours instead of Nix.
    pub(crate) fn fake_nix(&self) -> Nix {
        self.around(Nix::in_folder(self.path("bin")))
    }

    fn around(&self, nix: Nix) -> Nix {
        nix.with_env("HOME", self.path("home"))
            .with_env("PATH", format!("{}:{PATH}", self.path("bin").display()))
            .with_env("TEST_ROOT", self.directory.path())
            .with_env("NIX_REMOTE", format!("local?root={}", self.path("store").display()))
            .with_env(
                "NIX_CONFIG",
                "build-users-group =\nsubstituters =\nsandbox-paths = /bin /lib /lib64 /usr",
            )
    }

    pub(crate) fn host(&self) -> RemoteStore {
        RemoteStore::new("ssh-ng://root@host", self.path("ssh-config")).unwrap()
    }

    pub(crate) fn request<'a>(
        &self,
        flake_dir: &'a Path,
        log_file: &'a Path,
        hosts: &[&str],
    ) -> EvalRequest<'a> {
        EvalRequest {
            flake: ".",
            flake_dir: Some(flake_dir),
            ask: crate::nix::Ask::Paths,
            attributes: hosts.iter().map(|name| (host(name), (*name).to_owned())).collect(),
            deadline: Duration::from_secs(120),
            log_file,
            chunks: ChunkPolicy { available_memory: 16 << 30, processors: 2 },
            lock: None,
        }
    }

    pub(crate) async fn evaluated(&self, hosts: &[&str]) -> Vec<Evaluated> {
        let (flake, log) = (self.path("flake"), self.path("logs/evaluate.log"));
        let request = self.request(&flake, &log, hosts);
        let mut answers = self.nix().evaluate(&request, &quiet).await;
        hosts.iter().map(|name| answers.remove(&host(name)).unwrap().unwrap()).collect()
    }
}

pub(crate) fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

pub(crate) fn quiet(_: NixProgress) {}
