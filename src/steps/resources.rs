//! `resources`: memory, load and room after the deploy.

use super::context::HostContext;
use super::{Done, StepResult, step};
use crate::host::HostError;
use crate::host::observe::{self, After};
use crate::model::StepId;
use crate::model::text::bytes;

step!(Resources, StepId::Resources);

/// Below this share of all memory a warning is due.
const LOW_MEMORY: f64 = 0.05;
/// Below this much free room a warning is due.
const LOW_ROOM: u64 = 1 << 30;

async fn run(context: &HostContext) -> StepResult {
    let after = match ask(context).await {
        Ok(after) => after,
        Err(error) => return Ok(Done::warned(error.to_string())),
    };
    let mut warned = false;
    if let (Some(available), Some(total)) = (after.memory_available, after.memory_total)
        && (available as f64) < total as f64 * LOW_MEMORY
    {
        context.warn(format!("only {} of {} memory are available", bytes(available), bytes(total)), None);
        warned = true;
    }
    if let Some(free) = after.store_free.filter(|free| *free < LOW_ROOM) {
        context.warn(
            format!("only {} are free in /nix/store", bytes(free)),
            Some("nix-collect-garbage --delete-older-than 14d".to_owned()),
        );
        warned = true;
    }
    let free = after.store_free.map(|free| format!("{} free", bytes(free)));
    let load = after.load.map(|load| format!("load {load:.2}"));
    let summary = [free, load].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Ok(if warned { Done::warned(summary) } else { Done::passed(summary) })
}

/// Asks once for this step and `logs`.
pub(super) async fn ask(context: &HostContext) -> Result<&After, HostError> {
    let answer = context
        .after
        .get_or_init(|| async {
            let session = match context.proven_session() {
                Some(session) => session.clone(),
                None => context.link.master().await?,
            };
            let since = context.activation().since;
            observe::after(&context.link, &session, &since, true, context.command_deadline()).await
        })
        .await;
    answer.as_ref().map_err(Clone::clone)
}
