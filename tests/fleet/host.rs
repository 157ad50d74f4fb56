//! What tests ask of a host, and do to it, beyond looking at its system.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal};

use super::fleet::{Deploying, Fleet, Run, command, until};

impl Fleet {
    /// Gives a host a variant with further keys of the host's file.
    pub(crate) fn variant_with(&self, host: &str, variant: &str, keys: &str) {
        self.host_file(host, &format!("{{ variant = \"{variant}\"; {keys} }}"));
    }

    /// Waits until no supervisor runs on the host any more: it has settled by
    /// itself, whoever started what.
    pub(crate) fn await_settled(&self, host: &str) {
        self.on(
            host,
            "timeout 110 sh -c 'while systemctl list-units --plain --no-legend --all \"nix-deploy-*\" | grep -q .; \
             do sleep 0.1; done'",
        );
    }

    /// Copies a file or a folder to a new place on a host, without nix-deploy.
    pub(crate) fn put(&self, host: &str, from: &Path, to: &str) {
        let config = self.hosts_folder().join("ssh_config");
        let mut copy = command("scp");
        copy.args(["-q", "-r", "-F"]).arg(config).arg(from).arg(format!("{host}:{to}"));
        assert!(copy.status().unwrap().success());
    }

    /// Waits until a shell condition holds on the host.
    pub(crate) fn await_on(&self, host: &str, condition: &str) {
        self.on(host, &format!("timeout 60 sh -c 'until {condition}; do sleep 0.05; done'"));
    }

    /// How many logins sshd has accepted so far.
    pub(crate) fn logins(&self, host: &str) -> usize {
        let text = self.on(
            host,
            "journalctl --no-pager -q -o cat -u sshd.service | grep -c '^Accepted publickey' || true",
        );
        text.trim().parse().unwrap()
    }

    /// Deploys the baseline system of another revision, which must succeed on
    /// a host that an earlier run was cut off on, and asserts that nothing of
    /// any run is left.
    #[track_caller]
    pub(crate) fn next_run_succeeds(&self, host: &str) -> Run {
        self.variant_with(host, "unit-changed", "revision = 77;");
        let run = self.deploy(&[host]);
        assert_eq!(run.code, Some(0), "{}\n{}", run.report(host), run.stderr);
        self.assert_runs_new(host, &run);
        // A generation of its own: nothing of the run that was cut off became one.
        let number = |key: &str| run.report(host)[key].as_u64().unwrap();
        assert_eq!(number("generation_after"), number("generation_before") + 1);
        run
    }
}

impl Deploying {
    /// Waits until the supervisor on the host is in a phase.
    pub(crate) fn wait_for_phase(&mut self, phase: &str) {
        self.wait_for(phase, |event| event["type"] == "activation" && event["state"]["phase"] == phase);
    }

    /// Ends the process as nothing else can: it gets no chance to clean up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Fleet {
    /// Deploys at a terminal, where somebody answers questions as they come; gives the
    /// run and what the terminal showed.
    pub(crate) fn deploy_at_a_terminal(&self, arguments: &[&str], answers: &[(&str, &str)]) -> (Run, String) {
        let inner = self.nix_deploy(arguments);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let mut terminal = command("script");
        self.operator(&mut terminal)
            .args(["-q", "-e", "-c", &line.join(" "), "/dev/null"])
            .env("TERM", "xterm");
        let mut child = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut shown, mut chunk, mut open) = (Vec::new(), [0; 4096], answers.iter().peekable());
        loop {
            let count = output.read(&mut chunk).unwrap();
            if count == 0 {
                break;
            }
            shown.extend_from_slice(&chunk[..count]);
            if let Some((_, answer)) =
                open.next_if(|(question, _)| String::from_utf8_lossy(&shown).contains(question))
            {
                writeln!(input, "{answer}").unwrap();
            }
        }
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(open.peek().is_none(), "not asked {:?}: {shown}", open.peek());
        child.wait().unwrap();
        (self.newest_run(), shown)
    }

    /// The run whose record was written last.
    pub(crate) fn newest_run(&self) -> Run {
        let journal = self.state().join("runs").join(self.newest_run_id()).join("events.jsonl");
        Run::of_output(&fs::read_to_string(journal).unwrap())
    }

    /// Its id.
    pub(crate) fn newest_run_id(&self) -> String {
        // Two runs of one second are told apart by their journals.
        let runs = fs::read_dir(self.state().join("runs")).unwrap().map(|run| run.unwrap().path());
        let newest = runs.max_by_key(|run| fs::metadata(run.join("events.jsonl")).unwrap().modified().unwrap());
        newest.unwrap().file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// Starts a deploy at a terminal of its own and kills it as soon as it asks
    /// whether to go on.
    pub(crate) fn kill_at_the_question(&self, arguments: &[&str]) {
        let mut terminal = self.open_terminal(arguments);
        let shown = terminal.shown.clone();
        until(
            "the question",
            || Terminal::text_in(&shown),
            || {
                let has_ended = terminal.window.try_wait().unwrap().is_some();
                let text = terminal.text();
                let is_asked = text.contains("Continue with deployment?");
                assert!(is_asked || !has_ended, "it never asked: {text}");
                is_asked
            },
        );
        rustix::process::kill_process(terminal.program(), Signal::KILL).unwrap();
        terminal.window.wait().unwrap();
    }

    /// Starts a deploy at a terminal of its own.
    pub(crate) fn open_terminal(&self, arguments: &[&str]) -> Terminal {
        let beside = |name: &str| self.flake().with_file_name(name);
        let (shown, pid_file) = (beside("shown"), beside("pid"));
        let inner = self.nix_deploy(arguments);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let line = format!("echo $$ >{}; exec {}", pid_file.display(), line.join(" "));
        let mut window = command("script");
        window
            .args(["--quiet", "--flush", "--command", &line])
            .arg(&shown)
            .current_dir(self.flake())
            .env_clear();
        for (name, value) in inner.get_envs() {
            window.env(name, value.unwrap_or_default());
        }
        // An open pipe: at the end of its input, `script` would end ours.
        let window = window.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::null());
        Terminal { window: window.spawn().unwrap(), shown, pid_file }
    }
}

/// A terminal with a deploy in it.
pub(crate) struct Terminal {
    window: Child,
    shown: PathBuf,
    pid_file: PathBuf,
}

impl Terminal {
    /// What it shows so far.
    fn text(&self) -> String {
        Self::text_in(&self.shown)
    }

    fn text_in(shown: &Path) -> String {
        fs::read(shown).map_or_else(|_| String::new(), |text| String::from_utf8_lossy(&text).into())
    }

    /// The process in it.
    fn program(&self) -> Pid {
        Pid::from_raw(fs::read_to_string(&self.pid_file).unwrap().trim().parse().unwrap()).unwrap()
    }

    /// Closes it, and waits until the program has ended by itself.
    pub(crate) fn close(&mut self) {
        let status = format!("/proc/{}/status", self.program());
        self.window.kill().unwrap();
        self.window.wait().unwrap();
        // Whoever adopts it may not ask how it ended.
        until(
            "its end",
            || self.text(),
            || fs::read_to_string(&status).map_or(true, |text| text.contains("State:\tZ")),
        );
    }
}
