//! One host's run: starts each step when the steps it needs are done, and
//! brings the host to an end whatever happens.
//!
//! Invariants: once a supervisor may have been started, `settle` runs, also
//! after an interruption; a step that fails stops the steps beside it unless
//! the host is being changed; the report tells what `settle` found; whether a
//! host is blocked by the checks of the source never depends on who was first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use super::begin::{self, Ended};
use super::interrupt::Interrupt;
use super::turns::End;
use super::{Order, elapsed_ms, interrupted};
use crate::model::{Failure, FailureClass, HostOutcome, HostReport, StepId, StepOutcome, StepRecord};
use crate::plan;
use crate::steps;
use crate::steps::context::HostContext;

struct HostRun {
    context: Arc<HostContext>,
    order: Order,
    planned: Vec<StepId>,
    waiting: BTreeSet<StepId>,
    done: BTreeSet<StepId>,
    running: JoinSet<Ended>,
    records: Vec<StepRecord>,
    failure: Option<Failure>,
    /// The step that the failure comes from, if it comes from one.
    failed_step: Option<StepId>,
    ended: Option<HostOutcome>,
    change_place: Option<OwnedSemaphorePermit>,
    /// It was not started, because of what became of other hosts.
    held_back: bool,
}

/// Runs all steps of a host and gives its report.
pub(crate) async fn run(context: Arc<HostContext>, order: Order, interrupt: Interrupt) -> HostReport {
    let begun = Instant::now();
    let spec = &context.run.spec;
    let planned = plan::steps_of(spec);
    let mut host_run = HostRun {
        waiting: planned.iter().copied().collect(),
        planned,
        context: Arc::clone(&context),
        order,
        done: BTreeSet::new(),
        running: JoinSet::new(),
        records: Vec::new(),
        failure: None,
        failed_step: None,
        ended: None,
        change_place: None,
        held_back: false,
    };
    tokio::select! {
        () = host_run.go(&interrupt) => {}
        () = interrupt.when_at_once() => host_run.leave(),
    }
    host_run.report(begun)
}

impl HostRun {
    async fn go(&mut self, interrupt: &Interrupt) {
        let mut heard = false;
        loop {
            if self.ended.is_none() && self.failure.is_none() {
                self.start_ready(|_| true);
            }
            let stopping = self.ended.is_some() || self.failure.is_some();
            let awaits_checks = stopping && self.awaits_checks();
            if awaits_checks {
                self.start_ready(is_check);
            } else if stopping && !self.changing() && !self.rebooting() {
                self.stop_running().await;
            }
            if self.running.is_empty() {
                break;
            }
            tokio::select! {
                ended = self.running.join_next() => match ended {
                    Some(Ok(ended)) => self.take(ended),
                    Some(Err(error)) if error.is_cancelled() => {}
                    Some(Err(error)) => self.fail(
                        Failure::new(FailureClass::Unexpected, "a step broke").cause(error.to_string()),
                    ),
                    None => {}
                },
                () = interrupt.when_asked(), if !heard => {
                    heard = true;
                    // A host that is being changed or reboots comes to its end; one
                    // that has settled only loses the looks that are left.
                    if self.context.settled.get().is_some() && !self.rebooting() {
                        self.waiting.clear();
                        self.stop_running().await;
                    } else if !self.changing() && !self.rebooting() {
                        self.fail(interrupted(&self.context.run.spec, self.context.name()));
                    }
                }
            }
        }
        self.settle_if_needed().await;
        if !self.context.activation().begun {
            steps::remove_roots(&self.context).await;
        }
    }

    /// Whether a supervisor was started and the host has not settled yet.
    fn changing(&self) -> bool {
        self.context.activation().begun && !self.done.contains(&StepId::Settle)
    }

    /// Whether the host was told to reboot and is not proven again yet.
    fn rebooting(&self) -> bool {
        self.context.reboot_asked.get().is_some() && !self.done.contains(&StepId::Reboot)
    }

    /// Whether the end of the run waits for the checks of the source: a broken
    /// file is the better reason for a failed evaluation, and a finding that
    /// blocks does so also where nothing is left to do.
    fn awaits_checks(&self) -> bool {
        let may_wait = match &self.failure {
            Some(_) => self.failed_step == Some(StepId::Evaluate),
            None => matches!(self.ended, Some(HostOutcome::Unchanged | HostOutcome::Previewed)),
        };
        let open = |step: &StepId| is_check(*step) && !self.done.contains(step);
        // Without what a check needs it never starts.
        may_wait && !self.running.is_empty() && self.planned.iter().any(open)
            || may_wait && self.ready(is_check).next().is_some()
    }

    /// Steps that wait for nothing any more, of those that may start.
    fn ready(&self, may_start: impl Fn(StepId) -> bool) -> impl Iterator<Item = StepId> {
        let is_ready = move |step: &StepId| {
            may_start(*step)
                && plan::needs_among(*step, &self.planned).iter().all(|need| self.done.contains(need))
        };
        self.waiting.iter().copied().filter(is_ready)
    }

    fn start_ready(&mut self, may_start: impl Fn(StepId) -> bool) {
        let ready: Vec<StepId> = self.ready(may_start).collect();
        for step in ready {
            self.waiting.remove(&step);
            self.start(step);
        }
    }

    fn start(&mut self, id: StepId) {
        let (context, order) = (Arc::clone(&self.context), self.order.clone());
        self.running.spawn(async move { begin::step(id, &order, &context).await });
    }

    fn take(&mut self, Ended { step: id, result, elapsed, place, held_back }: Ended) {
        self.held_back |= held_back;
        let settles = match id {
            // The place among those that change is kept until the host has settled, or is up again.
            StepId::Activate => {
                self.change_place = place;
                false
            }
            StepId::Settle => result.is_err() || !self.planned.contains(&StepId::Reboot),
            StepId::Reboot => true,
            _ => {
                drop(place);
                false
            }
        };
        if settles {
            // Who takes the place has to know of the failure.
            if result.is_err() || self.failure.is_some() || self.context.unwell.get().is_some() {
                self.order.turns.ended(self.context.name(), End::Failed);
            }
            self.change_place = None;
        }
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (outcome, summary) = match &result {
            Ok(done) => (done.outcome, done.summary.clone()),
            Err(_) if held_back => (StepOutcome::Skipped, "not started".to_owned()),
            Err(failure) => (StepOutcome::Failed, failure.message.clone()),
        };
        self.records.push(StepRecord { step: id, outcome, elapsed_ms, summary });
        self.done.insert(id);
        if id == StepId::Decide && self.context.taken_up.get().is_some() {
            for step in steps::PASSED_OVER {
                if self.waiting.remove(&step) {
                    self.done.insert(step);
                }
            }
        }
        match result {
            Ok(done) => {
                if let Some(outcome) = done.ends {
                    self.ended.get_or_insert(outcome);
                }
            }
            Err(failure) => {
                // A broken file explains why the evaluation failed.
                if is_check(id) && self.failed_step == Some(StepId::Evaluate) {
                    self.failure = None;
                }
                if self.failure.is_none() {
                    self.failed_step = Some(id);
                }
                self.fail(failure);
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        // The first failure is the reason; later ones are its consequences.
        if self.failure.is_none() {
            self.failure = Some(failure);
        }
    }

    /// Ends what runs beside a step that ended the host's run.
    async fn stop_running(&mut self) {
        self.running.abort_all();
        while let Some(ended) = self.running.join_next().await {
            if let Ok(ended) = ended {
                self.take(ended);
            }
        }
    }

    async fn settle_if_needed(&mut self) {
        if !self.changing() || !self.planned.contains(&StepId::Settle) {
            return;
        }
        self.waiting.remove(&StepId::Settle);
        let ended = begin::run_step(StepId::Settle, &self.context).await;
        // What settle finds wrong counts more than what led there.
        if let Err(found) = &ended.result {
            let first = self.failure.take();
            let mut worse = found.clone();
            if let Some(first) = first {
                worse.causes.push(first.message);
                worse.causes.extend(first.causes);
                worse.evidence.extend(first.evidence);
            }
            self.failure = Some(worse);
        } else {
            self.believe_the_host();
        }
        self.take(ended);
    }

    /// What led to settling was a guess from here, for example that the
    /// connection was lost; what settling found is what the host says.
    fn believe_the_host(&mut self) {
        match self.context.settled.get() {
            Some(HostOutcome::RolledBack) => {
                if let Some(failure) = self.failure.as_mut().filter(|failure| !refused_before_change(failure)) {
                    failure.class = FailureClass::RolledBack;
                }
            }
            // Only a confirmed host, and so a healthy one, can have come here.
            Some(HostOutcome::Deployed | HostOutcome::RebootRequired) => {
                if let Some(failure) = self.failure.take() {
                    self.context.warn(failure.message, None);
                }
            }
            _ => {}
        }
    }

    /// The second interruption: the host is left to itself.
    fn leave(&mut self) {
        let changing = self.changing();
        self.running.abort_all();
        if self.context.settled.get().is_some() {
            return;
        }
        let failure = if changing {
            Failure::new(FailureClass::HostNotWell, "left while the host was being changed")
                .hint("the host ends on the confirmed new system or on its old one by itself; run the same command again to see which")
        } else if self.rebooting() {
            Failure::new(FailureClass::HostNotWell, "left while the host was rebooting")
                .hint("nobody has looked whether the new system boots and is well")
        } else {
            interrupted(&self.context.run.spec, self.context.name())
        };
        self.failure = Some(failure);
    }

    fn report(&self, begun: Instant) -> HostReport {
        let context = &self.context;
        let facts = context.facts_if_known();
        let rebooted = context.rebooted.get().map(|rebooted| &rebooted.truth);
        let truth = rebooted.or(context.truth.get()).cloned();
        // One that an interrupted run had changed ran something else before that.
        let before = context.taken_up.get().filter(|_| truth.is_some());
        let before = before.and_then(|committed| committed.old.clone());
        let mut warnings = context.warnings();
        warnings.dedup();
        HostReport {
            outcome: self.outcome(!warnings.is_empty()),
            elapsed_ms: elapsed_ms(begun),
            old: before.or_else(|| facts.as_ref().and_then(|facts| facts.current_system.clone())),
            new: context.new_system().ok().cloned(),
            generation_before: facts.as_ref().and_then(|facts| facts.generation),
            ran_another: facts.as_ref().is_some_and(|facts| facts.profile != facts.current_system),
            generation_after: truth.as_ref().and_then(|truth| truth.generation),
            changes: context.changes.get().cloned(),
            unit_plan: context.preview.get().and_then(|preview| preview.plan.clone()),
            services: context.services(),
            steps: self.records.clone(),
            recoveries: context.run.recoveries.of(context.name()),
            warnings,
            failure: self.failure.clone().or_else(|| context.unwell.get().cloned()),
            truth,
            observed: context.observed.get().and_then(|observed| observed.as_ref().ok()).cloned(),
        }
    }

    fn outcome(&self, warned: bool) -> HostOutcome {
        let settled = self.context.settled.get().copied();
        if self.held_back {
            return HostOutcome::Skipped;
        }
        if let Some(failure) = &self.failure {
            // Failed on the way, whatever the host settled on.
            return match settled {
                _ if self.context.fell_back.get().is_some() => HostOutcome::RolledBack,
                // It is up and was asked: what it runs is known.
                _ if self.context.rebooted.get().is_some() => HostOutcome::Failed,
                Some(HostOutcome::Deployed) if failure.class == FailureClass::HostNotWell => {
                    HostOutcome::Unknown
                }
                _ if failure.class == FailureClass::HostNotWell => match settled {
                    Some(HostOutcome::RollbackFailed) => HostOutcome::RollbackFailed,
                    _ => HostOutcome::Unknown,
                },
                Some(HostOutcome::RolledBack) if !refused_before_change(failure) => HostOutcome::RolledBack,
                _ => HostOutcome::Failed,
            };
        }
        if self.context.unwell.get().is_some() {
            return HostOutcome::Failed;
        }
        let settled = self.context.rebooted.get().map(|_| HostOutcome::Deployed).or(settled);
        match settled.or(self.ended) {
            Some(HostOutcome::Deployed) if warned => HostOutcome::DeployedWithWarnings,
            Some(outcome) => outcome,
            None => HostOutcome::Failed,
        }
    }
}

/// Steps that judge the configuration's source.
fn is_check(step: StepId) -> bool {
    matches!(step, StepId::Syntax | StepId::Antipatterns)
}

/// Failures that say that the host was not touched keep their own exit code.
fn refused_before_change(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Busy | FailureClass::Declined | FailureClass::Blocked)
}
