//! How many hosts may do what at the same time; all limits stand here.

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::{RunSpec, StepId};

/// Logins that are under way at once. Only connecting is limited: an unchanged
/// host needs nothing else, and a fleet of them is asked quickly.
const CONNECTING: usize = 16;

/// The limits of one run.
#[derive(Debug)]
pub(crate) struct Limits {
    connecting: std::sync::Arc<Semaphore>,
    copying: std::sync::Arc<Semaphore>,
    changing: std::sync::Arc<Semaphore>,
    rebooting: std::sync::Arc<Semaphore>,
}

impl Limits {
    /// The limits that the run asks for.
    pub(crate) fn new(spec: &RunSpec) -> Self {
        let parallel = spec.rollout.max_parallel.max(1);
        let semaphore = |permits| std::sync::Arc::new(Semaphore::new(permits));
        Self {
            connecting: semaphore(CONNECTING),
            copying: semaphore(parallel),
            changing: semaphore(parallel),
            rebooting: semaphore(spec.rollout.reboot_parallel.max(1)),
        }
    }

    /// Waits for a place where the step needs one. The place of `activate` is
    /// kept until the host has settled.
    pub(crate) async fn acquire(&self, step: StepId) -> Option<OwnedSemaphorePermit> {
        let semaphore = match step {
            StepId::HostFacts => &self.connecting,
            StepId::Copy => &self.copying,
            StepId::Activate => &self.changing,
            StepId::Reboot => &self.rebooting,
            _ => return None,
        };
        // Nobody closes these semaphores.
        std::sync::Arc::clone(semaphore).acquire_owned().await.ok()
    }
}
