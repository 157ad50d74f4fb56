//! `resources`: memory, load, processors and room after the deploy, beside what
//! they were before and what is usual, and the limits that the host is beyond.

use super::context::HostContext;
use super::{Done, StepResult, limits, observed, step};
use crate::model::text::bytes;
use crate::model::{Metric, Observed, StepId, Watched};

step!(Resources, StepId::Resources);

async fn run(context: &HostContext) -> StepResult {
    let observed = match observed::ask(context).await {
        Ok(observed) => observed,
        Err(error) => return Ok(Done::warned(error.to_string())),
    };
    observed::remember(context, observed);
    let mut warned = warn(context, observed, |watched| {
        !matches!(watched, Watched::ServiceMemory | Watched::NotRunning | Watched::JournalErrors)
    });
    if let Some(short) = limits::boot_is_short(observed) {
        context.warn(short, limits::boot_hint());
        warned = true;
    }
    let summary = summary(observed);
    Ok(if warned { Done::warned(summary) } else { Done::passed(summary) })
}

/// Warns of the limits that the host is beyond, of those that a step answers for;
/// says whether there are any.
pub(super) fn warn(context: &HostContext, observed: &Observed, is_ours: impl Fn(Watched) -> bool) -> bool {
    let found = limits::beyond(&context.host.limits, observed, |limit| limit.warn);
    let ours: Vec<_> = found.into_iter().filter(|beyond| is_ours(beyond.watched)).collect();
    for beyond in &ours {
        let before = if beyond.before { ", as before this deploy" } else { "" };
        context.warn(format!("{}{before}", beyond.message), beyond.hint.clone());
    }
    !ours.is_empty()
}

fn summary(observed: &Observed) -> String {
    let parts = [
        observed.after(Metric::StoreFree).map(|free| format!("{} free", bytes(free as u64))),
        observed.after(Metric::Load).map(|load| format!("load {load:.2}")),
        observed.after(Metric::Cpu).map(|cpu| format!("cpu {cpu:.0} %")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
