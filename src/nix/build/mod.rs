//! One build for all hosts, from derivations that evaluation left in the store.
//!
//! All derivations go into one `nix-store --realise`: builders of one process
//! share what they build, while several processes wait for each other's locks.
//! `--keep-going` lets the other hosts finish when one fails; then, and only
//! then, Nix is asked which outputs are there.
//!
//! Building elsewhere copies the derivations there first and builds there over
//! the same ssh connection.

mod failure;
mod single;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::exec::Command;
use crate::model::StorePath;

use super::eval::Evaluated;
use super::run::{self, Call, ProgressFn};
use super::{CopyError, CopyRequest, Nix, RemoteStore};

pub(crate) use failure::{BuildError, FailedDerivation};
pub(crate) use single::Realise;

/// What to build and how.
#[derive(Debug)]
pub(crate) struct BuildRequest<'a> {
    /// What evaluation found; it is in the local store.
    pub(crate) targets: Vec<Evaluated>,
    /// Where to build; `None` is here.
    pub(crate) store: Option<RemoteStore>,
    /// How long all of it may take.
    pub(crate) deadline: Duration,
    /// How long sending derivations to another store may go without progress.
    pub(crate) stall: Duration,
    /// Gets everything Nix and the builders say, as text. The log of a failing
    /// derivation gets a file of its own beside it.
    pub(crate) log_file: &'a Path,
    /// An existing folder for links that keep the results from garbage
    /// collection, `result`, `result-2` and so on. Only when building here.
    pub(crate) gc_root_dir: Option<PathBuf>,
    /// Settings of Nix for this build, as `--option` takes them.
    pub(crate) options: Vec<(String, String)>,
    /// Is filled with what Nix says of downloads that failed.
    pub(crate) failed_downloads: Mutex<Vec<String>>,
    /// Is filled with what was fetched.
    pub(crate) fetched: Mutex<BTreeSet<StorePath>>,
    /// Is filled with the derivations whose build began.
    pub(crate) begun: Mutex<BTreeSet<StorePath>>,
}

type Answers = BTreeMap<StorePath, Result<(), BuildError>>;

impl Nix {
    /// Builds every target; the answer is by derivation.
    pub(crate) async fn build(&self, request: &BuildRequest<'_>, progress: ProgressFn<'_>) -> Answers {
        let ends = Instant::now() + request.deadline;
        if let Some(store) = &request.store
            && let Err(error) = self.send_derivations(request, store, ends, progress).await
        {
            let error = BuildError::Send(Arc::new(error));
            return request
                .targets
                .iter()
                .map(|target| (target.drv_path.clone(), Err(error.clone())))
                .collect();
        }
        let mut answers = Answers::new();
        let mut open: Vec<&Evaluated> = request.targets.iter().collect();
        // One round, unless something fails elsewhere: a store behind ssh-ng
        // never hears of --keep-going and stops at the first failure. Every
        // further round has at least one target less.
        while !open.is_empty() {
            let found = self.build_round(request, &open, ends, progress).await;
            let before = open.len();
            open.retain(|target| {
                !matches!(found.get(&target.drv_path), Some(Ok(()) | Err(BuildError::Failed { .. })))
            });
            let is_stuck = open.len() == before;
            answers.extend(found);
            if is_stuck || request.store.is_none() {
                break;
            }
        }
        answers
    }

    async fn build_round(
        &self,
        request: &BuildRequest<'_>,
        targets: &[&Evaluated],
        ends: Instant,
        progress: ProgressFn<'_>,
    ) -> Answers {
        let drvs = targets.iter().map(|target| &target.drv_path);
        let argv = realise_argv(request.store.as_ref(), request.gc_root_dir.as_deref(), drvs);
        let options = request.options.iter().flat_map(|(name, value)| ["--option", name, value]);
        let command = self.on_store(request.store.as_ref()).args(argv).args(options).deadline(until(ends));
        let call = run::run(command, "building", request.log_file, progress).await;
        request.begun.lock().unwrap_or_else(PoisonError::into_inner).extend(call.activities.built());
        request.fetched.lock().unwrap_or_else(PoisonError::into_inner).extend(call.activities.copied());
        match &call.output {
            Ok(output) if output.success() => {
                targets.iter().map(|target| (target.drv_path.clone(), Ok(()))).collect()
            }
            _ => self.judge(request, targets, call).await,
        }
    }

    async fn send_derivations(
        &self,
        request: &BuildRequest<'_>,
        store: &RemoteStore,
        ends: Instant,
        progress: ProgressFn<'_>,
    ) -> Result<(), CopyError> {
        let request = CopyRequest {
            paths: request.targets.iter().map(|target| target.drv_path.clone()).collect(),
            from: None,
            to: store.clone(),
            substitute: false,
            check_sigs: false,
            stall: request.stall,
            deadline: until(ends),
            log_file: request.log_file,
        };
        self.copy_derivations(&request, progress).await.map(|_| ())
    }

    /// Finds out what became of each target of a build that did not succeed.
    async fn judge(&self, request: &BuildRequest<'_>, targets: &[&Evaluated], call: Call) -> Answers {
        let Call { output, said, mut transcript, .. } = call;
        let downloads = said.lines().filter(|line| line.contains("unable to download")).map(str::to_owned);
        request.failed_downloads.lock().unwrap_or_else(PoisonError::into_inner).extend(downloads);
        let failed = failure::failed_derivations(&said);
        let ended = match output {
            Ok(output) => failure::Ended::Code(output.code),
            Err(error) => failure::Ended::Exec(Arc::new(error)),
        };
        let built = match &ended {
            // A minute is plenty for asking; the build's own deadline may be over.
            failure::Ended::Code(_) => self.valid_outputs(request, targets).await,
            failure::Ended::Exec(_) => BTreeSet::new(),
        };
        let mut logs: BTreeMap<StorePath, FailedDerivation> = BTreeMap::new();
        for (drv, reason) in &failed {
            let mut log = transcript.take_out(drv);
            if log.file.is_none()
                && let Some(text) = self.stored_log(drv, request.store.as_ref()).await
            {
                log = transcript.put(drv, &text);
            }
            logs.insert(drv.clone(), FailedDerivation::new(drv.clone(), reason, log));
        }
        let mut answers = Answers::new();
        for target in targets {
            let answer = if built.contains(&target.out_path) {
                Ok(())
            } else {
                let culprits = self.culprits(target, &logs, request.store.as_ref()).await;
                Err(BuildError::judge(culprits, &said, &ended, transcript.path()))
            };
            answers.insert(target.drv_path.clone(), answer);
        }
        if !built.is_empty() && request.gc_root_dir.is_some() && request.store.is_none() {
            self.root_outputs(request, &built).await;
        }
        answers
    }

    /// Which of the failed derivations a target needs.
    async fn culprits(
        &self,
        target: &Evaluated,
        failed: &BTreeMap<StorePath, FailedDerivation>,
        store: Option<&RemoteStore>,
    ) -> Vec<FailedDerivation> {
        if let Some(own) = failed.get(&target.drv_path) {
            return vec![own.clone()];
        }
        if failed.is_empty() {
            return Vec::new();
        }
        let command =
            self.on_store(store).args(["--query", "--requisites", target.drv_path.as_str()]).deadline(QUESTION);
        match command.checked().await {
            Ok(output) => {
                let text = output.stdout_text();
                let needed: BTreeSet<&str> = text.lines().collect();
                failed.values().filter(|one| needed.contains(one.drv_path.as_str())).cloned().collect()
            }
            // Better all that failed than none.
            Err(_) => failed.values().cloned().collect(),
        }
    }

    /// Everything that a derivation needs to be built, itself too; nothing when
    /// nobody can tell.
    pub(crate) async fn requisites(&self, drv_path: &StorePath) -> BTreeSet<StorePath> {
        let command =
            self.on_store(None).args(["--query", "--requisites", drv_path.as_str()]).deadline(QUESTION);
        match command.checked().await {
            Ok(output) => output.stdout_text().lines().filter_map(|line| StorePath::new(line).ok()).collect(),
            Err(_) => BTreeSet::new(),
        }
    }

    /// What these derivations build, whether it is there or not.
    pub(crate) async fn outputs(&self, drv_paths: &BTreeSet<StorePath>) -> Vec<StorePath> {
        if drv_paths.is_empty() {
            return Vec::new();
        }
        let paths = drv_paths.iter().map(StorePath::as_str);
        let command = self.nix_store().args(["--query", "--outputs"]).args(paths).deadline(QUESTION);
        match command.checked().await {
            Ok(output) => output.stdout_text().lines().filter_map(|line| StorePath::new(line).ok()).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The outputs that are there after a failure; none when nobody can tell.
    async fn valid_outputs(&self, request: &BuildRequest<'_>, targets: &[&Evaluated]) -> BTreeSet<StorePath> {
        let outputs: Vec<StorePath> = targets.iter().map(|target| target.out_path.clone()).collect();
        let command = self
            .on_store(request.store.as_ref())
            .args(["--check-validity", "--print-invalid"])
            .args(outputs.iter().map(StorePath::as_str))
            .deadline(QUESTION);
        match command.checked().await {
            Ok(output) => {
                let text = output.stdout_text();
                let invalid: BTreeSet<&str> = text.lines().collect();
                outputs.into_iter().filter(|path| !invalid.contains(path.as_str())).collect()
            }
            Err(_) => BTreeSet::new(),
        }
    }

    /// The log that the store keeps of a derivation.
    async fn stored_log(&self, drv: &StorePath, store: Option<&RemoteStore>) -> Option<String> {
        let command = self.on_store(store).args(["--read-log", drv.as_str()]).deadline(QUESTION);
        let output = command.checked().await.ok()?;
        Some(crate::model::text::clean(&output.stdout_text()))
    }

    /// Makes the links that a build with a failure in it leaves out.
    async fn root_outputs(&self, request: &BuildRequest<'_>, built: &BTreeSet<StorePath>) {
        let argv = realise_argv(None, request.gc_root_dir.as_deref(), built.iter());
        if let Err(error) = self.nix_store().args(argv).deadline(QUESTION).checked().await {
            tracing::debug!(%error, "no roots for what was built");
        }
    }

    /// `nix-store` on a store.
    fn on_store(&self, store: Option<&RemoteStore>) -> Command {
        match store {
            None => self.nix_store(),
            Some(store) => {
                self.nix_store().args(["--store", store.url()]).env("NIX_SSHOPTS", store.ssh_options())
            }
        }
    }
}

/// How long a short question may take.
const QUESTION: Duration = Duration::from_secs(60);

fn until(ends: Instant) -> Duration {
    ends.saturating_duration_since(Instant::now())
}

/// The arguments of the one build; the same words work from Nix 2.8 on.
fn realise_argv<'a>(
    store: Option<&RemoteStore>,
    gc_root_dir: Option<&Path>,
    paths: impl Iterator<Item = &'a StorePath>,
) -> Vec<String> {
    let mut argv: Vec<String> = [
        "--realise",
        "--keep-going",
        "--log-format",
        "internal-json",
        // Who meets a lock of another builder looks again after this many
        // seconds; the default of 5 costs up to 5.
        "--option",
        "build-poll-interval",
        "1",
    ]
    .map(str::to_owned)
    .to_vec();
    // Only a local store has roots in our file system.
    if let (None, Some(directory)) = (store, gc_root_dir) {
        let link = directory.join("result").to_string_lossy().into_owned();
        argv.extend(["--indirect".to_owned(), "--add-root".to_owned(), link]);
    }
    argv.extend(paths.map(|path| path.as_str().to_owned()));
    argv
}

#[cfg(test)]
mod tests;
