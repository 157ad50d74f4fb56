//! `commit`: gives the host the word. It makes the new system the boot default
//! and says so; until then nothing outlives a reboot.

use std::time::Duration;

use super::context::HostContext;
use super::{Done, StepResult, activate, step};
use crate::host::supervisor::{self, Standing};
use crate::model::{ActivationPhase, Failure, FailureClass, StepId};

step!(Commit, StepId::Commit);

async fn run(context: &HostContext) -> StepResult {
    let Some(session) = context.proof.get() else {
        return Ok(Done::skipped("nothing was activated"));
    };
    context.update_activation(|activation| activation.confirmed = true);
    let patience = context.host.rollback.activation_timeout + Duration::from_secs(30);
    let run = context.run.spec.id.as_str();
    let answer = supervisor::confirm(&context.link, session, run, patience).await.map(|(standing, truth)| {
        if let Some(truth) = truth {
            // The plan runs this step once per host; settle judges it.
            let _ = context.truth.set(truth);
        }
        standing
    });
    match answer {
        Ok(Standing::At(state)) => {
            context.update_activation(|activation| activation.state = Some(state.clone()));
            match state.phase {
                ActivationPhase::Committed => Ok(Done::passed("")),
                ActivationPhase::Kept => Ok(Done::passed("until the next reboot")),
                // Told by the word of supervisor.sh: nothing is left to be taken back.
                ActivationPhase::Refused => {
                    let message = format!("{} was not confirmed: {}", context.name(), state.reason);
                    Err(Failure::new(FailureClass::Busy, message)
                        .hint("see who it was, then run the same command again"))
                }
                _ => {
                    let message = format!("the host did not commit: {}", state.reason);
                    Err(Failure::new(FailureClass::RolledBack, message).evidence(activate::said(context).await))
                }
            }
        }
        Ok(Standing::Dead(_) | Standing::Gone) => {
            Err(Failure::new(FailureClass::HostNotWell, "the supervisor died before it committed"))
        }
        // The word may have been heard: settle finds out.
        Err(error) => {
            let mut failure = error.failure();
            failure.class = FailureClass::HostNotWell;
            Err(failure)
        }
    }
}
