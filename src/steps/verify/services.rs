//! What became of units, as the report tells it, and warnings of what runs no more.

use std::collections::BTreeSet;

use crate::host::judge::Judgement;
use crate::host::observe::Sample;
use crate::model::text::plural;
use crate::model::{ServiceChange, UnitPlan};
use crate::steps::context::HostContext;

/// Whether a unit is part of the system that was looked at, and not switched off.
pub(in crate::steps) fn is_on(unit: &str, sample: &Sample) -> bool {
    let template =
        unit.split_once('@').zip(unit.rsplit_once('.')).map(|((name, _), (_, kind))| format!("{name}@.{kind}"));
    let named = |set: &BTreeSet<String>| {
        set.contains(unit) || template.as_ref().is_some_and(|template| set.contains(template))
    };
    named(&sample.unit_files) && !named(&sample.masked)
}

/// Notes what became of the units of the plan, of new ones, which their
/// targets start without being in the plan, and what was broken before.
pub(super) fn note_services(context: &HostContext, judgement: &Judgement, first: &Sample, critical: &[String]) {
    let unit_files = &first.unit_files;
    let plan = context.preview.get().and_then(|preview| preview.plan.clone());
    let has_plan = plan.is_some();
    let plan = plan.unwrap_or_default();
    // Of those that are new, the ones that were started say so themselves.
    let UnitPlan { stop, not_stopped, mut restart, reload, mut start, new: _ } = plan;
    // What is stopped and not started again is meant to be off.
    let meant: BTreeSet<String> = stop.iter().filter(|unit| !start.contains(unit)).cloned().collect();
    // Stopped with the old definition and started with the new one.
    restart.extend(start.extract_if(.., |unit| stop.contains(unit)));
    start.extend(judgement.started.iter().filter(|unit| unit_files.contains(*unit)).cloned());
    // Without a plan nobody knows what the switch has touched: then any may be.
    let touched =
        |unit: &&String| !has_plan || [&restart, &reload, &start].iter().any(|list| list.contains(unit));
    // One that others want is not there for its socket alone.
    let waits = |unit: &String| judgement.on_demand.contains(unit) && !first.wanted.contains(unit);
    let idle = judgement.idle.iter().filter(|unit| !waits(unit));
    let not_ready = judgement.not_ready.iter().filter(|unit| !meant.contains(*unit));
    let is_on = |unit: &&String| is_on(unit, first);
    let ended: BTreeSet<String> = idle.filter(touched).chain(not_ready).filter(is_on).cloned().collect();
    note_ended(context, ended.iter());
    let unsettled: Vec<&str> = judgement.unsettled.iter().filter(touched).map(String::as_str).collect();
    if let Some(unit) = unsettled.first() {
        let what =
            format!("ran before this deploy and is still on its way up or down: {}", unsettled.join(", "));
        context.warn(what, Some(format!("on the host: systemctl status {unit}")));
    }
    let lists = [(restart, "restarted"), (reload, "reloaded"), (start, "started"), (not_stopped, "left alone")];
    let ailing = |unit: &str| judgement.ailing.iter().find(|ailing| ailing.unit == unit);
    let mut listed = BTreeSet::new();
    for (units, what) in lists {
        for unit in units {
            if listed.insert(unit.clone()) && ailing(&unit).is_none() {
                let start_ms = first.start_times.get(&unit).filter(|_| matches!(what, "restarted" | "started"));
                match ended.contains(&unit) {
                    true => context.service(&unit, "does not run any more"),
                    false => context.service_in(&unit, what, start_ms.copied()),
                }
            }
        }
    }
    for unit in stop {
        if listed.insert(unit.clone()) && ailing(&unit).is_none() {
            context.service(&unit, "stopped");
        }
    }
    // Without a plan nobody knows what was left as it is.
    for unit in critical.iter().filter(|_| has_plan) {
        if listed.insert(unit.clone()) && ailing(unit).is_none() {
            context.service(unit, ServiceChange::UNCHANGED);
        }
    }
    for ailing in &judgement.ailing {
        context.service(&ailing.unit, ailing.why.clone());
    }
    if !judgement.broken_before.is_empty() {
        let count = plural(judgement.broken_before.len(), "unit");
        context.warn(
            format!("{count} had failed before this deploy: {}", judgement.broken_before.join(", ")),
            None,
        );
    }
}

const ENDED: &str = "ran before this deploy and does not run any more: ";

/// Warns of what was up, is still part of the system, and is up no more without having
/// failed; once of each.
pub(in crate::steps) fn note_ended<'a>(context: &HostContext, ended: impl Iterator<Item = &'a String>) {
    let warnings = context.warnings();
    let known: BTreeSet<&str> = warnings
        .iter()
        .filter_map(|warning| warning.strip_prefix(ENDED))
        .flat_map(|list| list.split(", "))
        .collect();
    let names: Vec<&str> = ended.map(String::as_str).filter(|unit| !known.contains(unit)).collect();
    let Some(first) = names.first() else { return };
    context
        .warn(format!("{ENDED}{}", names.join(", ")), Some(format!("on the host: systemctl status {first}")));
}
