//! `logs`: what the host logged at error level since the activation began, in
//! groups of what says the same; what was logged like it before is marked and
//! is no reason for a warning.

use super::context::HostContext;
use super::{Done, StepResult, limits, observed, resources, step};
use crate::event::Event;
use crate::model::text::plural;
use crate::model::{StepId, Watched};

step!(Logs, StepId::Logs);

async fn run(context: &HostContext) -> StepResult {
    let observed = match observed::ask(context).await {
        Ok(observed) => observed,
        Err(error) => return Ok(Done::warned(error.to_string())),
    };
    for group in &observed.errors {
        let before = if group.before { ", as before" } else { "" };
        let line = format!("{}{before}", limits::group_in_words(group));
        context.send(Event::Log { host: Some(context.name().clone()), step: StepId::Logs, line });
    }
    let lines = usize::try_from(observed.error_lines).unwrap_or(usize::MAX);
    let summary = match (lines, limits::new_error_lines(observed)) {
        (0, _) => "no errors".to_owned(),
        (_, 0) => format!("no new errors, {} as before", plural(lines, "journal line")),
        _ => format!("{} at error level", plural(lines, "journal line")),
    };
    let warned = resources::warn(context, observed, |watched| watched == Watched::JournalErrors);
    Ok(if warned { Done::warned(summary) } else { Done::passed(summary) })
}
