//! One evaluation for all selected hosts: derivation and output path of each.
//!
//! One host, or a few: one `nix eval` process. Many: `nix-eval-jobs` when it is
//! there, else several `nix eval` of as many hosts as memory allows. Nix stops
//! at the first error, so when a joint evaluation fails its hosts are evaluated
//! one by one: one bad host does not stop the others. Hosts whose joint
//! evaluation runs out of memory are evaluated again, half as many at once and one
//! process at a time.
//!
//! Invariant: the answer has every requested host exactly once.

mod chunks;
mod error;
mod expression;
mod jobs;
mod names;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::exec::{Command, Output};
use crate::model::{HostName, StorePath, text};

use super::activities::NixProgress;
use super::run::{self, Call, ProgressFn};
use super::{Nix, TrialLock};

pub(crate) use chunks::ChunkPolicy;
pub(crate) use error::EvalError;
pub(crate) use expression::Ask;
pub(super) use expression::reference;
pub(crate) use names::NamesRequest;

/// What to evaluate and how.
#[derive(Debug)]
pub(crate) struct EvalRequest<'a> {
    /// The flake reference as configured.
    pub(crate) flake: &'a str,
    /// The folder of the flake when it is a local one.
    pub(crate) flake_dir: Option<&'a Path>,
    /// Hosts with their attribute below `nixosConfigurations`.
    pub(crate) attributes: Vec<(HostName, String)>,
    /// How long all of it may take.
    pub(crate) deadline: Duration,
    /// Gets everything Nix says, as text.
    pub(crate) log_file: &'a Path,
    /// Whether settings are asked for. nix-eval-jobs gives none.
    pub(crate) ask: Ask,
    /// How many hosts at once.
    pub(crate) chunks: ChunkPolicy,
    /// The lock file to use; without one Nix completes the flake's own.
    pub(crate) lock: Option<&'a TrialLock>,
}

/// What a host's configuration evaluates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evaluated {
    /// The derivation, which is in the local store.
    pub(crate) drv_path: StorePath,
    /// The toplevel it builds, which may not be there yet.
    pub(crate) out_path: StorePath,
    /// What it runs on, for example `x86_64-linux`, when the derivation says so.
    pub(crate) system: Option<String>,
    /// What the configuration opens to others, when it was asked for and
    /// evaluates (`templates/audit-settings.nix`).
    pub(crate) settings: Option<Arc<serde_json::Value>>,
}

/// Hosts that were too many for the memory, and what came of fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shrunk {
    /// The hosts that were evaluated at once.
    pub(crate) hosts: Vec<HostName>,
    /// How many of them were evaluated at once then.
    pub(crate) at_once: usize,
    /// Whether that was few enough.
    pub(crate) fits: bool,
}

/// Hears when fewer hosts are evaluated at once.
pub(crate) type ShrunkFn<'a> = &'a (dyn Fn(Shrunk) + Send + Sync);

type Answers = BTreeMap<HostName, Result<Evaluated, EvalError>>;
type Attribute = (HostName, String);

impl Nix {
    /// Evaluates the toplevel of every requested host.
    pub(crate) async fn evaluate(&self, request: &EvalRequest<'_>, progress: ProgressFn<'_>) -> Answers {
        self.evaluate_telling(request, progress, &|_| {}).await
    }

    /// The same, and tells when memory was too small for so many hosts at once.
    pub(crate) async fn evaluate_telling(
        &self,
        request: &EvalRequest<'_>,
        progress: ProgressFn<'_>,
        on_shrunk: ShrunkFn<'_>,
    ) -> Answers {
        let ends = Instant::now() + request.deadline;
        let mut answers = Answers::new();
        // Not every nix-eval-jobs takes another lock file, or leaves the own one.
        if request.lock.is_none() && request.chunks.is_worth_jobs(request.attributes.len()) {
            let found = self.evaluate_with_jobs(request, ends, progress).await;
            answers.extend(found.into_iter().map(|(host, evaluated)| (host, Ok(evaluated))));
        }
        // Whatever nix-eval-jobs did not answer, for whatever reason, nix eval
        // answers with a proper error.
        let open: Vec<Attribute> =
            request.attributes.iter().filter(|(host, _)| !answers.contains_key(host)).cloned().collect();
        answers.extend(self.evaluate_chunks(request, &open, ends, (progress, on_shrunk)).await);
        answers
    }

    async fn evaluate_chunks(
        &self,
        request: &EvalRequest<'_>,
        attributes: &[Attribute],
        ends: Instant,
        (progress, on_shrunk): (ProgressFn<'_>, ShrunkFn<'_>),
    ) -> Answers {
        let plan = request.chunks.plan(attributes.len());
        let chunks = attributes.chunks(plan.size).map(<[Attribute]>::to_vec).collect();
        let joint = self.evaluate_all(request, chunks, plan.concurrent, ends, progress).await;
        let mut answers = Answers::new();
        let mut suspects = Vec::new();
        let mut too_large = VecDeque::new();
        for (chunk, result) in joint {
            match result {
                Ok(found) => answers.extend(found),
                // One host alone may fit when no other process runs beside it.
                Err(error) if error.is_for_memory() && (chunk.len() > 1 || plan.concurrent > 1) => {
                    too_large.push_back(chunk);
                }
                Err(error) if chunk.len() > 1 && error.may_be_one_hosts() => {
                    suspects.extend(chunk.into_iter().map(|attribute| vec![attribute]));
                }
                Err(error) => {
                    answers.extend(chunk.into_iter().map(|(host, _)| (host, Err(error.clone()))));
                }
            }
        }
        while let Some(chunk) = too_large.pop_front() {
            let size = chunk.len().div_ceil(2);
            let halves: Vec<Vec<Attribute>> = chunk.chunks(size).map(<[Attribute]>::to_vec).collect();
            progress(NixProgress {
                doing: format!("evaluating again, {} at once", text::plural(size, "host")),
                ..NixProgress::default()
            });
            let mut fits = true;
            for (half, result) in self.evaluate_all(request, halves, 1, ends, progress).await {
                match result {
                    Ok(found) => answers.extend(found),
                    Err(error) if error.is_for_memory() && half.len() > 1 => {
                        fits = false;
                        too_large.push_back(half);
                    }
                    Err(error) if half.len() > 1 && error.may_be_one_hosts() => {
                        suspects.extend(half.into_iter().map(|attribute| vec![attribute]));
                    }
                    Err(error) => {
                        fits &= !error.is_for_memory();
                        answers.extend(half.into_iter().map(|(host, _)| (host, Err(error.clone()))));
                    }
                }
            }
            let hosts = chunk.into_iter().map(|(host, _)| host).collect();
            on_shrunk(Shrunk { hosts, at_once: size, fits });
        }
        if !suspects.is_empty() {
            let concurrent = request.chunks.plan_singly(suspects.len());
            for (chunk, result) in self.evaluate_all(request, suspects, concurrent, ends, progress).await {
                match result {
                    Ok(found) => answers.extend(found),
                    Err(error) => answers.extend(chunk.into_iter().map(|(host, _)| (host, Err(error.clone())))),
                }
            }
        }
        answers
    }

    /// Evaluates chunks, so many at a time.
    async fn evaluate_all(
        &self,
        request: &EvalRequest<'_>,
        chunks: Vec<Vec<Attribute>>,
        concurrent: usize,
        ends: Instant,
        progress: ProgressFn<'_>,
    ) -> Vec<(Vec<Attribute>, Result<Answers, EvalError>)> {
        let permits = Semaphore::new(concurrent);
        let permits = &permits;
        let evaluations = chunks.into_iter().map(|chunk| async move {
            // The semaphore is never closed: without a permit only order is lost.
            let _permit = permits.acquire().await.ok();
            let result = self.evaluate_chunk(request, &chunk, ends, progress).await;
            (chunk, result)
        });
        join_all(evaluations).await
    }

    async fn evaluate_chunk(
        &self,
        request: &EvalRequest<'_>,
        chunk: &[Attribute],
        ends: Instant,
        progress: ProgressFn<'_>,
    ) -> Result<Answers, EvalError> {
        let mut call = self.ask(request, chunk, request.ask, ends, progress).await;
        let failed = !call.output.as_ref().is_ok_and(Output::success);
        if failed && call.said.mentions(expression::SETTINGS_MARK) {
            // What the audit wants to know must not fail what the deploy needs.
            call = self.ask(request, chunk, Ask::Paths, ends, progress).await;
        }
        let Call { output, said, transcript, .. } = call;
        let output = output.map_err(|error| EvalError::Exec(Arc::new(error)))?;
        if !output.success() {
            return Err(EvalError::from_said(&said, output.code, request.flake, transcript.path()));
        }
        let answer = expression::parse_answer(&output.stdout)
            .map_err(|detail| EvalError::Answer { detail, log: transcript.path().to_owned() })?;
        Ok(chunk.iter().map(|(host, attribute)| (host.clone(), answer.of(attribute))).collect())
    }

    async fn ask(
        &self,
        request: &EvalRequest<'_>,
        chunk: &[Attribute],
        ask: Ask,
        ends: Instant,
        progress: ProgressFn<'_>,
    ) -> Call {
        let attributes: Vec<&str> = chunk.iter().map(|(_, attribute)| attribute.as_str()).collect();
        let command = self
            .nix()
            .arg("eval")
            .args(request.lock.map(TrialLock::arguments).unwrap_or_default())
            .args(expression::eval_argv(request.flake, request.flake_dir.is_some(), &attributes, ask))
            .deadline(ends.saturating_duration_since(Instant::now()));
        run::run(in_flake(command, request), "evaluating", request.log_file, progress).await
    }
}

/// Nix runs in the folder of a local flake and is told `.`: a path with a
/// space or a `#` cannot be written as a flake reference in every version.
fn in_flake(command: Command, request: &EvalRequest<'_>) -> Command {
    match request.flake_dir {
        Some(directory) => command.current_dir(directory),
        None => command,
    }
}

/// Drives all futures at once and keeps their order.
async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all_ready = true;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => all_ready = false,
                }
            }
        }
        if all_ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests;
