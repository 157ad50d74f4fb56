//! What a run's journal has said so far, as far as later events need it.
//!
//! The state is made from the events alone, also from those that are in the
//! database already: so it is the same whether a run is recorded while it goes
//! on, or later and in parts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::apply::CHECK;
use crate::event::Event;
use crate::fleet::shared::Status;
use crate::model::{Action, HostOutcome, SourceState, StepId, StepOutcome, StorePath};

/// One host of the run.
#[derive(Clone, Debug, Default)]
pub(super) struct HostState {
    /// Its row in the database, once it was looked up.
    pub(super) event_id: Option<Uuid>,
    /// When each step began.
    pub(super) begun: BTreeMap<StepId, Timestamp>,
    /// The derivation.
    pub(super) drv_path: Option<StorePath>,
    /// What it builds.
    pub(super) out_path: Option<StorePath>,
    /// How long its evaluation took.
    pub(super) evaluation_ms: Option<u64>,
    /// How long its build took.
    pub(super) build_ms: Option<u64>,
    /// Why evaluation or build failed.
    pub(super) error: Option<String>,
    /// Where its derivation is.
    pub(super) stage: Option<Status>,
    /// Which stage was written.
    pub(super) written: Option<Status>,
}

/// A run.
#[derive(Clone, Debug, Default)]
pub(super) struct RunState {
    pub(super) started_at: Option<Timestamp>,
    pub(super) actor: String,
    pub(super) flake: String,
    pub(super) action: Action,
    /// Whether it deploys nothing.
    pub(super) is_check: bool,
    pub(super) source: Option<SourceState>,
    /// Whether git has had its say: then there will be no source any more.
    pub(super) asked_git: bool,
    pub(super) hosts: BTreeMap<String, HostState>,
    pub(super) is_finished: bool,
    /// Rows of the database, once they were looked up.
    pub(super) flake_id: Option<i64>,
    pub(super) commit_id: Option<i64>,
}

impl RunState {
    /// The machine that ran it, from `user@machine`.
    pub(super) fn machine(&self) -> &str {
        self.actor.rsplit_once('@').map_or("localhost", |(_, machine)| machine)
    }

    /// Whether it is known which commit derivations belong to.
    pub(super) fn knows_its_commit(&self) -> bool {
        self.source.is_some() || self.asked_git
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event, time: Timestamp) {
        match event {
            Event::RunStarted { actor, action, flake, hosts, command, .. } => {
                self.started_at = Some(time);
                self.is_check = command == CHECK;
                self.actor.clone_from(actor);
                self.action = *action;
                self.flake.clone_from(flake);
                for host in hosts {
                    self.host(host.as_str()).stage = Some(Status::DryRunPending);
                }
            }
            Event::Source { source } => self.source = Some(source.clone()),
            Event::StepStarted { host, step } => {
                let state = self.host(host.as_str());
                state.begun.insert(*step, time);
                match step {
                    StepId::Evaluate => state.stage = Some(Status::DryRunInProgress),
                    StepId::Build => state.stage = Some(Status::BuildInProgress),
                    _ => {}
                }
            }
            Event::StepFinished { host, step, outcome, elapsed_ms, summary } => {
                self.asked_git |= *step == StepId::Git;
                self.host(host.as_str()).finish_step(*step, *outcome, *elapsed_ms, summary);
            }
            Event::Evaluated { host, drv_path, out_path } => {
                let state = self.host(host.as_str());
                state.drv_path = Some(drv_path.clone());
                state.out_path = Some(out_path.clone());
                state.stage = Some(Status::DryRunComplete);
            }
            Event::HostFinished { host, report } => {
                let deployed = matches!(
                    report.outcome,
                    HostOutcome::Unchanged | HostOutcome::Deployed | HostOutcome::DeployedWithWarnings
                );
                if deployed {
                    self.host(host.as_str()).stage = Some(Status::Complete);
                }
            }
            Event::RunFinished { .. } => self.is_finished = true,
            _ => {}
        }
    }

    fn host(&mut self, name: &str) -> &mut HostState {
        self.hosts.entry(name.to_owned()).or_default()
    }
}

impl HostState {
    fn finish_step(&mut self, step: StepId, outcome: StepOutcome, elapsed_ms: u64, summary: &str) {
        let good = matches!(outcome, StepOutcome::Passed | StepOutcome::Warned);
        let failed = outcome == StepOutcome::Failed;
        match step {
            StepId::Evaluate if failed => {
                self.stage = Some(Status::DryRunFailed);
                self.error = Some(summary.to_owned());
            }
            StepId::Evaluate => self.evaluation_ms = Some(elapsed_ms),
            // A system that the host runs already is not built.
            StepId::Decide if good && self.stage == Some(Status::DryRunComplete) => {
                self.stage = Some(Status::BuildPending);
            }
            StepId::Build if good => {
                self.stage = Some(Status::BuildComplete);
                self.build_ms = Some(elapsed_ms);
            }
            StepId::Build if failed => {
                self.stage = Some(Status::BuildFailed);
                self.build_ms = Some(elapsed_ms);
                self.error = Some(summary.to_owned());
            }
            _ => {}
        }
    }
}
