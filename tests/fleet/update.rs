//! Updates of flake inputs, on real hosts, with inputs that are git
//! repositories of this machine and a GitHub of its own.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::fleet::{Fleet, Run, command, finish};
use super::github::{FakeIssue, LocalGitHub};

/// A host whose packages and kernel come from two inputs, and known issues.
struct Updated {
    fleet: Fleet,
    _github: LocalGitHub,
    _runtime: Runtime,
}

const HOST: &str = "p620";

impl Updated {
    /// The host runs what the lock file says.
    fn start(titles: &[&str]) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let bug =
            |(title, number): (&&str, u64)| FakeIssue::bug(number, title, i64::try_from(now).unwrap() - 1000);
        let runtime = Runtime::new().unwrap();
        let github = runtime.block_on(LocalGitHub::start(titles.iter().zip(1..).map(bug).collect()));
        let fleet = Fleet::start(&[HOST]);
        fleet.write_settings(&format!("[issues]\napi_url = \"{}\"\n", github.url()));
        let updated = Self { fleet, _github: github, _runtime: runtime };
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
                "settings = { variant = import (apps + \"/variants.nix\") ++ import (kernel + \"/variants.nix\"); };",
            );
        fs::write(updated.fleet.flake().join("flake.nix"), flake).unwrap();
        updated.fleet.commit("inputs");
        let mut nix = command("nix");
        updated.fleet.operator(&mut nix);
        let locked =
            nix.args(["--extra-experimental-features", "nix-command flakes", "flake", "lock"]).output();
        assert!(locked.unwrap().status.success());
        updated.fleet.commit("lock");
        let run = updated.fleet.deploy(&[HOST]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        updated
    }

    fn repository(&self, input: &str) -> PathBuf {
        self.fleet.flake().with_file_name(input)
    }

    fn git(&self, input: &str, arguments: &[&str]) {
        let output = command("git").current_dir(self.repository(input)).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// An input has something newer: these variants of the base system.
    fn bump(&self, input: &str, variants: &[&str]) {
        let quoted: Vec<String> = variants.iter().map(|variant| format!("\"{variant}\"")).collect();
        let text = format!("# {}\n[ {} ]\n", uuid::Uuid::new_v4(), quoted.join(" "));
        fs::write(self.repository(input).join("variants.nix"), text).unwrap();
        self.git(input, &["add", "-A"]);
        self.git(input, &["commit", "-q", "-m", "newer"]);
    }

    /// Every file beside flake.nix whose name begins with `flake.lock`.
    fn lock_files(&self) -> Vec<(String, Vec<u8>)> {
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

    fn names(&self) -> Vec<String> {
        self.lock_files().into_iter().map(|(name, _)| name).collect()
    }

    fn lock(&self) -> Vec<u8> {
        fs::read(self.fleet.flake().join("flake.lock")).unwrap()
    }

    /// Runs `update` where nobody can be asked.
    fn update(&self, arguments: &[&str]) -> Run {
        let all: Vec<&str> =
            ["update", HOST, "--output", "json"].into_iter().chain(arguments.iter().copied()).collect();
        let mut program = self.fleet.nix_deploy(&all);
        program.env("GITHUB_TOKEN", "t0ken");
        finish(program)
    }

    /// Runs `update` at a terminal and answers the question.
    fn answer(&self, answer: &str) -> (Option<i32>, String) {
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
    fn recorded(&self) -> Value {
        // Two runs of one second are told apart by their journals.
        let runs = fs::read_dir(self.fleet.state().join("runs")).unwrap().map(|run| run.unwrap().path());
        let newest = runs.max_by_key(|run| fs::metadata(run.join("events.jsonl")).unwrap().modified().unwrap());
        let run = newest.unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        assert!(self.fleet.nix_deploy(&["fleet", "flush"]).output().unwrap().status.success());
        let output = self.fleet.nix_deploy(&["fleet", "show", &run, "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn of_type<'a>(run: &'a Run, kind: &str) -> Vec<&'a Value> {
    run.events.iter().filter(|event| event["type"] == kind).collect()
}

fn decision(run: &Run) -> String {
    let decided = of_type(run, "update-decided");
    let text = |key: &str| decided.last().unwrap()["decision"][key].as_str().unwrap().to_owned();
    format!("{} by {}", text("verdict"), text("by"))
}

#[test]
fn a_person_says_no_and_nothing_changes_says_yes_and_can_go_back() {
    let updated = Updated::start(&["jq: wrong order of keys", "nginx 1.24.0: leaks memory"]);
    let fleet = &updated.fleet;
    updated.bump("apps", &["package-update"]);
    let (before, files) = (fleet.look(HOST), updated.lock_files());

    let (code, shown) = updated.answer("n");
    assert_eq!(code, Some(8), "{shown}");
    for part in ["jq", "1.24.0", "1.26.1", "#1 jq: wrong order of keys", "risk: medium"] {
        assert!(shown.contains(part), "{part} in:\n{shown}");
    }
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));
    let record = updated.recorded();
    assert_eq!(record["update"]["verdict"], "decline");
    assert_eq!(record["update"]["decided_by"], "person");
    assert_eq!(record["hosts"][0]["status"], "skipped");

    let (code, shown) = updated.answer("y");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("keeps what was deployed; commit it"), "{shown}");
    let after = fleet.look(HOST);
    assert_ne!(after.current_system, before.current_system);
    assert_eq!(after.profile, after.current_system);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
    assert_eq!(fs::read(fleet.flake().join("flake.lock.backup")).unwrap(), files[0].1);
    let record = updated.recorded();
    assert_eq!(record["update"]["verdict"], "apply");
    assert_eq!(record["update"]["lock_file"], "kept");
    assert_eq!(record["update"]["inputs"][0]["input"], "apps");
    let issues = record["hosts"][0]["issues"].as_array().unwrap();
    let states: Vec<&str> = issues.iter().map(|issue| issue["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["update", "afterwards"], "{issues:?}");
    fleet.assert_no_traces(HOST);

    let run = updated.update(&["--undo", "--yes"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(fleet.look(HOST).current_system, before.current_system);
    assert_eq!(updated.lock(), files[0].1);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
}

#[test]
fn whatever_ends_an_update_the_lock_file_is_what_it_was() {
    let updated = Updated::start(&[]);
    let fleet = &updated.fleet;
    let (before, files) = (fleet.look(HOST), updated.lock_files());

    // Nobody can be asked.
    updated.bump("apps", &["crash-at-start"]);
    let run = updated.update(&[]);
    assert_eq!((run.code, decision(&run)), (Some(8), "decline by checks".to_owned()), "{}", run.stderr);
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));

    // A service fails: the host goes back, and so does the lock file.
    for run in [updated.update(&["--yes"]), fleet.deploy(&[HOST, "--update"])] {
        run.expect(HOST, 6, "rolled-back");
        assert_eq!(decision(&run), "apply by flag");
        let states: Vec<&Value> = of_type(&run, "lock-file").into_iter().map(|event| &event["state"]).collect();
        assert_eq!(states, ["updated", "restored"]);
        assert_eq!(fleet.look(HOST).current_system, before.current_system);
        assert_eq!(updated.lock_files(), files);
    }

    // What does not build is no update, and no input is at fault but the one that brings it.
    updated.bump("apps", &["build-fails"]);
    updated.bump("kernel", &["kernel-change"]);
    let run = updated.update(&["--yes"]);
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let offer = of_type(&run, "update-offer");
    assert_eq!(
        (&offer[0]["offer"]["input"], &offer[0]["offer"]["others"]),
        (&"apps".into(), &serde_json::json!(["kernel"]))
    );
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));

    // Ctrl-C, and SIGKILL, in the activation.
    updated.bump("apps", &["crash-at-start"]);
    let mut run = fleet.start_deploy(&[HOST, "--update=apps"]);
    run.wait_for_phase("activating");
    run.signal(Signal::INT);
    let (status, _) = run.finish();
    assert_ne!(status.code(), Some(0));
    fleet.await_settled(HOST);
    assert_eq!(updated.lock_files(), files);
    let mut run = fleet.start_deploy(&[HOST, "--update=apps"]);
    run.wait_for_phase("activating");
    run.kill();
    assert_ne!(updated.lock(), files[0].1);
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup", "flake.lock.updating"]);
    fleet.await_settled(HOST);
    let run = fleet.deploy(&[HOST]);
    run.expect(HOST, 0, "unchanged");
    let found = of_type(&run, "lock-file");
    assert_eq!(found[0]["state"], "recovered");
    assert!(found[0]["remark"].as_str().unwrap().contains("of tester@"), "{}", found[0]);
    assert_eq!((fleet.look(HOST).current_system, updated.lock_files()), (before.current_system, files));
}

#[test]
fn a_smart_update_goes_as_far_as_what_is_known_lets_it() {
    let updated = Updated::start(&["linux 6.6.69 does not boot", "jq: wrong order of keys"]);
    let fleet = &updated.fleet;
    let before = fleet.look(HOST);
    updated.bump("apps", &["package-update"]);
    updated.bump("kernel", &["kernel-change"]);
    let files = updated.lock_files();

    // What is known not to boot blocks, and no flag changes that.
    let run = updated.update(&["--smart", "--yes", "--accept-risk", "high"]);
    assert_eq!((run.code, decision(&run)), (Some(3), "block by checks".to_owned()), "{}", run.stderr);
    let offers: Vec<&Value> = of_type(&run, "update-offer").into_iter().map(|event| &event["offer"]).collect();
    assert_eq!((&offers[0]["input"], &offers[0]["others"]), (&"kernel".into(), &serde_json::json!(["apps"])));
    assert_eq!(offers[0]["brings"], "linux 6.6.69 (#1)");
    assert_eq!((&offers[1]["package"], &offers[1]["version"]), (&"linux".into(), &"6.6.68".into()));
    assert!(offers[1]["overlay"].as_str().unwrap().contains("boot.kernelPackages"), "{}", offers[1]);
    assert_eq!((fleet.look(HOST), updated.lock_files()), (before.clone(), files.clone()));

    // The offer holds: the other input alone is only mildly risky, which somebody has to accept.
    let run = updated.update(&["--smart", "--yes", "--input", "apps"]);
    assert_eq!((run.code, decision(&run)), (Some(3), "block by checks".to_owned()), "{}", run.stderr);
    assert!(run.stderr.contains("--accept-risk medium"), "{}", run.stderr);
    assert_eq!(updated.lock_files(), files);
    let run = updated.update(&["--smart", "--input", "apps", "--accept-risk", "medium"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(decision(&run), "apply by flag");
    let known: Vec<&Value> =
        of_type(&run, "known-issues").into_iter().map(|event| &event["afterwards"]).collect();
    assert_eq!(known, [false, true]);
    assert_ne!(fleet.look(HOST).current_system, before.current_system);

    // Where nothing is known it goes on by itself.
    updated.bump("apps", &["package-update", "unit-changed"]);
    let run = updated.update(&["--smart", "--input", "apps"]);
    run.expect(HOST, 0, "deployed");
    assert_eq!(decision(&run), "apply by checks");
    assert_eq!(updated.names(), ["flake.lock", "flake.lock.backup"]);
}
