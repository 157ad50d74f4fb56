//! Updates flake inputs and deploys what comes of it: guided, by risk, without
//! a question, or back to what was before.
//!
//! Owns the order of an update: what was cut off is put back, the update is
//! tried without being made, judged, decided, made, deployed, and kept or put
//! back. flake.lock is touched only between the decision and the end of the
//! deploy; whatever ends that, it holds either the update that was deployed or
//! what it held before.

mod aftermath;
mod checks;
mod hold_back;
mod judged;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::DeployOptions;
use super::deploy::{self, Running};
use super::issues::IssueOptions;
use crate::cli::UpdateArgs;
use crate::engine;
use crate::error::CommandError;
use crate::event::Event;
use crate::exit::{self, ExitCode};
use crate::git;
use crate::model::text::clean_line;
use crate::model::{
    Action, DecidedBy, Failure, FailureClass, InputMove, LockFileState, Questions, RunSpec, UpdateDecision,
    UpdatePreview, Verdict,
};
use crate::nix::{Nix, NixProgress};
use crate::settings::{Environment, Settings};
use crate::update::decide::Manner;
use crate::update::{Depth, FlakeLock, Found, LockUpdate, TransactionError, Trial, TrialRequest};

/// The lock file's name beside flake.nix.
pub(super) const LOCK: &str = "flake.lock";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Judge the update, and decide in some manner.
    Judge(Manner),
    /// Update and deploy without a question.
    Unasked,
    /// Put back what was before the last update, and deploy it.
    Undo,
}

impl What {
    /// What the arguments ask for.
    pub(crate) fn of(arguments: &UpdateArgs) -> Self {
        match (arguments.undo, arguments.smart) {
            (true, _) => Self::Undo,
            (false, true) => Self::Judge(Manner::Smart { accept: arguments.accept_risk.unwrap_or_default() }),
            (false, false) => Self::Judge(Manner::Guided),
        }
    }
}

/// The host of hosts.toml that is the machine we run on: the one of its name,
/// or the only one without an address.
pub(crate) fn local_host(settings: &Settings, environment: &Environment) -> Result<String, CommandError> {
    let named = settings.hosts.iter().find(|host| host.name.as_str() == environment.machine);
    let mut without_address = settings.hosts.iter().filter(|host| host.address.is_none());
    let only = without_address.next().filter(|_| without_address.next().is_none());
    match named.or(only) {
        Some(host) => Ok(host.name.as_str().to_owned()),
        None => {
            let message = format!("hosts.toml has no host {}, which is this machine", environment.machine);
            let hint = format!("add [hosts.{}], or name the host", environment.machine);
            Err(CommandError::new(FailureClass::Usage, message).hint(hint))
        }
    }
}

/// How it is asked for.
pub(crate) struct UpdateOptions {
    /// What is asked for.
    pub(crate) what: What,
    /// Inputs to bring to their newest; all when there is none.
    pub(crate) inputs: Vec<String>,
    /// How deep the preview looks.
    pub(crate) depth: Depth,
    /// Which new attributes of the package set are told.
    pub(crate) new_packages: Option<String>,
    /// Where known issues come from and which count.
    pub(crate) issues: IssueOptions,
    /// Whether a flake.lock that is kept will be committed behind the update.
    pub(crate) commits: bool,
}

/// What an update came to.
pub(crate) struct Outcome {
    /// The exit code.
    pub(crate) code: ExitCode,
    /// What was deployed and stays; `None` where the update was not made or was
    /// taken back.
    pub(crate) kept: Option<Kept>,
}

/// What was deployed and stays.
pub(crate) enum Kept {
    /// A new flake.lock, in which these inputs have moved.
    Moved(Vec<InputMove>),
    /// The flake.lock from before the last update.
    Older,
    /// The configuration as it is: no input had anything newer.
    AsItIs,
}

/// Updates and deploys the hosts of a run.
pub(crate) async fn update(
    spec: RunSpec,
    asked: UpdateOptions,
    options: DeployOptions,
) -> Result<Outcome, CommandError> {
    let spec = RunSpec { updates: true, ..spec };
    let flake_dir = local_flake(&spec)?.to_owned();
    deploy::forget_old_results(&spec);
    let running = Running::start(&spec, &options)?;
    let begun = engine::begin(&spec, &running.sink);
    let update = Update {
        spec: &spec,
        flake_dir: &flake_dir,
        asked: &asked,
        running: &running,
        nix: Nix::new(),
        lock: FlakeLock::of(&flake_dir),
        looked_at: OnceLock::new(),
        is_decided: OnceLock::new(),
        kept: OnceLock::new(),
        way_back: OnceLock::new(),
        trials: AtomicU64::new(0),
    };
    let result = update.run().await;
    if let Err(error) = &result {
        update.ended_before_a_decision(error);
    }
    let code = result.as_ref().map_or_else(CommandError::exit_code, |code| *code);
    engine::end(&running.sink, code, begun);
    let (kept, way_back) = (update.kept.into_inner(), update.way_back.into_inner());
    running.end().await?;
    // With --rollback-fleet the hosts that were deployed follow flake.lock.
    let code = result?;
    let code = deploy::take_back(code, way_back, &options).await?;
    Ok(Outcome { code, kept })
}

/// The folder whose flake.lock is changed.
fn local_flake(spec: &RunSpec) -> Result<&Path, CommandError> {
    let Some(folder) = &spec.flake_dir else {
        let message = format!("the inputs of {} cannot be updated from here", spec.flake);
        return Err(Failure::new(FailureClass::Usage, message)
            .cause("its flake.lock is in another place than this machine")
            .hint("update it where it is kept, or set `flake` in hosts.toml to a local copy")
            .into());
    };
    Ok(folder)
}

/// Puts back flake.lock when an update was cut off, before a deploy that would
/// take it for what the configuration is. Gives what to say about it.
pub(super) async fn recover(flake_dir: &Path) -> Result<Option<(LockFileState, String)>, CommandError> {
    let lock = FlakeLock::of(flake_dir);
    let Some(unfinished) = lock.unfinished().map_err(|error| error.failure())? else { return Ok(None) };
    let is_first = unfinished.is_first();
    let recovered = unfinished.put_back().map_err(|error| error.failure())?;
    if is_first && recovered.found != Found::Foreign {
        // The index may name a lock file that is gone again.
        let _ = git::forget_intention(flake_dir, LOCK).await;
    }
    let began = recovered.began.strftime("%Y-%m-%d %H:%M:%SZ");
    let who = format!("run {} of {}, begun {began}", recovered.run, recovered.actor);
    Ok(Some(match recovered.found {
        Found::Untouched => (LockFileState::Recovered, format!("{who}; nothing had been changed yet")),
        Found::Updated => {
            (LockFileState::Recovered, format!("{who}; a host that it had deployed keeps what it got"))
        }
        Found::Foreign => {
            let what = "the file from before the update that was cut off is flake.lock.backup";
            (LockFileState::LeftAlone, format!("{who}; {what}"))
        }
    }))
}

/// An update under way.
struct Update<'a> {
    spec: &'a RunSpec,
    flake_dir: &'a Path,
    asked: &'a UpdateOptions,
    running: &'a Running,
    nix: Nix,
    lock: FlakeLock,
    /// flake.lock when the update began.
    looked_at: OnceLock<Option<String>>,
    /// Set once it was decided about the update.
    is_decided: OnceLock<()>,
    /// What was deployed and stays.
    kept: OnceLock<Kept>,
    /// The run that takes hosts back, where that was asked for and has to be.
    way_back: OnceLock<RunSpec>,
    /// Counts the logs of trials.
    trials: AtomicU64,
}

impl Update<'_> {
    async fn run(&self) -> Result<ExitCode, CommandError> {
        if let Some((state, remark)) = recover(self.flake_dir).await? {
            self.lock_file(state, remark);
        }
        // What is looked at now must be what is changed later.
        let _ = self.looked_at.set(self.lock.read().map_err(|error| CommandError::from(error.failure()))?);
        match self.asked.what {
            What::Judge(manner) => self.judged(manner).await,
            What::Unasked => self.unasked().await,
            What::Undo => self.undo().await,
        }
    }

    /// `--update`: the inputs are brought to their newest, and that is deployed.
    async fn unasked(&self) -> Result<ExitCode, CommandError> {
        let trial = self.interruptible(self.trial(&self.asked.inputs, &|_| {})).await?;
        if trial.moves().is_empty() {
            self.running.sink.warn(
                None,
                "all inputs are at their newest: the configuration is deployed as it is",
                None,
            );
            let code = self.deploy().await;
            if code == exit::OK {
                let _ = self.kept.set(Kept::AsItIs);
            }
            return Ok(code);
        }
        let preview = UpdatePreview { inputs: trial.moves().to_vec(), hosts: Vec::new() };
        self.send(Event::UpdatePreview { preview: Box::new(preview) });
        self.decided(Verdict::Apply, DecidedBy::Flag, "--update");
        self.apply(trial.lock_text(), Kept::Moved(trial.moves().to_vec())).await
    }

    /// `--undo`: the backup becomes flake.lock, by the same way as an update,
    /// so that it can be undone in turn.
    async fn undo(&self) -> Result<ExitCode, CommandError> {
        let backup = self.lock.read_backup().map_err(|error| error.failure())?;
        let Some(backup) = backup else {
            let message = "there was no flake.lock before the last update";
            return Err(Failure::new(FailureClass::Usage, message)
                .hint(format!("to do without one remove {}", self.lock.path().display()))
                .into());
        };
        if self.lock.read().map_err(|error| error.failure())?.as_deref() == Some(backup.as_str()) {
            let message = "flake.lock is what it was before the last update: there is nothing to undo";
            return Err(CommandError::new(FailureClass::Usage, message).hint("nix-deploy HOST deploys it"));
        }
        self.decided(Verdict::Apply, DecidedBy::Flag, "--undo");
        self.apply(&backup, Kept::Older).await
    }

    /// Works out what an update of these inputs would give; nothing is changed.
    async fn trial(
        &self,
        inputs: &[String],
        progress: &(dyn Fn(NixProgress) + Send + Sync),
    ) -> Result<Trial, CommandError> {
        let number = self.trials.fetch_add(1, Ordering::Relaxed);
        let log_file = self.spec.run_dir.join(format!("inputs-{number}.log"));
        let request = TrialRequest {
            flake: &self.spec.flake,
            flake_dir: self.spec.flake_dir.as_deref(),
            inputs,
            deadline: self.spec.hosts.iter().map(|host| host.timeouts.evaluate).max().unwrap_or_default(),
            log_file: &log_file,
        };
        Trial::new(&self.nix, &request, progress).await.map_err(|error| error.failure().into())
    }

    /// Makes the update, deploys it, and keeps it or puts back what was.
    async fn apply(&self, lock_text: &str, kept: Kept) -> Result<ExitCode, CommandError> {
        let now = self.lock.read().map_err(|error| CommandError::from(error.failure()))?;
        if self.looked_at.get() != Some(&now) {
            let message = "flake.lock was changed while the update was looked at; nothing was changed";
            return Err(CommandError::new(FailureClass::Blocked, message).hint("run it again"));
        }
        let replaced = self.lock.replace(lock_text, &self.spec.id, &self.spec.actor);
        let lock = replaced.map_err(|error| CommandError::from(error.failure()))?;
        let is_added = match git::intend_to_add(self.flake_dir, LOCK).await {
            Ok(is_added) => is_added,
            Err(error) => {
                let hint = Some(format!("Nix may not see it: git add {LOCK}"));
                self.running.sink.warn(None, format!("git cannot be told of {LOCK}: {error}"), hint);
                false
            }
        };
        self.lock_file(LockFileState::Updated, String::new());
        let code = self.deploy().await;
        if code == exit::OK && self.spec.action != Action::DryActivate {
            lock.keep().map_err(|error| CommandError::from(error.failure()))?;
            let _ = self.kept.set(kept);
            let next = match self.asked.what {
                What::Undo => "`nix-deploy update --undo` once more goes forward again",
                What::Judge(_) | What::Unasked if self.asked.commits => "`nix-deploy update --undo` goes back",
                What::Judge(_) | What::Unasked => "commit it; `nix-deploy update --undo` goes back",
            };
            self.lock_file(LockFileState::Kept, next.to_owned());
        } else {
            self.put_back(lock, lock_text, is_added).await?;
        }
        Ok(code)
    }

    /// flake.lock becomes what it was; what it would have been is kept with the run.
    async fn put_back(&self, lock: LockUpdate, lock_text: &str, is_added: bool) -> Result<(), CommandError> {
        let kept = self.spec.run_dir.join(LOCK);
        // It is a courtesy: Nix can work it out again.
        let is_kept = std::fs::write(&kept, lock_text).is_ok();
        let restored = lock.restore();
        if is_added {
            let _ = git::forget_intention(self.flake_dir, LOCK).await;
        }
        match restored {
            Ok(()) => {
                let mut remark = String::new();
                if self.spec.hosts.len() > 1 && self.spec.action != Action::DryActivate {
                    remark.push_str(match self.way_back.get() {
                        Some(_) => "hosts that were deployed before the failure are taken back next; ",
                        None => "a host that was deployed before the failure keeps what it got; ",
                    });
                }
                if is_kept {
                    remark.push_str(&format!("the update is in {}", kept.display()));
                }
                self.lock_file(LockFileState::Restored, remark.trim_end_matches("; ").to_owned());
                Ok(())
            }
            Err(error) => {
                if matches!(error, TransactionError::Foreign { .. }) {
                    self.lock_file(LockFileState::LeftAlone, String::new());
                }
                Err(error.failure().into())
            }
        }
    }

    /// The standard pipeline. Whoever decided about the update is not asked again.
    async fn deploy(&self) -> ExitCode {
        let questions = match self.spec.questions {
            Questions::Ask => Questions::AssumeYes,
            other => other,
        };
        let job = self.running.job(RunSpec { questions, ..self.spec.clone() });
        let engine::Ended { code, way_back } = engine::deploy_hosts(job).await;
        if let Some(way_back) = way_back {
            let _ = self.way_back.set(way_back);
        }
        code
    }

    fn send(&self, event: Event) {
        self.running.sink.send(event);
    }

    /// What failed before anybody could decide has decided.
    fn ended_before_a_decision(&self, error: &CommandError) {
        let Some(failure) = error.failures().first().filter(|_| self.is_decided.get().is_none()) else {
            return;
        };
        let verdict =
            if failure.class == FailureClass::Interrupted { Verdict::Decline } else { Verdict::Block };
        self.decided(verdict, DecidedBy::Checks, &clean_line(&failure.message));
    }

    fn decided(&self, verdict: Verdict, by: DecidedBy, reason: &str) {
        let _ = self.is_decided.set(());
        let actor = self.spec.actor.clone();
        let decision = UpdateDecision { verdict, by, actor, reason: reason.to_owned() };
        self.send(Event::UpdateDecided { decision: Box::new(decision) });
    }

    fn lock_file(&self, state: LockFileState, remark: String) {
        self.send(Event::LockFile { state, path: self.lock.path().display().to_string(), remark });
    }

    /// Waits for work that changes nothing, unless the run is interrupted.
    async fn interruptible<T>(
        &self,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        tokio::select! {
            result = work => result,
            () = self.running.interrupt.when_asked() => {
                Err(CommandError::new(FailureClass::Interrupted, "interrupted; nothing was changed"))
            }
        }
    }
}
