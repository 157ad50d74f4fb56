//! Roots on the host for the new and the old system, for the time of the run,
//! so that garbage collection takes neither. They are given while Nix builds: a
//! root for a path that is not there yet is allowed.

use std::time::Duration;

use super::context::HostContext;
use super::recover::connection;
use crate::host::HostError;
use crate::host::preview::{self, RootsOf};
use crate::host::supervisor;
use crate::model::{Failure, StepId};

/// How long the host may take to remove roots.
const DEADLINE: Duration = Duration::from_secs(10);

/// Gives both systems roots.
pub(super) async fn give(context: &HostContext, step: StepId) -> Result<(), Failure> {
    let run = &context.run;
    let facts = context.facts()?;
    // Given twice at most: while Nix builds, and when room had to be made first.
    let _ = context.rooted.set(());
    let roots_of = RootsOf { run: run.spec.id.as_str(), owner: &run.owner };
    let old = facts.current_system.as_ref();
    let new = context.new_system()?;
    let prepare = || preview::prepare(&context.link, roots_of, new, old, context.command_deadline());
    match connection::persist(context, step, prepare).await? {
        // `copy` looks at the room, makes some where that is allowed, and gives them again.
        Err(HostError::Script { ref stderr, .. }) if is_full(stderr) => {
            let _ = context.no_room_for_roots.set(());
            Ok(())
        }
        Ok(cpu_times) => {
            // Given twice at most: the first time counts, before anything is copied.
            if let Some(busy) =
                facts.cpu_times.zip(cpu_times).and_then(|(first, later)| first.busy_until(later))
            {
                let _ = context.cpu_before.set(busy);
            }
            Ok(())
        }
        Err(error) => Err(error.failure()),
    }
}

fn is_full(stderr: &[String]) -> bool {
    stderr.iter().any(|line| line.contains("No space left on device"))
}

/// Removes the roots of a run that ended before it changed the host; `settle`
/// does so after a change. Only over a connection that stands: roots that stay
/// are harmless, and later runs remove them.
pub(crate) async fn remove(context: &HostContext) {
    if context.rooted.get().is_none() {
        return;
    }
    let Some(session) = context.link.standing_master().await else { return };
    let run = context.run.spec.id.as_str();
    if let Err(error) = supervisor::truth(&context.link, &session, run, true, DEADLINE).await {
        tracing::debug!(%error, "removal of the roots");
    }
}
