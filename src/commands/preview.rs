//! Shows what an update of the flake's inputs would change on hosts. Changes
//! neither the flake nor a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{DeployOptions, deploy};
use crate::cli::PreviewArgs;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, HostName, RunSpec, UpdatePreview};
use crate::nix::Nix;
use crate::report::{self, TaskEnd, Tasks};
use crate::settings::Output;
use crate::update::{
    self, Depth, PreviewRequest, Previewed, Progress, Running, Stage, Trial, TrialRequest, running,
};

/// The version of what `--output json` prints; it rises when a field changes
/// meaning or goes.
const VERSION: u32 = 1;
/// Folders of earlier previews that are kept: their logs, and links to what
/// they built, so that the deploy that follows finds it.
const KEPT: usize = 5;

/// What a machine reads.
#[derive(Serialize)]
struct Shown<'a> {
    v: u32,
    r#type: &'static str,
    #[serde(flatten)]
    preview: &'a UpdatePreview,
    failures: &'a [Failure],
}

/// Previews an update. Exit code 4 when an input, an evaluation or a build
/// fails; a host that cannot be asked is compared with its configuration.
pub(crate) async fn preview(
    run_spec: RunSpec,
    asked: &PreviewArgs,
    options: DeployOptions,
) -> Result<ExitCode, CommandError> {
    if let Some(pattern) = &asked.new_packages {
        update::check_pattern(pattern)
            .map_err(|why| CommandError::new(FailureClass::Usage, format!("--new-packages: {why}")))?;
    }
    let folder = folder(&run_spec).map_err(|error| {
        CommandError::from_error(FailureClass::Unexpected, &error).hint("is the state folder writable?")
    })?;
    let output = deploy::shown(options.screen);
    let tasks = Tasks::new(output);
    let work = previewed(&run_spec, asked, &folder, &tasks);
    let result = tokio::select! {
        result = work => result,
        () = interrupted() => Err(Failure::new(FailureClass::Interrupted, "interrupted; nothing was changed")),
    };
    tasks.finish();
    let (trial, previewed) = result?;
    let shown = previewed.report(&trial);
    let text = match options.screen.output {
        Output::Json => {
            let shown = Shown { v: VERSION, r#type: "preview", preview: &shown, failures: &previewed.failures };
            let line = serde_json::to_string(&shown)
                .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
            line + "\n"
        }
        Output::Quiet => String::new(),
        Output::Live | Output::Plain => report::preview_report(&shown, output),
    };
    super::print(text.as_bytes())?;
    match previewed.failures.is_empty() {
        true => Ok(exit::OK),
        false => Err(CommandError::several(previewed.failures)),
    }
}

/// The folder of a preview's logs and of links to what it builds.
fn folder(run_spec: &RunSpec) -> std::io::Result<PathBuf> {
    let previews = run_spec.state_dir.join("previews");
    let folder = previews.join(run_spec.id.to_string());
    std::fs::create_dir_all(folder.join("results"))?;
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(&previews)?.filter_map(|one| Some(one.ok()?.path())).collect();
    // Run ids sort by time.
    all.sort();
    for old in all.iter().rev().skip(KEPT) {
        // A folder that stays costs room and nothing else.
        let _ = std::fs::remove_dir_all(old);
    }
    Ok(folder)
}

async fn previewed(
    run_spec: &RunSpec,
    asked: &PreviewArgs,
    folder: &Path,
    tasks: &Tasks,
) -> Result<(Trial, Previewed), Failure> {
    let nix = Nix::new();
    let log_file = folder.join("inputs.log");
    let request = TrialRequest {
        flake: &run_spec.flake,
        flake_dir: run_spec.flake_dir.as_deref(),
        inputs: &asked.inputs,
        deadline: run_spec.hosts.iter().map(|host| host.timeouts.evaluate).max().unwrap_or_default(),
        log_file: &log_file,
    };
    let (trial, running) = tokio::join!(trial(&nix, &request, tasks), running(&nix, run_spec, tasks));
    let trial = trial?;
    let results = folder.join("results");
    let request = PreviewRequest {
        spec: run_spec,
        trial: &trial,
        running: &running,
        depth: if asked.no_build { Depth::Estimate } else { Depth::Build },
        new_packages: asked.new_packages.as_deref(),
        log_dir: folder,
        gc_root_dir: Some(&results),
    };
    let stages = Stages::new(tasks);
    let previewed = update::preview(&nix, &request, &|progress| stages.take(&progress)).await;
    stages.end(&previewed);
    Ok((trial, previewed))
}

async fn trial(nix: &Nix, request: &TrialRequest<'_>, tasks: &Tasks) -> Result<Trial, Failure> {
    const TASK: &str = "inputs";
    tasks.begin(TASK);
    let progress = |nix: crate::nix::NixProgress| tasks.progress(TASK, &nix.doing, nix.done, nix.expected);
    let trial = Trial::new(nix, request, &progress).await.map_err(|error| error.failure());
    match &trial {
        Ok(trial) => {
            let moves = trial.moves();
            let names: Vec<&str> = moves.iter().map(|moved| moved.input.as_str()).collect();
            let summary = match moves.len() {
                0 => "all at their newest".to_owned(),
                count => format!("{} would move: {}", plural(count, "input"), names.join(", ")),
            };
            tasks.end(TASK, TaskEnd::Done, &summary);
        }
        Err(failure) => tasks.end(TASK, TaskEnd::Failed, &failure.message),
    }
    trial
}

async fn running(nix: &Nix, run_spec: &RunSpec, tasks: &Tasks) -> BTreeMap<HostName, Result<Running, Failure>> {
    let asked = run_spec.hosts.iter().map(|host| async {
        tasks.begin(host.name.as_str());
        tasks.progress(host.name.as_str(), "asking what it runs", None, None);
        let running = running::ask(host, nix).await;
        match &running {
            Ok(running) => {
                let packages = plural(running.packages().len(), "package");
                tasks.end(host.name.as_str(), TaskEnd::Done, &format!("runs {packages}"));
            }
            Err(failure) => tasks.end(host.name.as_str(), TaskEnd::Warned, &failure.message),
        }
        (host.name.clone(), running)
    });
    join_all(asked).await.into_iter().collect()
}

/// Shows the stages of a preview as tasks.
struct Stages<'a> {
    tasks: &'a Tasks,
    at: std::sync::Mutex<Option<Stage>>,
}

impl<'a> Stages<'a> {
    fn new(tasks: &'a Tasks) -> Self {
        tasks.begin(name(Stage::Evaluate));
        Self { tasks, at: std::sync::Mutex::new(Some(Stage::Evaluate)) }
    }

    fn take(&self, progress: &Progress) {
        let mut at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(before) = at.filter(|before| *before != progress.stage) {
            self.tasks.end(name(before), TaskEnd::Done, "");
        }
        *at = Some(progress.stage);
        let nix = &progress.nix;
        self.tasks.progress(name(progress.stage), &nix.doing, nix.done, nix.expected);
    }

    fn end(&self, previewed: &Previewed) {
        let at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let end = if previewed.failures.is_empty() { TaskEnd::Done } else { TaskEnd::Failed };
        if let Some(stage) = *at {
            self.tasks.end(name(stage), end, "");
        }
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Evaluate => "evaluate",
        Stage::Build => "build",
        Stage::Compare => "compare",
    }
}

/// Waits for Ctrl-C and its kind. What runs is ended when its future is dropped.
async fn interrupted() {
    let streams = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let waiting = streams.into_iter().filter_map(Result::ok).map(|mut stream| {
        Box::pin(async move {
            stream.recv().await;
        })
    });
    let waiting: Vec<_> = waiting.collect();
    match waiting.is_empty() {
        true => std::future::pending().await,
        false => _ = futures_util::future::select_all(waiting).await,
    }
}
