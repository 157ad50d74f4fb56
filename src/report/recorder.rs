//! The recorder among the reporters: tells it that the journal has grown, and
//! which hosts have answered. What it does with that is `fleet`'s business.

use std::time::Duration;

use super::Reporter;
use crate::event::{Envelope, Event};
use crate::fleet::recorder::{PATIENCE, Recorder};

/// Keeps the fleet database up with the run. It has to come behind the journal
/// among the reporters: at the end it records what the journal then holds.
pub(crate) struct Recording {
    recorder: Recorder,
    /// Whether hosts are going to be changed, so that others have to be kept away.
    claims: bool,
}

impl Recording {
    /// Over a recorder that has started.
    pub(crate) fn new(recorder: Recorder, claims: bool) -> Self {
        Self { recorder, claims }
    }
}

impl Reporter for Recording {
    fn event(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::Facts { host, facts } if self.claims => self.recorder.claim(host, &facts.machine_id),
            // Nothing of these is kept.
            Event::Log { .. } | Event::StepProgress { .. } => return,
            _ => {}
        }
        self.recorder.wake();
    }

    fn trouble(&mut self) -> Option<String> {
        self.recorder.trouble()
    }

    fn finish(&mut self) {
        self.recorder.finish();
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn overdue(&self) -> &'static str {
        "the fleet database is slow: the next run records the end of this one, or `nix-deploy fleet flush`"
    }
}
