//! The steps of a run: one trait, one registry, a file per step.
//!
//! A step does one thing for one host. It reads and fills the host's context,
//! says what happens by events, and gives a [`Done`] or a [`Failure`]. It never
//! prints and never touches the database. In which order steps run, and
//! whether at all, is decided by the plan and the engine.

mod activate;
mod audit;
mod build;
mod changes;
mod check;
mod commit;
pub(crate) mod context;
mod copy;
mod decide;
mod evaluate;
mod git;
mod host_facts;
mod lease;
mod limits;
mod link_speed;
mod logs;
mod look_again;
mod network;
mod nix_words;
mod observed;
mod preview;
mod prove;
mod reboot;
mod recover;
mod resources;
mod roots;
mod services;
mod settle;
pub(crate) mod shared;
mod soak;
mod sudo;
mod taken_up;
mod target;
mod usual;
mod verify;
mod way;

use std::future::Future;
use std::pin::Pin;

use crate::model::{Failure, HostOutcome, Mode, RunSpec, StepId, StepOutcome};
use context::HostContext;

pub(crate) use build::serve as serve_builds;
pub(crate) use evaluate::evaluate_all;
pub(crate) use look_again::look_again;
pub(crate) use nix_words::{build_failure, evaluation_failure};
pub(crate) use reboot::will_reboot;
pub(crate) use roots::remove as remove_roots;
pub(crate) use taken_up::PASSED_OVER;

/// Whether the hosts of a run are audited: the plan decides it by the mode.
pub(crate) fn is_audited(spec: &RunSpec) -> bool {
    spec.mode == Mode::Standard
}

/// What a step that did not fail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// How it ended.
    pub(crate) outcome: StepOutcome,
    /// A few words for the report; may be empty.
    pub(crate) summary: String,
    /// Set when the host's run is complete with this step.
    pub(crate) ends: Option<HostOutcome>,
}

impl Done {
    /// It did what it should.
    pub(crate) fn passed(summary: impl Into<String>) -> Self {
        Self { outcome: StepOutcome::Passed, summary: summary.into(), ends: None }
    }

    /// It did, and something deserves a look.
    pub(crate) fn warned(summary: impl Into<String>) -> Self {
        Self { outcome: StepOutcome::Warned, ..Self::passed(summary) }
    }

    /// There was nothing to do.
    pub(crate) fn skipped(summary: impl Into<String>) -> Self {
        Self { outcome: StepOutcome::Skipped, ..Self::passed(summary) }
    }

    /// The host's run is complete.
    pub(crate) fn ending(self, outcome: HostOutcome) -> Self {
        Self { ends: Some(outcome), ..self }
    }
}

/// What a step gives.
pub(crate) type StepResult = Result<Done, Failure>;
/// A step at work.
pub(crate) type StepFuture<'a> = Pin<Box<dyn Future<Output = StepResult> + Send + 'a>>;

/// One step of a host's run.
pub(crate) trait Step: Send + Sync {
    /// Its name.
    fn id(&self) -> StepId;

    /// Does it.
    fn run<'a>(&'a self, context: &'a HostContext) -> StepFuture<'a>;
}

/// Declares a unit struct that is a step made of an async function, `run`
/// unless another is named.
macro_rules! step {
    ($name:ident, $id:expr) => {
        step!($name, $id, run);
    };
    ($name:ident, $id:expr, $run:ident) => {
        /// The step.
        pub(super) struct $name;

        impl crate::steps::Step for $name {
            fn id(&self) -> crate::model::StepId {
                $id
            }

            fn run<'a>(
                &'a self,
                context: &'a crate::steps::context::HostContext,
            ) -> crate::steps::StepFuture<'a> {
                Box::pin($run(context))
            }
        }
    };
}
use step;

/// Every step there is.
static REGISTRY: [&dyn Step; 22] = [
    &git::Git,
    &host_facts::HostFactsStep,
    &check::Syntax,
    &check::Antipatterns,
    &evaluate::Evaluate,
    &decide::Decide,
    &build::Build,
    &audit::Audit,
    &changes::ChangesStep,
    &copy::Copy,
    &preview::PreviewStep,
    &activate::Activate,
    &prove::Prove,
    &verify::Verify,
    &commit::Commit,
    &settle::Settle,
    &reboot::Reboot,
    &services::Services,
    &resources::Resources,
    &network::Network,
    &logs::Logs,
    &soak::Soak,
];

/// The step of this name; `None` for one that no registry line names.
pub(crate) fn find(id: StepId) -> Option<&'static dyn Step> {
    REGISTRY.iter().copied().find(|step| step.id() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_registered_once() {
        for id in StepId::ALL {
            assert_eq!(REGISTRY.iter().filter(|step| step.id() == id).count(), 1, "{id}");
        }
    }
}
