//! A flake with a history, a Nix store of its own and a fleet database: what
//! evaluations and builders are tested with. Its systems are plain derivations.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engine::{Engine, Kind, Outcome, outcome};

/// Where git, Nix and their like are.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";
/// No wait of these tests takes longer unless something is broken.
const LONGEST: Duration = Duration::from_secs(120);

/// A package: its name, what it needs, and what its builder does.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// It builds.
    Build,
    /// It builds when its gate is opened.
    Wait,
    /// It fails.
    Fail,
    /// It needs a machine of another kind.
    Elsewhere,
}

/// A flake with a history, a Nix store and a fleet database.
pub(crate) struct Workshop {
    pub(crate) engine: Engine,
    commits: std::cell::Cell<u32>,
}

impl Workshop {
    pub(crate) async fn new(kind: Kind) -> Self {
        let workshop = Self { engine: Engine::new(kind).await, commits: std::cell::Cell::new(0) };
        for folder in ["gates", "home", "fleet"] {
            std::fs::DirBuilder::new().mode(0o700).create(workshop.path(folder)).unwrap();
        }
        let hosts = "version = 1\n[hosts.p620]\n[hosts.p510]\n[hosts.razer]\n[hosts.samsung]\n";
        std::fs::write(workshop.path("fleet/hosts.toml"), hosts).unwrap();
        std::fs::write(workshop.path("fleet/flake.nix"), "{ outputs = _: { }; }\n").unwrap();
        std::fs::write(workshop.path("fleet/.gitignore"), "hosts.toml\n").unwrap();
        workshop.git(&["init", "--quiet", "--initial-branch=main"]);
        workshop
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.engine.folder.path().join(below)
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes the repository it needs")]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let time = format!("2025-11-21T10:{:02}:00Z", self.commits.get());
        let output = Command::new("git")
            .current_dir(self.path("fleet"))
            .args(["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .env("HOME", self.path("home"))
            .env("GIT_COMMITTER_DATE", time)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits a flake: packages with what they need, and hosts with the
    /// packages of their systems. Gives the hash.
    pub(crate) fn commit(&self, packages: &[(&str, &[&str], Does)], hosts: &[(&str, &[&str])]) -> String {
        let gates = self.path("gates").display().to_string();
        let mut text = String::from("{ outputs = { self }: let\n");
        let _ = writeln!(
            text,
            "package = name: needs: script: derivation {{ inherit name; \
             system = if script == \"elsewhere\" then \"riscv64-linux\" else \"x86_64-linux\"; builder = \"/bin/sh\"; \
             args = [ \"-c\" \"echo x >>{gates}/built-${{name}}; ${{script}} echo ${{toString needs}} >$out\" ]; }};"
        );
        text.push_str("p = {\n");
        for (name, needs, does) in packages {
            let script = match does {
                Does::Build => String::new(),
                Does::Wait => {
                    self.close(name);
                    format!("read -r word <{gates}/open-{name};")
                }
                Does::Elsewhere => "elsewhere".to_owned(),
                Does::Fail => "echo it is out of order >&2; exit 3;".to_owned(),
            };
            let _ = writeln!(text, "\"{name}\" = package \"{name}\" [ {} ] \"{script}\";", attributes(needs));
        }
        text.push_str("}; in { nixosConfigurations = {\n");
        for (host, needs) in hosts {
            let _ = writeln!(
                text,
                "{host}.config.system.build.toplevel = package \"nixos-system-{host}-25.05\" [ {} self.rev ] \"\";",
                attributes(needs)
            );
        }
        text.push_str("}; }; }\n");
        self.commit_text(&text)
    }

    /// Commits a flake as it is.
    pub(crate) fn commit_text(&self, text: &str) -> String {
        self.commits.set(self.commits.get() + 1);
        std::fs::write(self.path("fleet/flake.nix"), text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The program with real git and Nix, on the store of a machine.
    pub(crate) fn command_on(&self, machine: &str, arguments: &[&str]) -> Command {
        let mut command = self.engine.command(arguments);
        let gates = self.path("gates").display().to_string();
        let cache = self.path("cache").display().to_string();
        let nix_config = format!(
            "build-users-group =\nsubstituters = file://{cache}\nrequire-sigs = false\n\
             sandbox-paths = /bin /lib /lib64 /usr {gates}\n"
        );
        command
            .current_dir(self.path("fleet"))
            .env("PATH", PATH)
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path(&format!("cache-of-{machine}")))
            .env("NIX_DEPLOY_STATE", self.path(&format!("state-of-{machine}")))
            .env("NIX_REMOTE", format!("local?root={}", self.path(&format!("store-of-{machine}")).display()))
            .env("NIX_CONFIG", nix_config);
        command
    }

    /// Runs the program on the machine `desk`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.command_on("desk", arguments).output().unwrap())
    }

    /// Runs a command with `--json`, expects an exit code, and gives its objects.
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Vec<Value> {
        let outcome = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(outcome.code, code, "{:?} {arguments:?}: {}", self.engine.kind, outcome.stderr);
        objects(&outcome)
    }

    /// Starts the program.
    pub(crate) fn start(&self, machine: &str, arguments: &[&str]) -> Child {
        let mut command = self.command_on(machine, arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// How often a package's builder has begun.
    pub(crate) fn begun(&self, package: &str) -> usize {
        let text = std::fs::read_to_string(self.path(&format!("gates/built-{package}")));
        text.unwrap_or_default().lines().count()
    }

    /// Makes the gate of a package: a pipe that its builder reads a line of.
    /// The sandbox has a shell and nothing to sleep with.
    fn close(&self, package: &str) {
        let gate = self.path(&format!("gates/open-{package}"));
        if !gate.exists() {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mknodat(rustix::fs::CWD, &gate, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }
    }

    /// Lets a package that waits be built, now and later.
    pub(crate) fn open(&self, package: &str) {
        let gate = self.path(&format!("gates/open-{package}"));
        // Whoever reads the pipe gets a line of it, whoever comes later one of the file in its place.
        let mut pipe = std::fs::OpenOptions::new().read(true).write(true).open(&gate).unwrap();
        let open = self.path(&format!("gates/opened-{package}"));
        std::fs::write(&open, "go\n").unwrap();
        std::fs::rename(&open, &gate).unwrap();
        pipe.write_all(&b"go\n".repeat(16)).unwrap();
    }

    /// `name status attempts` of every derivation, by kind and name.
    pub(crate) async fn derivations(&self) -> Vec<String> {
        let sql = "SELECT d.derivation_name, t.name, d.attempt_count FROM derivations d \
                   JOIN derivation_statuses t ON t.id = d.status_id \
                   ORDER BY d.commit_id, d.derivation_type DESC, d.derivation_name";
        self.engine.rows(sql).await.into_iter().map(|row| row.join(" ")).collect()
    }
}

fn attributes(needs: &[&str]) -> String {
    needs.iter().map(|name| format!("p.\"{name}\"")).collect::<Vec<_>>().join(" ")
}

/// The objects that a command printed.
pub(crate) fn objects(outcome: &Outcome) -> Vec<Value> {
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < LONGEST, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for the end of a program.
pub(crate) fn ended(child: Child) -> Outcome {
    outcome(child.wait_with_output().unwrap())
}

impl Drop for Workshop {
    /// Ends builders that a failed test, or a killed builder, left waiting.
    fn drop(&mut self) {
        let gates = std::fs::read_dir(self.path("gates")).into_iter().flatten().filter_map(Result::ok);
        let waiting = gates.filter(|gate| gate.file_type().is_ok_and(|kind| kind.is_fifo()));
        let names = waiting.filter_map(|gate| gate.file_name().into_string().ok());
        names
            .collect::<Vec<_>>()
            .iter()
            .filter_map(|name| name.strip_prefix("open-"))
            .for_each(|name| self.open(name));
    }
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
