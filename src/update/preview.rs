//! What an update would change on the hosts of a run.
//!
//! All hosts are evaluated at once with the trial's lock file. Then either
//! everything is built and the closures are compared, or names and versions of
//! derivations give an estimate (`estimate.rs`). A host is compared with what
//! it runs; one that could not be asked with what its configuration gives with
//! the lock file as it is. Nothing is deployed.
//!
//! Invariant: every host is either in the report or has a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;

use super::running::Running;
use super::trial::Trial;
use super::{estimate, exact, names};
use crate::model::{
    BuildNeeds, BuildOn, Failure, FailureClass, HostName, HostPreview, HostSpec, InstalledPackage, Precision,
    PreviewBase, RunSpec, UpdatePreview,
};
use crate::nix::{
    Ask, BuildError, BuildRequest, ChunkPolicy, Closure, EvalError, EvalRequest, Evaluated, Nix, NixProgress,
    Selection, TrialLock,
};

/// How deep a preview looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Builds the new systems, here, and compares closures.
    Build,
    /// Compares names and versions of derivations: seconds instead of builds.
    Estimate,
}

/// What is previewed.
#[derive(Clone, Copy)]
pub(crate) struct PreviewRequest<'a> {
    /// Hosts, flake and deadlines.
    pub(crate) spec: &'a RunSpec,
    /// The update.
    pub(crate) trial: &'a Trial,
    /// What the hosts run, or why that is not known.
    pub(crate) running: &'a BTreeMap<HostName, Result<Running, Failure>>,
    /// Whether new systems are built.
    pub(crate) depth: Depth,
    /// Which new attributes of the package set are wanted, as a glob with the
    /// path of a set before it: `*`, `python3Packages.*`. None when not asked.
    pub(crate) new_packages: Option<&'a str>,
    /// An existing folder for what Nix and the builders say.
    pub(crate) log_dir: &'a Path,
    /// An existing folder for links that keep what was built.
    pub(crate) gc_root_dir: Option<&'a Path>,
}

/// What a preview is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// Evaluates.
    Evaluate,
    /// Builds.
    Build,
    /// Compares old and new.
    Compare,
}

/// How far a preview is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What is going on.
    pub(crate) stage: Stage,
    /// What Nix says about it.
    pub(crate) nix: NixProgress,
}

/// Hears how far a preview is.
pub(crate) type ProgressFn<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// One host of a preview with what the issue check compares.
#[derive(Clone, Debug)]
pub(crate) struct PreviewedHost {
    /// What people are shown.
    pub(crate) preview: HostPreview,
    /// The packages as they are now.
    pub(crate) before: Vec<InstalledPackage>,
    /// The packages with the update.
    pub(crate) after: Vec<InstalledPackage>,
}

/// A preview.
#[derive(Clone, Debug, Default)]
pub(crate) struct Previewed {
    /// The hosts that could be judged, in the order of the run.
    pub(crate) hosts: Vec<PreviewedHost>,
    /// Why the others could not.
    pub(crate) failures: Vec<Failure>,
}

impl Previewed {
    /// What is shown.
    pub(crate) fn report(&self, trial: &Trial) -> UpdatePreview {
        UpdatePreview {
            inputs: trial.moves().to_vec(),
            hosts: self.hosts.iter().map(|host| host.preview.clone()).collect(),
        }
    }
}

/// A host with everything that was found out about it.
pub(super) struct Candidate<'a> {
    pub(super) host: &'a HostSpec,
    /// What it runs, where it could be asked.
    pub(super) running: Option<&'a Running>,
    /// Why it could not.
    pub(super) unreachable: Option<String>,
    /// With the lock file as it is; only where the host could not be asked.
    pub(super) old: Option<Evaluated>,
    /// With the trial's.
    pub(super) new: Evaluated,
    pub(super) needs: Option<BuildNeeds>,
    pub(super) new_packages: Option<Vec<String>>,
}

/// What a comparison gives, exact or not.
pub(super) struct Compared {
    pub(super) preview: HostPreview,
    pub(super) before: Vec<InstalledPackage>,
    pub(super) after: Vec<InstalledPackage>,
}

impl Candidate<'_> {
    pub(super) fn base(&self) -> PreviewBase {
        if self.running.is_some() { PreviewBase::Running } else { PreviewBase::Configuration }
    }

    /// A preview without any change yet.
    pub(super) fn preview(&self, precision: Precision) -> HostPreview {
        let running = self.running.and_then(|running| running.system.clone());
        HostPreview {
            host: self.host.name.clone(),
            base: self.base(),
            unreachable: self.unreachable.clone(),
            precision,
            old: running.or_else(|| self.old.as_ref().map(|old| old.out_path.clone())),
            new: self.new.out_path.clone(),
            packages: Vec::new(),
            rebuilt: None,
            configuration_paths: None,
            storage: None,
            needs: self.needs,
            reboot_needed: None,
            reboot_reasons: Vec::new(),
            new_packages: self.new_packages.clone(),
            notes: Vec::new(),
        }
    }
}

/// Previews an update of the hosts of a run.
pub(crate) async fn preview(nix: &Nix, request: &PreviewRequest<'_>, progress: ProgressFn<'_>) -> Previewed {
    let hosts: Vec<&HostSpec> = request.spec.hosts.iter().collect();
    let silent: Vec<&HostSpec> = hosts.iter().copied().filter(|host| request.of(host).is_none()).collect();
    let (new, old, names) = tokio::join!(
        request.evaluate(nix, &hosts, request.trial.lock(), progress),
        request.evaluate(nix, &silent, &TrialLock::Own, &|_| {}),
        names::new_names(nix, request),
    );
    let mut previewed = Previewed::default();
    let mut candidates = Vec::new();
    let (mut new, mut old, mut names) = (new, old, names);
    for host in hosts {
        let old = match old.remove(&host.name).transpose() {
            Ok(old) => old,
            Err(error) => {
                previewed.failures.push(evaluation_failure(host, &error));
                continue;
            }
        };
        match new.remove(&host.name) {
            Some(Ok(new)) => candidates.push(Candidate {
                host,
                running: request.of(host),
                unreachable: request.silence(host),
                old,
                new,
                needs: None,
                new_packages: names.remove(&host.name),
            }),
            Some(Err(error)) => previewed.failures.push(evaluation_failure(host, &error)),
            None => {}
        }
    }
    let needs = needs(nix, &candidates).await;
    for (candidate, needs) in candidates.iter_mut().zip(needs) {
        candidate.needs = needs;
    }
    let mut built = request.build(nix, &candidates, progress).await;
    progress(Progress { stage: Stage::Compare, nix: NixProgress::default() });
    let compared = join_all(candidates.iter().map(|candidate| {
        let is_exact = request.is_built(candidate);
        let failed = built.remove(&candidate.host.name);
        async move {
            match (failed, is_exact) {
                (Some(failure), _) => Err(failure),
                (None, true) => exact::compare(nix, candidate).await,
                (None, false) => estimate::compare(nix, candidate).await,
            }
        }
    }))
    .await;
    for compared in compared {
        match compared {
            Ok(Compared { preview, before, after }) => {
                previewed.hosts.push(PreviewedHost { preview, before, after })
            }
            Err(failure) => previewed.failures.push(failure),
        }
    }
    previewed
}

/// What has to be fetched and built, asked before anything is.
async fn needs(nix: &Nix, candidates: &[Candidate<'_>]) -> Vec<Option<BuildNeeds>> {
    let needs = candidates.iter().map(|candidate| async {
        match Path::new(candidate.new.out_path.as_str()).exists() {
            true => Some(BuildNeeds::default()),
            false => nix.needs(&candidate.new.drv_path).await,
        }
    });
    join_all(needs).await
}

impl<'a> PreviewRequest<'a> {
    fn of(&self, host: &HostSpec) -> Option<&'a Running> {
        self.running.get(&host.name)?.as_ref().ok()
    }

    fn silence(&self, host: &HostSpec) -> Option<String> {
        match self.running.get(&host.name) {
            Some(Ok(_)) => None,
            Some(Err(failure)) => Some(failure.message.clone()),
            None => Some("it was not asked".to_owned()),
        }
    }

    /// Whether the new system is built, or there already. A host that builds
    /// elsewhere may be one that this machine cannot build for.
    fn is_built(&self, candidate: &Candidate<'_>) -> bool {
        let is_there = || Path::new(candidate.new.out_path.as_str()).exists();
        (self.depth == Depth::Build && candidate.host.build_on == BuildOn::Local) || is_there()
    }

    pub(super) fn deadline(&self, of: impl Fn(&HostSpec) -> Duration) -> Duration {
        self.spec.hosts.iter().map(of).max().unwrap_or_default()
    }

    async fn evaluate(
        &self,
        nix: &Nix,
        hosts: &[&HostSpec],
        lock: &TrialLock,
        progress: ProgressFn<'_>,
    ) -> BTreeMap<HostName, Result<Evaluated, EvalError>> {
        if hosts.is_empty() {
            return BTreeMap::new();
        }
        let is_now = *lock == TrialLock::Own;
        let log = self.log_dir.join(if is_now { "evaluate-now.log" } else { "evaluate.log" });
        let request = EvalRequest {
            flake: &self.spec.flake,
            flake_dir: self.spec.flake_dir.as_deref(),
            ask: Ask::Paths,
            attributes: hosts.iter().map(|host| (host.name.clone(), host.attribute.clone())).collect(),
            deadline: self.deadline(|host| host.timeouts.evaluate),
            log_file: &log,
            chunks: ChunkPolicy::of_this_machine(),
            lock: Some(lock),
        };
        nix.evaluate(&request, &|nix| progress(Progress { stage: Stage::Evaluate, nix })).await
    }

    /// Builds what is compared exactly: new systems, and the old ones of hosts
    /// that could not be asked. Gives the failures by host.
    async fn build(
        &self,
        nix: &Nix,
        candidates: &[Candidate<'_>],
        progress: ProgressFn<'_>,
    ) -> BTreeMap<HostName, Failure> {
        let wanted: Vec<&Candidate<'_>> =
            candidates.iter().filter(|candidate| self.is_built(candidate)).collect();
        let missing = |evaluated: &&Evaluated| !Path::new(evaluated.out_path.as_str()).exists();
        let targets: Vec<Evaluated> = wanted
            .iter()
            .flat_map(|candidate| candidate.old.iter().chain([&candidate.new]))
            .filter(missing)
            .cloned()
            .collect();
        if targets.is_empty() {
            return BTreeMap::new();
        }
        let log_file = self.log_dir.join("build.log");
        let request = BuildRequest {
            targets,
            store: None,
            deadline: self.deadline(|host| host.timeouts.build),
            stall: self.deadline(|host| host.timeouts.copy_stall),
            log_file: &log_file,
            gc_root_dir: self.gc_root_dir.map(PathBuf::from),
            options: Vec::new(),
            failed_downloads: std::sync::Mutex::default(),
            fetched: std::sync::Mutex::default(),
            begun: Mutex::default(),
        };
        let answers = nix.build(&request, &|nix| progress(Progress { stage: Stage::Build, nix })).await;
        let failed = wanted.iter().filter_map(|candidate| {
            let drvs = candidate.old.iter().chain([&candidate.new]).map(|evaluated| &evaluated.drv_path);
            let error = drvs.filter_map(|drv| answers.get(drv)?.as_ref().err()).next()?;
            Some((candidate.host.name.clone(), build_failure(candidate.host, error)))
        });
        failed.collect()
    }
}

fn evaluation_failure(host: &HostSpec, error: &EvalError) -> Failure {
    let failure = Failure::from_error(FailureClass::Build, error);
    Failure {
        message: format!("{} does not evaluate with the update: {}", host.name, failure.message),
        hints: error.hints(),
        ..failure
    }
    .evidence(error.trace().iter().cloned())
}

fn build_failure(host: &HostSpec, error: &BuildError) -> Failure {
    let failure = Failure::from_error(FailureClass::Build, error);
    let message = format!("{} cannot be built with the update: {}", host.name, failure.message);
    let hints = [error.hints(), vec!["--no-build estimates without building".to_owned()]].concat();
    Failure { message, hints, ..failure }.evidence(error.evidence())
}

/// The closure and the selection of a system that is in the local store.
pub(super) async fn read_system(
    nix: &Nix,
    evaluated: &Evaluated,
) -> Result<(Closure, Selection), crate::nix::NixError> {
    let closure = nix.closure(&evaluated.out_path, None).await?;
    // What is installed by name is what the common path of the system holds.
    let common = std::fs::canonicalize(evaluated.out_path.join("sw")).ok();
    let common = common.and_then(|path| crate::model::StorePath::new(path.to_str()?).ok());
    let selection = match common {
        Some(path) => nix.references(&path).await.into_iter().collect(),
        None => Selection::default(),
    };
    Ok((closure, selection))
}
