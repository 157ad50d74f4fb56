//! Runs the program in an environment of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

/// A place to run the program in: a folder, a home, and its own PATH.
pub(crate) struct Place {
    root: TempDir,
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error; the place's folder reads `[PLACE]`.
    pub(crate) stderr: String,
}

impl Place {
    /// A place with empty folders.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["work", "home", "bin"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root }
    }

    /// A place with a flake and a hosts.toml with this text below its version.
    pub(crate) fn with_hosts(text: &str) -> Self {
        let place = Self::new();
        place.write("flake.nix", "{ outputs = _: { }; }\n");
        place.write("hosts.toml", format!("version = 1\n{text}"));
        place
    }

    /// The folder the program runs in.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Writes a file of that folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Reads a file of that folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.work().join(name)).unwrap()
    }

    /// Puts a shell script on PATH.
    pub(crate) fn script(&self, name: &str, body: &str) {
        let path = self.root.path().join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a program of this machine on PATH.
    pub(crate) fn link(&self, name: &str) {
        let folders = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"];
        let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
        std::os::unix::fs::symlink(found.unwrap(), self.root.path().join("bin").join(name)).unwrap();
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &[])
    }

    /// Runs the program with some environment.
    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
        self.run_in(&self.work(), arguments, environment)
    }

    /// Starts the program and leaves it running; what it says is read by the caller.
    pub(crate) fn start(&self, arguments: &[&str]) -> std::process::Child {
        self.command(&self.work(), arguments, &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "a test of the program starts the program")]
    fn command(
        &self,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nix-deploy"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", self.root.path().join("bin"))
            .env("HOME", self.root.path().join("home"))
            .env("USER", "ada")
            .env("LANG", "C.UTF-8")
            .envs(environment.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program in another folder.
    pub(crate) fn run_in(&self, folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
        let output = self.command(folder, arguments, environment).output().unwrap();
        let text = |bytes: Vec<u8>| {
            let root = self.root.path().canonicalize().unwrap();
            String::from_utf8(bytes).unwrap().replace(root.to_str().unwrap(), "[PLACE]")
        };
        Outcome {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
