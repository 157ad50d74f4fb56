//! What the reporters remember of a run for its end report.

use crate::event::Event;
use crate::model::{Action, HostName, HostReport, SourceState};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunEnd {
    pub(super) exit_code: u8,
    pub(super) meaning: String,
    pub(super) elapsed_ms: u64,
}

/// The parts of a run that its end report shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    /// The selected hosts in their order.
    pub(super) hosts: Vec<HostName>,
    pub(super) action: Action,
    pub(super) run_dir: String,
    pub(super) source: Option<SourceState>,
    /// Hosts in the order they ended.
    pub(super) reports: Vec<(HostName, HostReport)>,
    pub(super) end: Option<RunEnd>,
}

impl Gathered {
    /// Remembers what is needed of an event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::RunStarted { hosts, action, run_dir, .. } => {
                self.hosts.clone_from(hosts);
                self.action = *action;
                self.run_dir.clone_from(run_dir);
            }
            Event::Source { source } => self.source = Some(source.clone()),
            Event::HostFinished { host, report } => self.reports.push((host.clone(), (**report).clone())),
            Event::RunFinished { exit_code, meaning, elapsed_ms } => {
                let (exit_code, elapsed_ms) = (*exit_code, *elapsed_ms);
                self.end = Some(RunEnd { exit_code, meaning: meaning.clone(), elapsed_ms });
            }
            _ => {}
        }
    }

    /// The commit in short with its state, for example `4f2c1aa (dirty)`.
    pub(super) fn commit(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let commit: String = source.commit.as_ref()?.chars().take(7).collect();
        Some(format!("{commit} ({})", if source.dirty { "dirty" } else { "clean" }))
    }
}
