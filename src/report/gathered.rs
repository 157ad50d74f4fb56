//! What the reporters remember of a run for its end report.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::model::{Action, Finding, HostName, HostReport, SourceState, Target};

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
    /// `deploy` or `rollback`; empty for reports that are shown again.
    pub(super) command: String,
    pub(super) issue: Option<u64>,
    pub(super) source: Option<SourceState>,
    /// What hosts go back to.
    pub(super) targets: BTreeMap<HostName, Target>,
    /// What the checks found, by host.
    pub(super) findings: BTreeMap<HostName, Vec<Finding>>,
    /// Hosts in the order they ended.
    pub(super) reports: Vec<(HostName, HostReport)>,
    pub(super) end: Option<RunEnd>,
}

impl Gathered {
    /// Remembers what is needed of an event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::RunStarted { hosts, action, run_dir, command, issue, .. } => {
                self.hosts.clone_from(hosts);
                self.action = *action;
                self.run_dir.clone_from(run_dir);
                self.command.clone_from(command);
                self.issue = *issue;
            }
            Event::Target { host, target } => {
                self.targets.insert(host.clone(), (**target).clone());
            }
            Event::Source { source } => self.source = Some(source.clone()),
            Event::Finding { host, finding } => {
                self.findings.entry(host.clone()).or_default().push((**finding).clone());
            }
            Event::HostFinished { host, report } => self.reports.push((host.clone(), (**report).clone())),
            Event::RunFinished { exit_code, meaning, elapsed_ms } => {
                let (exit_code, elapsed_ms) = (*exit_code, *elapsed_ms);
                self.end = Some(RunEnd { exit_code, meaning: meaning.clone(), elapsed_ms });
            }
            _ => {}
        }
    }

    /// What the checks found on a host, and a host that was reported before
    /// with exactly the same.
    pub(super) fn findings_of(&self, host: &HostName) -> (&[Finding], Option<&HostName>) {
        let own = self.findings.get(host).map(Vec::as_slice).unwrap_or_default();
        let before = self.reports.iter().map(|(name, _)| name).take_while(|name| *name != host);
        let same = before.into_iter().find(|name| self.findings.get(*name).is_some_and(|other| other == own));
        (own, same)
    }

    /// The word in a report's title.
    pub(super) fn title(&self) -> &'static str {
        if self.command == "rollback" { "ROLLBACK" } else { "DEPLOYMENT" }
    }

    /// The commit in short with its state, for example `4f2c1aa (dirty)`.
    pub(super) fn commit(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let commit: String = source.commit.as_ref()?.chars().take(7).collect();
        Some(format!("{commit} ({})", if source.dirty { "dirty" } else { "clean" }))
    }
}
