//! What tests of updates share: a flake with two inputs that are git repositories
//! of this machine, and a GitHub of its own.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::runtime::Runtime;

use super::fleet::{Fleet, Run, command, finish};
use super::github::{FakeIssue, LocalGitHub};

/// Hosts whose packages and kernel come from two inputs, and known issues.
pub(crate) struct Updated {
    pub(crate) fleet: Fleet,
    pub(crate) github: LocalGitHub,
    _runtime: Runtime,
}

/// The host of most tests.
pub(crate) const HOST: &str = "p620";

impl Updated {
    /// The host runs what the lock file says.
    pub(crate) fn start(titles: &[&str]) -> Self {
        Self::start_on(&[HOST], titles)
    }

    /// The hosts run what the lock file says.
    pub(crate) fn start_on(hosts: &[&str], titles: &[&str]) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let bug =
            |(title, number): (&&str, u64)| FakeIssue::bug(number, title, i64::try_from(now).unwrap() - 1000);
        let runtime = Runtime::new().unwrap();
        let github = runtime.block_on(LocalGitHub::start(titles.iter().zip(1..).map(bug).collect()));
        let fleet = Fleet::start(hosts);
        fleet.write_settings(&format!("[issues]\napi_url = \"{}\"\n", github.url()));
        let updated = Self { fleet, github, _runtime: runtime };
        for input in ["apps", "kernel"] {
            fs::create_dir(updated.repository(input)).unwrap();
            updated.git(input, &["init", "-q"]);
            updated.git(input, &["config", "user.name", "test"]);
            updated.git(input, &["config", "user.email", "test@localhost"]);
            updated.bump(input, &[]);
        }
        let flake = fs::read_to_string(updated.fleet.flake().join("flake.nix")).unwrap();
        let inputs: String = ["apps", "kernel"]
            .map(|input| {
                let url = format!("git+file://{}", updated.repository(input).display());
                format!("inputs.{input} = {{ url = \"{url}\"; flake = false; }};\n  ")
            })
            .concat();
        let flake = flake
            .replace("outputs = { self }:", &format!("{inputs}outputs = {{ self, apps, kernel }}:"))
            .replace(
                "settings = import (./hosts + \"/${name}.nix\");",
                "settings.variant = builtins.concatMap (input: import (input + \"/variants.nix\") name) [ apps kernel ];",
            );
        fs::write(updated.fleet.flake().join("flake.nix"), flake).unwrap();
        updated.fleet.commit("inputs");
        let mut nix = command("nix");
        updated.fleet.operator(&mut nix);
        let locked =
            nix.args(["--extra-experimental-features", "nix-command flakes", "flake", "lock"]).output();
        assert!(locked.unwrap().status.success());
        updated.fleet.commit("lock");
        let run = updated.fleet.deploy(hosts);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        updated
    }

    /// What git says of the flake.
    pub(crate) fn git_says(&self, arguments: &[&str]) -> String {
        let output = command("git").current_dir(self.fleet.flake()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn repository(&self, input: &str) -> PathBuf {
        self.fleet.flake().with_file_name(input)
    }

    fn git(&self, input: &str, arguments: &[&str]) {
        let output = command("git").current_dir(self.repository(input)).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// An input has something newer: these variants of the base system.
    pub(crate) fn bump(&self, input: &str, variants: &[&str]) {
        self.bump_but(input, variants, &[]);
    }

    /// The same with other variants for some hosts.
    pub(crate) fn bump_but(&self, input: &str, variants: &[&str], others: &[(&str, &str)]) {
        let quoted: Vec<String> = variants.iter().map(|variant| format!("\"{variant}\"")).collect();
        let others: String =
            others.iter().map(|(host, variant)| format!("{host} = [ \"{variant}\" ]; ")).collect();
        let unique = uuid::Uuid::new_v4();
        let text = format!("# {unique}\nname: {{ {others}}}.${{name}} or [ {} ]\n", quoted.join(" "));
        fs::write(self.repository(input).join("variants.nix"), text).unwrap();
        self.git(input, &["add", "-A"]);
        self.git(input, &["commit", "-q", "-m", "newer"]);
    }

    /// Every file beside flake.nix whose name begins with `flake.lock`.
    pub(crate) fn lock_files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.fleet.flake()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<(String, Vec<u8>)> = entries
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.to_owned();
                name.starts_with("flake.lock").then(|| (name, fs::read(&path).unwrap()))
            })
            .collect();
        files.sort();
        files
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock_files().into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) fn lock(&self) -> Vec<u8> {
        fs::read(self.fleet.flake().join("flake.lock")).unwrap()
    }

    /// Runs `update` where nobody can be asked.
    pub(crate) fn update(&self, arguments: &[&str]) -> Run {
        let all: Vec<&str> = ["update", HOST].into_iter().chain(arguments.iter().copied()).collect();
        self.run(&all)
    }

    /// Runs nix-deploy where nobody can be asked.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let all: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
        let mut program = self.fleet.nix_deploy(&all);
        program.env("GITHUB_TOKEN", "t0ken");
        finish(program)
    }

    /// Runs `update` at a terminal and answers the question.
    pub(crate) fn answer(&self, answer: &str) -> (Option<i32>, String) {
        let program = self.fleet.nix_deploy(&["update", HOST]);
        let line = format!("{} update {HOST}", program.get_program().to_string_lossy());
        let mut terminal = command("script");
        self.fleet.operator(&mut terminal);
        let mut child = terminal
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .env("GITHUB_TOKEN", "t0ken")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut shown, mut chunk) = (Vec::new(), [0; 4096]);
        let mut asked = false;
        loop {
            let count = output.read(&mut chunk).unwrap();
            if count == 0 {
                break;
            }
            shown.extend_from_slice(&chunk[..count]);
            if !asked && String::from_utf8_lossy(&shown).contains("Apply these updates? [y/N] ") {
                asked = true;
                writeln!(input, "{answer}").unwrap();
            }
        }
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(asked, "{shown}");
        (child.wait().unwrap().code(), shown)
    }

    /// What `fleet show` tells of the newest run.
    pub(crate) fn recorded(&self) -> Value {
        let run = self.fleet.newest_run_id();
        assert!(self.fleet.nix_deploy(&["fleet", "flush"]).output().unwrap().status.success());
        let output = self.fleet.nix_deploy(&["fleet", "show", &run, "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The events of a type.
pub(crate) fn of_type<'a>(run: &'a Run, kind: &str) -> Vec<&'a Value> {
    run.events.iter().filter(|event| event["type"] == kind).collect()
}

/// What was decided, and who did.
pub(crate) fn decision(run: &Run) -> String {
    let decided = of_type(run, "update-decided");
    let text = |key: &str| decided.last().unwrap()["decision"][key].as_str().unwrap().to_owned();
    format!("{} by {}", text("verdict"), text("by"))
}
