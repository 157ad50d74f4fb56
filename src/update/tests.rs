//! Trials and previews with the installed Nix, on inputs that move: git
//! repositories of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::model::{HostSpec, Mode, Precision, PreviewBase, Questions, Rollout, RunId, RunSpec};
use crate::nix::testing::{Playground, host};

const FLAKE: &str = r#"{
  inputs.one.url = "git+file://@ROOT@/one?ref=main";
  inputs.two.url = "git+file://@ROOT@/two?ref=main";
  inputs.part.url = "path:./part";
  outputs = { self, one, two, part }: let
    package = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; };
    tools = map (tool: package tool "echo ${tool} > $out") [ "hello-${one.version}" "world-${two.version}" "part-${part.version}" (import ./own.nix) ];
    common = package "system-path" "echo ${toString tools} > $out";
    host = name: {
      pkgs = { hello = 1; } // one.more or { };
      config.system.build.toplevel = package "nixos-system-${name}-25.05" "echo ${common} > $out";
    };
  in { nixosConfigurations.alpha = host "alpha"; nixosConfigurations.beta = host "beta"; };
}"#;

/// A flake with two inputs and a part of its own, in git and locked.
struct Moving {
    playground: Playground,
}

impl Moving {
    async fn new() -> Self {
        let moving = Self { playground: Playground::new().await };
        for input in ["one", "two"] {
            fs::create_dir(moving.path(input)).unwrap();
            moving.git(input, &["init", "--quiet", "--initial-branch", "main"]).await;
            moving.release(input, "1.0", "").await;
        }
        let text = FLAKE.replace("@ROOT@", moving.path("").to_str().unwrap().trim_end_matches('/'));
        fs::write(moving.path("flake/flake.nix"), text).unwrap();
        fs::create_dir(moving.path("flake/part")).unwrap();
        fs::write(moving.path("flake/part/flake.nix"), "{ outputs = _: { version = \"3.0\"; }; }").unwrap();
        fs::write(moving.path("flake/own.nix"), "\"own-1\"").unwrap();
        moving.git("flake", &["add", "--all"]).await;
        // Locks the inputs, as any evaluation of a flake does.
        let request = moving.request(&[]);
        let lock = crate::nix::LockRequest {
            flake: ".",
            flake_dir: Some(&request.0),
            update: crate::nix::Update::All,
            deadline: std::time::Duration::from_secs(60),
            log_file: &request.1,
        };
        let lock = moving.playground.nix().lock(&lock, &|_| {}).await.unwrap();
        fs::write(moving.path("flake/flake.lock"), serde_json::to_string_pretty(&lock).unwrap() + "\n")
            .unwrap();
        moving.git("flake", &["add", "--all"]).await;
        moving.commit("flake").await;
        moving
    }

    fn path(&self, below: &str) -> PathBuf {
        self.playground.path(below)
    }

    async fn git(&self, folder: &str, arguments: &[&str]) {
        self.playground.git_in(folder, arguments).await;
    }

    async fn commit(&self, folder: &str) {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        self.git(folder, &[&who[..], &["commit", "--quiet", "--all", "--message", "x"]].concat()).await;
    }

    /// Commits a version of an input.
    async fn release(&self, input: &str, version: &str, more: &str) {
        let text = format!("{{ outputs = _: {{ version = \"{version}\"; {more} }}; }}");
        fs::write(self.path(input).join("flake.nix"), text).unwrap();
        self.git(input, &["add", "--all"]).await;
        self.commit(input).await;
    }

    fn request(&self, inputs: &[&str]) -> (PathBuf, PathBuf, Vec<String>) {
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        (self.path("flake"), self.path("logs/inputs.log"), inputs)
    }

    async fn trial(&self, inputs: &[&str]) -> Result<Trial, trial::TrialError> {
        let (flake_dir, log_file, inputs) = self.request(inputs);
        let request = TrialRequest {
            flake: ".",
            flake_dir: Some(&flake_dir),
            inputs: &inputs,
            deadline: std::time::Duration::from_secs(60),
            log_file: &log_file,
        };
        Trial::new(&self.playground.nix(), &request, &|_| {}).await
    }

    /// Everything in the flake's folder but git's own files, byte for byte.
    fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.path("flake")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true if path.ends_with(".git") => {}
                    true => open.push(path),
                    false => _ = files.insert(path.clone(), fs::read(path).unwrap()),
                }
            }
        }
        files
    }

    fn spec(&self) -> RunSpec {
        RunSpec {
            issue: None,
            id: RunId::generate(),
            flake: ".".to_owned(),
            flake_dir: Some(self.path("flake")),
            mode: Mode::Standard,
            action: Default::default(),
            goal: Default::default(),
            reboot: Default::default(),
            questions: Questions::NonInteractive,
            rollout: Rollout::default(),
            hosts: vec![HostSpec::with_defaults(host("alpha"))],
            waves: Vec::new(),
            canaries: Vec::new(),
            updates: false,
            resumed: None,
            takes_back: None,
            builders: Vec::new(),
            recover: Default::default(),
            substituters: Vec::new(),
            lint: Default::default(),
            state_dir: self.path("state"),
            run_dir: self.path("run"),
            actor: "ada@desk".to_owned(),
        }
    }

    async fn preview(&self, trial: &Trial, depth: Depth, new_packages: Option<&str>) -> Previewed {
        let (spec, logs, roots) = (self.spec(), self.path("logs"), self.path("roots"));
        let request = PreviewRequest {
            spec: &spec,
            trial,
            running: &BTreeMap::new(),
            depth,
            new_packages,
            log_dir: &logs,
            gc_root_dir: Some(&roots),
        };
        preview(&self.playground.nix(), &request, &|_| {}).await
    }
}

fn names(trial: &Trial) -> Vec<&str> {
    trial.moves().iter().map(|moved| moved.input.as_str()).collect()
}

/// `hello 1.0 -> 1.1`, of every package that changes.
fn told(previewed: &Previewed) -> Vec<String> {
    assert!(previewed.failures.is_empty(), "{:?}", previewed.failures);
    let packages = &previewed.hosts[0].preview.packages;
    let line = |change: &crate::model::PackageChange| {
        format!("{} {} -> {}", change.name, change.before.join(","), change.after.join(","))
    };
    packages.iter().map(line).collect()
}

#[tokio::test]
async fn a_trial_names_what_moves_and_leaves_the_flake_as_it_is() {
    let moving = Moving::new().await;
    let before = moving.tree();
    assert!(moving.trial(&[]).await.unwrap().moves().is_empty());
    moving.release("one", "1.1", "").await;
    moving.release("two", "2.0", "").await;
    let all = moving.trial(&[]).await.unwrap();
    assert_eq!(names(&all), ["one", "two"]);
    assert_eq!(all.inputs(), ["one", "part", "two"]);
    assert_eq!(names(&moving.trial(&["two"]).await.unwrap()), ["two"]);
    assert_eq!(moving.tree(), before);
    // Writing the text is the update.
    fs::write(moving.path("flake/flake.lock"), all.lock_text()).unwrap();
    assert!(moving.trial(&[]).await.unwrap().moves().is_empty());
}

#[tokio::test]
async fn one_bad_input_is_named_and_the_others_can_go_on() {
    let moving = Moving::new().await;
    moving.release("one", "1.1", "").await;
    fs::rename(moving.path("two"), moving.path("gone")).unwrap();
    let failure = moving.trial(&[]).await.unwrap_err().failure();
    assert!(failure.message.contains("the input two cannot be updated"), "{failure:?}");
    assert!(failure.hints[0].contains("--input one --input part"), "{failure:?}");
    assert_eq!(names(&moving.trial(&["one"]).await.unwrap()), ["one"]);
    let failure = moving.trial(&["three"]).await.unwrap_err().failure();
    assert!(failure.message.ends_with("has no input three; it has one, part, two"), "{failure:?}");
}

#[tokio::test]
async fn a_preview_builds_and_compares_what_a_dirty_tree_would_give() {
    let moving = Moving::new().await;
    moving.release("one", "1.1", "more = { zed = 1; \"a\\u001b[2J\" = 2; };").await;
    moving.release("two", "0.9", "").await;
    // Changed, and added without a commit: the evaluation sees both. What git
    // does not know it does not see.
    fs::write(moving.path("flake/own.nix"), "import ./added.nix").unwrap();
    fs::write(moving.path("flake/added.nix"), "\"own-2\"").unwrap();
    fs::write(moving.path("flake/unknown.nix"), "throw \"not tracked\"").unwrap();
    moving.git("flake", &["add", "added.nix"]).await;
    let before = moving.tree();
    let trial = moving.trial(&[]).await.unwrap();
    let previewed = moving.preview(&trial, Depth::Build, Some("*")).await;
    assert_eq!(told(&previewed), ["hello 1.0 -> 1.1", "world 1.0 -> 0.9"]);
    let one = &previewed.hosts[0];
    assert_eq!((one.preview.base, one.preview.precision), (PreviewBase::Configuration, Precision::Exact));
    assert!(
        one.after.iter().any(|package| package.name == "own" && package.versions == ["2"]),
        "{:?}",
        one.after
    );
    assert!(one.before.iter().any(|package| package.name == "hello" && package.versions == ["1.0"]));
    assert!(one.preview.storage.unwrap().new_bytes > 0);
    assert_eq!(one.preview.needs.unwrap().builds, 6, "four tools, their path and the system");
    let new = one.preview.new_packages.as_ref().unwrap();
    assert!(new.contains(&"zed".to_owned()) && !new.concat().contains(char::is_control), "{new:?}");
    assert_eq!(previewed.report(&trial).inputs.len(), 2);
    assert_eq!(moving.tree(), before);
}

#[tokio::test]
async fn an_estimate_says_the_same_of_versions_without_building() {
    let moving = Moving::new().await;
    moving.release("one", "1.1", "").await;
    let trial = moving.trial(&[]).await.unwrap();
    let previewed = moving.preview(&trial, Depth::Estimate, None).await;
    assert_eq!(told(&previewed), ["hello 1.0 -> 1.1"]);
    let preview = &previewed.hosts[0].preview;
    assert_eq!((preview.precision, preview.storage), (Precision::Estimate, None));
    assert!(preview.packages[0].selected && preview.new_packages.is_none());
    let system = moving.path("store").join(&preview.new.as_str()[1..]);
    assert!(!system.exists());
}

#[tokio::test]
async fn an_update_that_does_not_evaluate_or_build_fails_for_its_host() {
    let moving = Moving::new().await;
    moving.release("one", "${throw \"not any more\"}", "").await;
    let trial = moving.trial(&[]).await.unwrap();
    let previewed = moving.preview(&trial, Depth::Build, None).await;
    assert!(previewed.hosts.is_empty());
    assert!(previewed.failures[0].message.contains("alpha does not evaluate with the update: not any more"));
    moving.release("one", "1.2", "").await;
    fs::write(moving.path("flake/own.nix"), "\"x; echo no such header >&2; exit 3; #-1\"").unwrap();
    let trial = moving.trial(&[]).await.unwrap();
    let previewed = moving.preview(&trial, Depth::Build, None).await;
    assert_eq!(previewed.failures.len(), 1);
    assert!(previewed.failures[0].message.starts_with("alpha"), "{:?}", previewed.failures);
}

#[tokio::test]
async fn a_flake_that_is_a_plain_folder_can_be_tried_too() {
    let moving = Moving::new().await;
    moving.release("one", "1.1", "").await;
    fs::remove_dir_all(moving.path("flake/.git")).unwrap();
    let before = moving.tree();
    let trial = moving.trial(&[]).await.unwrap();
    assert_eq!(names(&trial), ["one"]);
    assert_eq!(told(&moving.preview(&trial, Depth::Build, None).await), ["hello 1.0 -> 1.1"]);
    assert_eq!(moving.tree(), before);
}

#[tokio::test]
async fn a_flake_without_a_lock_file_gets_none() {
    let moving = Moving::new().await;
    moving.git("flake", &["rm", "--quiet", "--cached", "flake.lock"]).await;
    fs::remove_file(moving.path("flake/flake.lock")).unwrap();
    let before = moving.tree();
    let trial = moving.trial(&[]).await.unwrap();
    let previewed = moving.preview(&trial, Depth::Estimate, None).await;
    assert!(told(&previewed).is_empty());
    assert_eq!(moving.tree(), before);
}
