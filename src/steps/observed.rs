//! One look at the host after its activation, shared by all steps that observe
//! and by the limits that `verify` judges: what is measured, beside what was
//! measured before and what is usual.
//!
//! Invariant: the host is asked once, and what it said is one event.

use super::context::HostContext;
use super::usual::Usual;
use crate::event::Event;
use crate::host::HostError;
use crate::host::after::{self, After, LookAfter};
use crate::model::{HostFacts, Measured, Metric, Observed, Resource, ServiceMemory};

/// What was seen; asks the host the first time.
pub(super) async fn ask(context: &HostContext) -> Result<&Observed, HostError> {
    let answer = context.observed.get_or_init(|| look(context)).await;
    answer.as_ref().map_err(Clone::clone)
}

async fn look(context: &HostContext) -> Result<Observed, HostError> {
    let answer =
        |detail: &str| HostError::Answer { address: context.name().to_string(), detail: detail.to_owned() };
    let (Some(facts), Ok(new)) = (context.facts_if_known(), context.new_system()) else {
        return Err(answer("nothing is known of the host"));
    };
    let session = match context.proven_session() {
        Some(session) => session.clone(),
        None => context.link.master().await?,
    };
    let since = context.activation().since;
    let about = LookAfter { since: &since, new, baseline: &facts.baseline };
    let after = after::look(&context.link, &session, about, context.command_deadline()).await?;
    let observed = put_together(context, &facts, after);
    context.send(Event::Observed { host: context.name().clone(), observed: Box::new(observed.clone()) });
    Ok(observed)
}

fn put_together(context: &HostContext, facts: &HostFacts, after: After) -> Observed {
    let mut before = facts.measured.clone();
    let mut now = after.measured;
    before.extend(context.cpu_before.get().map(|busy| (Metric::Cpu, *busy)));
    // The first look at the units was as soon as the new system ran; a reboot begins anew.
    let first = context.first_sample.get().filter(|_| context.rebooted.get().is_none());
    let cpu = first.and_then(|sample| sample.cpu_times).zip(after.cpu_times);
    now.extend(cpu.and_then(|(first, later)| first.busy_until(later)).map(|busy| (Metric::Cpu, busy)));
    let rebooted = context.rebooted.get().and_then(|rebooted| rebooted.running_units.get());
    let active = rebooted.or(context.running_units.get());
    now.extend(active.map(|count| (Metric::UnitsActive, *count as f64)));
    if rebooted.is_none() {
        now.extend(context.failed_units.get().map(|count| (Metric::UnitsFailed, *count as f64)));
    }
    // The look is taken beside the commit: what it counts depends on who was first.
    now.remove(&Metric::Generations);
    now.extend(
        before
            .get(&Metric::Generations)
            .map(|count| (Metric::Generations, count + new_generations(context, facts))),
    );
    let usual = usual(context, facts).medians();
    Observed {
        resources: beside_each_other(&before, &now, &usual),
        service_memory: beside_before(after.service_memory, &facts.service_memory),
        errors: after.errors,
        error_lines: after.error_lines,
        not_running: after.not_running,
        garbage_collected: after.garbage_collected,
        boot_needed: after.boot_needed,
        default_route: after.default_route,
    }
}

fn beside_before(services: Vec<ServiceMemory>, before: &[ServiceMemory]) -> Vec<ServiceMemory> {
    let used = |unit: &str| before.iter().find(|service| service.unit == unit).map(|service| service.used);
    services.into_iter().map(|service| ServiceMemory { before: used(&service.unit), ..service }).collect()
}

/// How many generations the commit adds: none where the profile has the new system already.
fn new_generations(context: &HostContext, facts: &HostFacts) -> f64 {
    let new = context.new_system().ok();
    if context.target.get().is_some_and(|target| target.generation.is_some()) {
        // Going back switches to a generation that is there.
        return 0.0;
    }
    if context.run.spec.action.commits() && facts.profile.as_ref() != new { 1.0 } else { 0.0 }
}

fn beside_each_other(before: &Measured, after: &Measured, usual: &Measured) -> Vec<Resource> {
    let value = |measured: &Measured, metric| measured.get(&metric).copied();
    Metric::ALL
        .into_iter()
        .map(|metric| Resource {
            metric,
            before: value(before, metric),
            after: value(after, metric),
            usual: value(usual, metric),
        })
        .filter(|resource| resource.before.is_some() || resource.after.is_some())
        .collect()
}

fn usual<'a>(context: &'a HostContext, facts: &'a HostFacts) -> Usual<'a> {
    let state_dir = &context.run.spec.state_dir;
    Usual { state_dir, host: context.name(), machine_id: &facts.machine_id }
}

/// Remembers what was measured of a host that is well.
pub(super) fn remember(context: &HostContext, observed: &Observed) {
    let Some(facts) = context.facts_if_known() else { return };
    let measured: Measured =
        observed.resources.iter().filter_map(|resource| Some((resource.metric, resource.after?))).collect();
    if let Err(error) = usual(context, &facts).remember(&context.run.spec.id, measured) {
        context.warn(format!("what is usual for {} cannot be kept: {error}", context.name()), None);
    }
}
