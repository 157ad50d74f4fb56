//! A step begins: what it waits for first, and how it is told that it runs.
//!
//! `activate` waits for the person's answer, the host's turn, a place and the
//! word that nobody else deploys the host; `reboot` for a place of its own.

use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::Order;
use super::claims::{Claim, held};
use crate::event::Event;
use crate::model::{Failure, FailureClass, StepId, StepOutcome};
use crate::steps::context::HostContext;
use crate::steps::{self, Done, StepResult};

/// What was seen of a host is looked at again after waiting so long for its turn.
const STALE: Duration = Duration::from_secs(30);

/// A step that ended.
pub(super) struct Ended {
    pub(super) step: StepId,
    pub(super) result: StepResult,
    pub(super) elapsed: Duration,
    /// The place it worked in, if places are limited.
    pub(super) place: Option<OwnedSemaphorePermit>,
    /// It was not begun, because of what became of other hosts.
    pub(super) held_back: bool,
}

impl Ended {
    /// A step that took neither time nor place.
    fn without(step: StepId, result: StepResult) -> Self {
        Self { step, result, elapsed: Duration::ZERO, place: None, held_back: false }
    }
}

/// Runs a step when it may begin.
pub(super) async fn step(id: StepId, order: &Order, context: &HostContext) -> Ended {
    match id {
        StepId::Activate => activate(order, context).await,
        StepId::Reboot if steps::will_reboot(context) => reboot(order, context).await,
        StepId::Reboot => run_step(id, context).await,
        StepId::Soak if !order.turns.soaks(context.name()) => Ended::without(id, Ok(Done::skipped(""))),
        StepId::HostFacts => {
            // It is given back at once when the host has to be waited for.
            if let Some(place) = order.limits.acquire(id).await {
                context.take_place(place);
            }
            let ended = run_step(id, context).await;
            context.give_back_place();
            ended
        }
        _ => {
            let place = order.limits.acquire(id).await;
            Ended { place, ..run_step(id, context).await }
        }
    }
}

/// Activates the host: the person has agreed, it is the host's turn, it has a
/// place, and nobody else deploys it.
async fn activate(order: &Order, context: &HostContext) -> Ended {
    let refused = |failure| Ended::without(StepId::Activate, Err(failure));
    let held_back = |failure| Ended { held_back: true, ..refused(failure) };
    let host = context.name();
    if let Err(failure) = order.gate.pass(host).await {
        return refused(failure);
    }
    let arrived = Instant::now();
    if let Err(failure) = order.turns.wait(host).await {
        return held_back(failure);
    }
    let place = order.limits.acquire(StepId::Activate).await;
    // Others may have failed while this host waited for its place.
    if let Err(failure) = order.turns.still(host) {
        return held_back(failure);
    }
    if (arrived.elapsed() >= STALE || context.was_away())
        && let Err(failure) = steps::look_again(context).await
    {
        return refused(failure);
    }
    if let Err(failure) = may_change(order, context).await {
        return refused(failure);
    }
    Ended { place, ..run_step(StepId::Activate, context).await }
}

/// Reboots the host when it is its turn, unless another one did not come up.
async fn reboot(order: &Order, context: &HostContext) -> Ended {
    let place = order.limits.acquire(StepId::Reboot).await;
    if let Some(other) = order.reboot_failed.get() {
        let message = format!("not rebooted, because {other} is not well after its reboot");
        context.warn(message, Some(format!("look at {other} first, then reboot {}", context.name())));
        return Ended::without(StepId::Reboot, Ok(Done::skipped("not rebooted")));
    }
    let ended = run_step(StepId::Reboot, context).await;
    if ended.result.is_err() {
        // The first that failed is the one to look at.
        let _ = order.reboot_failed.set(context.name().clone());
    }
    Ended { place, ..ended }
}

/// Nobody else deploys the host.
async fn may_change(order: &Order, context: &HostContext) -> Result<(), Failure> {
    let host = context.name();
    match order.claims.claim(host, context.host.timeouts.lock).await {
        Claim::Granted => Ok(()),
        Claim::Held { holder, run, since } => Err(held(host, &holder, &run, &since)),
        Claim::Unanswered(warning) => {
            if let Some(warning) = warning {
                context.run.sink.warn(None, warning, None);
            }
            Ok(())
        }
    }
}

/// Runs a step and tells of it.
pub(super) async fn run_step(id: StepId, context: &HostContext) -> Ended {
    let begun = Instant::now();
    let host = context.name().clone();
    context.send(Event::StepStarted { host: host.clone(), step: id });
    let result = match steps::find(id) {
        Some(step) => step.run(context).await,
        None => Err(Failure::new(FailureClass::Unexpected, format!("there is no step {id}"))),
    };
    let elapsed = begun.elapsed();
    let (outcome, summary) = match &result {
        Ok(done) => (done.outcome, done.summary.clone()),
        Err(failure) => (StepOutcome::Failed, failure.message.clone()),
    };
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    context.send(Event::StepFinished { host, step: id, outcome, elapsed_ms, summary });
    Ended { elapsed, ..Ended::without(id, result) }
}
