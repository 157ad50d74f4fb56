//! `logs`: what the host logged at error level since the activation began.

use super::context::HostContext;
use super::{Done, StepResult, resources, step};
use crate::event::Event;
use crate::model::StepId;
use crate::model::text::{clean_line, plural};

step!(Logs, StepId::Logs);

async fn run(context: &HostContext) -> StepResult {
    let after = match resources::ask(context).await {
        Ok(after) => after,
        Err(error) => return Ok(Done::warned(error.to_string())),
    };
    for line in &after.errors {
        context.send(Event::Log { host: Some(context.name().clone()), step: StepId::Logs, line: line.clone() });
    }
    match after.errors.len() {
        0 => Ok(Done::passed("no errors")),
        count => {
            let what = format!("{} at error level since the activation", plural(count, "journal line"));
            let last = after.errors.last().map(String::as_str).unwrap_or_default();
            context.warn(
                format!("{what}, the last: {}", clean_line(last)),
                Some(format!("on the host: journalctl -p err --since @{}", context.activation().since)),
            );
            Ok(Done::warned(what))
        }
    }
}
