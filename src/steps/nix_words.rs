//! What the Nix layer says, in the words of events and failures.

use std::error::Error;

use crate::event::Event;
use crate::model::{Failure, FailureClass, HostName, StepId};
use crate::nix::{BuildError, CopyError, EvalError, NixProgress};

/// Progress of a call that serves a host.
pub(super) fn progress_event(progress: &NixProgress, host: &HostName, step: StepId) -> Event {
    Event::StepProgress {
        host: host.clone(),
        step,
        doing: progress.doing.clone(),
        done: progress.done,
        expected: progress.expected,
    }
}

fn failure(class: FailureClass, error: &(dyn Error + 'static), hints: Vec<String>) -> Failure {
    Failure { hints, ..Failure::from_error(class, error) }
}

/// An evaluation that failed, with the innermost part of its trace.
pub(crate) fn evaluation_failure(error: &EvalError) -> Failure {
    failure(FailureClass::Build, error, error.hints()).evidence(error.trace().iter().cloned())
}

/// A build that failed, with the end of the failing builder's log.
pub(crate) fn build_failure(error: &BuildError) -> Failure {
    failure(FailureClass::Build, error, error.hints()).evidence(error.evidence())
}

/// A copy that failed: the host could not be reached or is not fit.
pub(super) fn copy_failure(error: &CopyError, host: &HostName) -> Failure {
    let message = error.message_on(host.as_str());
    Failure { message, ..failure(FailureClass::Unfit, error, error.hints()) }
}
