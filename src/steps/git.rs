//! `git`: revision, branch, dirty and untracked files of the configuration.

use super::context::{HostContext, RunContext};
use super::{Done, StepResult, step};
use crate::event::Event;
use crate::model::{SourceState, StepId};

step!(Git, StepId::Git);

async fn run(context: &HostContext) -> StepResult {
    Ok(match source(&context.run).await {
        Some(source) => {
            let commit =
                source.commit.as_deref().map_or("no commit yet", |commit| &commit[..commit.len().min(7)]);
            Done::passed(format!("{commit} ({})", if source.dirty { "dirty" } else { "clean" }))
        }
        None => Done::skipped("no local repository"),
    })
}

/// The state of the configuration's repository, asked once per run; `None`
/// outside of one. Git that does not answer is a warning: the record lacks the
/// commit, and nothing else depends on it.
pub(super) async fn source(run: &RunContext) -> Option<&SourceState> {
    run.source
        .get_or_init(|| async {
            let directory = run.spec.flake_dir.as_deref()?;
            match crate::git::source_state(directory).await {
                Ok(source) => {
                    if let Some(source) = &source {
                        run.sink.send(Event::Source { source: source.clone() });
                    }
                    source
                }
                Err(error) => {
                    let hint = error.hints().into_iter().next();
                    run.sink.warn(None, format!("the commit is not known: {error}"), hint);
                    None
                }
            }
        })
        .await
        .as_ref()
}
