//! A fleet of throw-away hosts and a copy of the demo flake for one test, and
//! what a test asks of both. Everything is gone when the test ends.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Where the checkout is.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command of a test: only tests of the program as a whole start processes.
#[expect(clippy::disallowed_methods, reason = "tests run the program and the fleet from outside")]
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Hosts, a flake that they are deployed from, and a state folder.
pub(crate) struct Fleet {
    folder: TempDir,
    hosts: Vec<String>,
    pub(crate) nix_config: String,
}

/// The pause between two looks at something that is waited for. Hosts share the
/// processors of this machine with whoever waits.
const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// No wait of these tests takes longer unless something is broken.
const LONGEST: Duration = Duration::from_secs(120);

/// Waits until something holds; `shown` says more when it never does.
pub(crate) fn until(what: &str, shown: impl Fn() -> String, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONGEST, "{what} did not come about: {}", shown());
        std::thread::sleep(LOOK_PAUSE);
    }
}

/// A finished run of nix-deploy.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The events of `--output json`, in order.
    pub(crate) events: Vec<Value>,
    pub(crate) took: Duration,
}

/// What is on a host, read without nix-deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OnHost {
    pub(crate) current_system: String,
    pub(crate) profile: String,
    pub(crate) generation: String,
    pub(crate) boot_default: String,
}

/// Prints what [`OnHost`] holds.
pub(crate) const LOOK: &str = "readlink -f /run/current-system; readlink -f /nix/var/nix/profiles/system; \
                               readlink /nix/var/nix/profiles/system; sed -n 's/^default //p' /boot/loader/loader.conf";

impl OnHost {
    /// What a look printed.
    pub(crate) fn of_look(text: &str) -> Self {
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        Self { current_system: next(), profile: next(), generation: next(), boot_default: next() }
    }
}

fn manager(arguments: &[&str]) -> String {
    let output = command(checkout().join("tests/support/fleet.sh")).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "fleet.sh {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

impl Fleet {
    /// Starts hosts; each name is a role of the demo flake, or `name=role`.
    pub(crate) fn start(hosts: &[&str]) -> Self {
        Self::start_with(hosts, &[])
    }

    /// The same with options of `fleet.sh up`, for example `--store-size`.
    pub(crate) fn start_with(hosts: &[&str], options: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("nd-fleet-").tempdir_in(manager(&["scratch"]).trim()).unwrap();
        let mut fleet = Self {
            folder,
            hosts: hosts.iter().map(|host| host.split('=').next().unwrap().to_owned()).collect(),
            nix_config: String::new(),
        };
        fleet.nix_config = fleet
            .manager(&["env"])
            .lines()
            .filter_map(|line| line.strip_prefix("NIX_CONFIG="))
            .map(|text| text.trim_matches('\'').trim_matches('"').replace("\\n", "\n"))
            .collect();
        let owner = std::process::id().to_string();
        let mut arguments = vec!["--owner", &owner];
        arguments.extend(options);
        arguments.extend(hosts);
        fleet.on_fleet("up", &arguments);
        fleet.copy_flake();
        fleet.write_settings("");
        fleet
    }

    /// The folder of the flake and hosts.toml.
    pub(crate) fn flake(&self) -> PathBuf {
        self.folder.path().join("flake")
    }

    /// nix-deploy's state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The folder of the fleet manager: ssh_config, known_hosts, keys.
    pub(crate) fn hosts_folder(&self) -> PathBuf {
        self.folder.path().join("hosts")
    }

    fn copy_flake(&self) {
        let flake = self.flake();
        let status = command("cp").arg("-rL").arg(checkout().join("demo")).arg(&flake).status().unwrap();
        assert!(status.success());
        symlink(self.hosts_folder().join("ssh_config"), flake.join("ssh_config")).unwrap();
        fs::write(flake.join(".gitignore"), "ssh_config\nhosts.toml\n").unwrap();
        self.git(&["init", "-q"]);
        self.git(&["config", "user.name", "test"]);
        self.git(&["config", "user.email", "test@localhost"]);
        self.commit("baseline");
    }

    /// Runs git in the flake.
    pub(crate) fn git(&self, arguments: &[&str]) {
        self.git_at(None, arguments);
    }

    fn git_at(&self, time: Option<u64>, arguments: &[&str]) -> String {
        let mut git = command("git");
        git.current_dir(self.flake()).args(arguments);
        git.envs(time.map(|time| ("GIT_COMMITTER_DATE", format!("{time} +0000"))));
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Commits everything in the flake. No two commits are of one second, as
    /// those of people: commits are told apart by their time.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        let earlier = self.git_at(None, &["rev-list", "--all", "--count"]).trim().parse::<u64>().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        self.git_at(Some(now - 60 + earlier), &["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Gives a host a variant of the demo flake and commits it.
    pub(crate) fn variant(&self, host: &str, variant: &str) {
        self.host_file(host, &format!("{{ variant = \"{variant}\"; revision = 1; }}"));
    }

    /// Writes a host's file in the flake and commits it.
    pub(crate) fn host_file(&self, host: &str, text: &str) {
        fs::write(self.flake().join(format!("hosts/{host}.nix")), text).unwrap();
        self.commit(text);
    }

    /// Writes hosts.toml: every host with short deadlines, plus more text.
    /// Later keys of the same table are not possible: use
    /// [`Self::write_settings_with`] to set defaults.
    pub(crate) fn write_settings(&self, more: &str) {
        self.write_settings_with("", more);
    }

    /// The same with further lines in `[defaults]`.
    pub(crate) fn write_settings_with(&self, defaults: &str, more: &str) {
        // Many hosts share the processors of this machine.
        let (confirm, activation, connect) = if self.hosts.len() > 2 { (30, 60, 10) } else { (10, 20, 3) };
        let mut text = format!(
            "version = 1\nflake = \".\"\n[defaults]\nuser = \"root\"\nssh_config = \"ssh_config\"\n{defaults}\n\
             [defaults.rollback]\nconfirm_timeout = \"{confirm}s\"\nactivation_timeout = \"{activation}s\"\n\
             [defaults.timeouts]\nsettle = \"1s\"\nconnect = \"{connect}s\"\nlock = \"5s\"\n"
        );
        for host in &self.hosts {
            if !more.contains(&format!("[hosts.{host}]")) {
                let _ = writeln!(text, "[hosts.{host}]");
            }
        }
        text.push_str(more);
        self.write_hosts_toml(&text);
    }

    /// Writes hosts.toml as it is.
    pub(crate) fn write_hosts_toml(&self, text: &str) {
        fs::write(self.flake().join("hosts.toml"), text).unwrap();
    }

    /// nix-deploy with the environment of an operator, not yet started.
    pub(crate) fn nix_deploy(&self, arguments: &[&str]) -> Command {
        let mut nix_deploy = command(env!("CARGO_BIN_EXE_nix-deploy"));
        self.operator(&mut nix_deploy).args(arguments);
        nix_deploy
    }

    /// Gives a command the environment of an operator, in the flake's folder.
    #[expect(clippy::disallowed_methods, reason = "the programs of this machine are used")]
    pub(crate) fn operator<'a>(&self, program: &'a mut Command) -> &'a mut Command {
        program
            .current_dir(self.flake())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .env("LANG", "C.UTF-8")
            .env("NIX_CONFIG", &self.nix_config)
            .env("NIX_DEPLOY_STATE", self.state())
            .stdin(Stdio::null())
    }

    /// Deploys without questions and waits for the end.
    pub(crate) fn deploy(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["--output", "json", "--yes"];
        all.extend(arguments);
        finish(self.nix_deploy(&all))
    }

    /// Starts a deploy and gives the running process; its events go to a file.
    pub(crate) fn start_deploy(&self, arguments: &[&str]) -> Deploying {
        self.start_deploy_with(arguments, &[])
    }

    /// The same with more in its environment.
    pub(crate) fn start_deploy_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Deploying {
        let events = self.folder.path().join(format!("events-{}", unique()));
        let mut all = vec!["--output", "json", "--yes"];
        all.extend(arguments);
        let child = with_default_signals(&self.nix_deploy(&all))
            .envs(environment.iter().copied())
            .stdout(fs::File::create(&events).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Deploying { child, events }
    }

    /// Runs a command on a host as root, without ssh and without nix-deploy.
    pub(crate) fn on(&self, host: &str, script: &str) -> String {
        self.on_fleet("exec", &[host, "--", "/bin/sh", "-c", script])
    }

    /// Runs a command of the fleet manager on this fleet.
    pub(crate) fn on_fleet(&self, what: &str, arguments: &[&str]) -> String {
        let folder = self.hosts_folder();
        let mut all = vec![what, "--dir", folder.to_str().unwrap()];
        all.extend(arguments);
        self.manager(&all)
    }

    pub(crate) fn manager(&self, arguments: &[&str]) -> String {
        manager(arguments)
    }

    /// The address of a host.
    pub(crate) fn address(&self, host: &str) -> String {
        let text = fs::read_to_string(self.hosts_folder().join("addresses")).unwrap();
        let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some(host)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    }

    /// What is on a host.
    pub(crate) fn look(&self, host: &str) -> OnHost {
        OnHost::of_look(&self.on(host, LOOK))
    }

    /// The state of a unit, `active`, `failed` …
    pub(crate) fn unit(&self, host: &str, unit: &str) -> String {
        self.on(host, &format!("systemctl show -P ActiveState {unit}")).trim().to_owned()
    }

    /// Asserts that nothing of any run is left on a host.
    pub(crate) fn assert_no_traces(&self, host: &str) {
        let text = self.on(
            host,
            "ls -d /run/nix-deploy/*-*-* /nix/var/nix/gcroots/nix-deploy/* 2>/dev/null; \
             for moment in $(seq 300); do \
                 units=$(systemctl list-units --plain --no-legend 'nix-deploy-*'); \
                 [ -n \"$units\" ] || break; sleep 0.1; \
             done; echo \"$units\"",
        );
        assert_eq!(text.trim(), "", "traces on {host}");
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // A panic here would hide the test's own; leftovers are collected by
        // the manager, because their owner is gone.
        let folder = self.hosts_folder();
        let _ = command(checkout().join("tests/support/fleet.sh"))
            .args(["down", "--dir"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// A deploy under way.
pub(crate) struct Deploying {
    pub(crate) child: Child,
    events: PathBuf,
}

impl Deploying {
    /// Waits until an event matches.
    pub(crate) fn wait_for(&mut self, what: &str, matches: impl Fn(&Value) -> bool) {
        let events = self.events.clone();
        let last = || format!("{:?}", read_events(&events).last());
        until(what, last, || {
            // Asked before the look, so that its last words are seen.
            let has_ended = self.child.try_wait().unwrap().is_some();
            let events = self.events();
            let has_come = events.iter().any(&matches);
            let failures = events.iter().map(|event| &event["report"]["failure"]).filter(|one| !one.is_null());
            let failures: Vec<String> = failures.map(Value::to_string).collect();
            assert!(has_come || !has_ended, "ended before {what}: {failures:#?} {:?}", events.last());
            has_come
        });
    }

    /// Waits until a step has started.
    pub(crate) fn wait_for_step(&mut self, step: &str) {
        self.wait_for(step, |event| event["type"] == "step-started" && event["step"] == step);
    }

    /// Sends a signal by its number.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn finish(mut self) -> (ExitStatus, Vec<Value>) {
        let status = self.child.wait().unwrap();
        (status, self.events())
    }

    fn events(&self) -> Vec<Value> {
        read_events(&self.events)
    }
}

fn read_events(path: &Path) -> Vec<Value> {
    events(&fs::read_to_string(path).unwrap_or_default())
}

impl Run {
    /// A run whose program ran elsewhere, by its output; the exit code is the
    /// one that its last event names.
    pub(crate) fn of_output(stdout: &str) -> Self {
        let events = events(stdout);
        let code = events.last().and_then(|event| event["exit_code"].as_i64());
        Self {
            code: code.and_then(|code| i32::try_from(code).ok()),
            events,
            stdout: stdout.to_owned(),
            stderr: stdout.to_owned(),
            took: Duration::ZERO,
        }
    }

    /// The report of a host.
    pub(crate) fn report(&self, host: &str) -> &Value {
        report(&self.events, host)
    }

    /// The outcome of a host, for example `rolled-back`.
    pub(crate) fn outcome(&self, host: &str) -> &str {
        self.report(host)["outcome"].as_str().unwrap()
    }

    /// Asserts exit code and outcome, showing everything when they differ.
    #[track_caller]
    pub(crate) fn expect(&self, host: &str, code: i32, outcome: &str) {
        assert_eq!(
            (self.code, self.outcome(host)),
            (Some(code), outcome),
            "\n{}\n{}",
            serde_json::to_string_pretty(self.report(host)).unwrap(),
            self.stderr
        );
    }

    /// The whole failure of a host as text: message, causes, hints, evidence.
    pub(crate) fn failure(&self, host: &str) -> String {
        self.report(host)["failure"].to_string()
    }
}

/// The report of a host in a list of events.
pub(crate) fn report<'a>(events: &'a [Value], host: &str) -> &'a Value {
    let is_it = |event: &&Value| event["type"] == "host-finished" && event["host"] == host;
    &events.iter().find(is_it).unwrap_or_else(|| panic!("no report of {host}: {events:#?}"))["report"]
}

/// The same command with the default action for every signal: what a shell
/// starts in the background ignores SIGINT, and so do its children. `env`
/// becomes the program, so the process number is the program's.
fn with_default_signals(command: &Command) -> Command {
    let mut wrapped = self::command("env");
    wrapped.arg("--default-signal").arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            wrapped.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped.stdin(Stdio::null());
    wrapped
}

/// Runs a command to its end and reads its events.
pub(crate) fn finish(mut command: Command) -> Run {
    let begun = Instant::now();
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Run {
        code: output.status.code(),
        events: events(&stdout),
        stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: begun.elapsed(),
    }
}

/// Complete lines only: the last one may still be written.
fn events(text: &str) -> Vec<Value> {
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |line: &str| serde_json::from_str::<Value>(line).ok().map(|envelope| envelope["event"].clone());
    complete.lines().filter_map(parse).collect()
}

fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
