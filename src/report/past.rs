//! What the journal of an earlier run says, for taking the run up again.
//!
//! Reads only; the journal's writer is in `journal.rs`. Lines that were cut off
//! or that this version does not know are passed by: a run that was killed
//! leaves both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::journal::FILE_NAME;
use crate::event::{Envelope, Event};
use crate::model::{FailureClass, HostName, HostReport, Pinned, SourceState, StepId, StorePath};

/// An earlier run.
#[derive(Debug, Default)]
pub(crate) struct PastRun {
    /// Its first event; nothing can be taken up without it.
    pub(crate) started: Option<Event>,
    /// The state of the configuration's repository.
    pub(crate) source: Option<SourceState>,
    /// How hosts ended, those that did.
    pub(crate) reports: BTreeMap<HostName, HostReport>,
    /// Whether its program came to its end, and with which exit code.
    pub(crate) exit_code: Option<u8>,
    evaluated: BTreeMap<HostName, (StorePath, StorePath)>,
    ran: BTreeMap<HostName, StorePath>,
    passed: BTreeSet<(HostName, StepId)>,
}

impl PastRun {
    /// Reads the journal in the folder of a run; `None` when there is none.
    pub(crate) fn read(run_dir: &Path) -> std::io::Result<Option<Self>> {
        let file = match File::open(run_dir.join(FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut past = Self::default();
        for line in BufReader::new(file).split(b'\n') {
            if let Ok(envelope) = serde_json::from_slice::<Envelope>(&line?) {
                past.take(envelope.event);
            }
        }
        Ok(Some(past))
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::RunStarted { .. } => self.started = Some(event),
            Event::Source { source } => self.source = Some(source),
            Event::Evaluated { host, drv_path, out_path } => {
                self.evaluated.insert(host, (drv_path, out_path));
            }
            Event::Facts { host, facts } => {
                if let Some(system) = facts.current_system {
                    self.ran.insert(host, system);
                }
            }
            Event::StepFinished { host, step, outcome, .. } if outcome != crate::model::StepOutcome::Failed => {
                self.passed.insert((host, step));
            }
            Event::HostFinished { host, report } => {
                self.reports.insert(host, *report);
            }
            Event::RunFinished { exit_code, .. } => self.exit_code = Some(exit_code),
            _ => {}
        }
    }

    /// Whether the host got what it was to get.
    pub(crate) fn is_done(&self, host: &HostName) -> bool {
        self.reports.get(host).is_some_and(|report| report.outcome.is_success())
    }

    /// Whether the run was cut off, or stopped by a person.
    pub(crate) fn is_interrupted(&self) -> bool {
        let stopped = |report: &HostReport| report.failure_class() == Some(FailureClass::Interrupted);
        self.exit_code.is_none() || self.reports.values().any(stopped)
    }

    /// What it evaluated for a host.
    pub(crate) fn pinned(&self, host: &HostName) -> Option<Pinned> {
        let (drv_path, out_path) = self.evaluated.get(host).cloned()?;
        Some(Pinned { drv_path, out_path, seen: self.ran.get(host).cloned() })
    }

    /// Whether a step of a host came to a good end.
    pub(crate) fn has_passed(&self, host: &HostName, step: StepId) -> bool {
        self.passed.contains(&(host.clone(), step))
    }
}

/// Whether the program of a run still lives: it holds a lock on its journal.
pub(crate) fn is_at_work(run_dir: &Path) -> bool {
    let Ok(file) = File::open(run_dir.join(FILE_NAME)) else { return false };
    // Closing the file gives the lock back.
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::report::Journal;
    use crate::report::story::{Story, host, rolled_back, success};

    fn past(story: &Story) -> (tempfile::TempDir, PastRun) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        story.tell(&mut journal);
        assert!(is_at_work(folder.path()));
        drop(journal);
        assert!(!is_at_work(folder.path()));
        let past = PastRun::read(folder.path()).unwrap().unwrap();
        (folder, past)
    }

    #[test]
    fn a_run_that_was_cut_off_says_who_is_done_and_what_was_evaluated() {
        let path = |name: &str| StorePath::new(format!("/nix/store/{}-{name}", "0".repeat(32))).unwrap();
        let evaluated = Event::Evaluated { host: host("p510"), drv_path: path("x.drv"), out_path: path("x") };
        let story = Story::of(&["p620", "p510", "razer"])
            .at(5, evaluated)
            .step("p510", StepId::Syntax, 6, 7)
            .ended("p620", 10, success())
            .ended("razer", 12, rolled_back());
        let (folder, cut_off) = past(&story);
        assert!(cut_off.is_interrupted() && cut_off.started.is_some());
        assert!(cut_off.is_done(&host("p620")) && !cut_off.is_done(&host("p510")));
        assert!(!cut_off.is_done(&host("razer")));
        assert_eq!(cut_off.pinned(&host("p510")).unwrap().out_path, path("x"));
        assert!(cut_off.has_passed(&host("p510"), StepId::Syntax));
        assert!(!cut_off.has_passed(&host("p620"), StepId::Syntax));
        assert!(PastRun::read(&folder.path().join("none")).unwrap().is_none());
        let (_folder, ended) = past(&story.finished(20, exit::ROLLED_BACK));
        assert!(!ended.is_interrupted());
    }

    #[test]
    fn half_a_line_and_an_unknown_event_are_passed_by() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"v\":1,\"run\":\"r\",\"seq\":1,\"time\":\"2025-11-21T12:00:00Z\",\"event\":{\"type\":\"of-tomorrow\"}}\n{\"v\":1,";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let past = PastRun::read(folder.path()).unwrap().unwrap();
        assert!(past.started.is_none() && past.reports.is_empty());
    }
}
