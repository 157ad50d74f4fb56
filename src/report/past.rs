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
use crate::model::{
    ActivationPhase, Committed, FailureClass, HostName, HostOutcome, HostReport, LockFileState, Pinned,
    Replaced, SourceState, StepId, StorePath,
};

/// An earlier run, or several that took each other up: the last word counts.
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
    /// Whether it was an update: flake.lock was changed first, or was to be.
    pub(crate) is_update: bool,
    evaluated: BTreeMap<HostName, (StorePath, StorePath)>,
    ran: BTreeMap<HostName, StorePath>,
    ran_first: BTreeMap<HostName, StorePath>,
    boots: BTreeMap<HostName, String>,
    /// The boot in which a host committed its system, or may have done so.
    committed: BTreeMap<HostName, String>,
    need_reboot: BTreeSet<HostName>,
    passed: BTreeSet<(HostName, StepId)>,
}

impl PastRun {
    /// Reads the journal in the folder of a run; `None` when there is none.
    pub(crate) fn read(run_dir: &Path) -> std::io::Result<Option<Self>> {
        let mut past = Self::default();
        Ok(past.go_on(run_dir)?.then_some(past))
    }

    /// Reads the journal of the run that took this one up; says whether there is one.
    pub(crate) fn go_on(&mut self, run_dir: &Path) -> std::io::Result<bool> {
        let file = match File::open(run_dir.join(FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).split(b'\n') {
            if let Ok(envelope) = serde_json::from_slice::<Envelope>(&line?) {
                self.take(envelope.event);
            }
        }
        Ok(true)
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::RunStarted { updates, .. } => {
                self.is_update = updates;
                self.exit_code = None;
                self.started = Some(event);
            }
            // Journals of before do not say it at their beginning. That an update of
            // somebody else was put back is said by any deploy.
            Event::UpdateCheckProgress { .. }
            | Event::UpdatePreview { .. }
            | Event::UpdateDecided { .. }
            | Event::LockFile { state: LockFileState::Updated, .. } => self.is_update = true,
            Event::Source { source } => self.source = Some(source),
            Event::Evaluated { host, drv_path, out_path } => {
                self.evaluated.insert(host, (drv_path, out_path));
            }
            Event::Facts { host, facts } => {
                self.boots.insert(host.clone(), facts.boot_id);
                if let Some(system) = facts.current_system {
                    self.ran_first.entry(host.clone()).or_insert_with(|| system.clone());
                    self.ran.insert(host, system);
                }
            }
            Event::Changes { host, changes } if changes.reboot_needed => {
                self.need_reboot.insert(host);
            }
            Event::Activation { host, state } => {
                match state.phase {
                    // The word to commit may have been given without an answer being heard.
                    ActivationPhase::Activated
                    | ActivationPhase::Committing
                    | ActivationPhase::Committed
                    | ActivationPhase::Kept
                    | ActivationPhase::BootOnly => {
                        let boot = self.boots.get(&host).cloned().unwrap_or_default();
                        self.committed.insert(host, boot)
                    }
                    _ => self.committed.remove(&host),
                };
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

    /// Hosts that got what they were to get.
    pub(crate) fn done(&self) -> impl Iterator<Item = &HostName> {
        self.reports.keys().filter(|host| self.is_done(host))
    }

    /// Whether the host got what it was to get.
    pub(crate) fn is_done(&self, host: &HostName) -> bool {
        self.reports.get(host).is_some_and(|report| report.outcome.is_success())
    }

    /// Whether a host that is done was changed for that, by whichever of the runs.
    pub(crate) fn was_changed(&self, host: &HostName) -> bool {
        let is_unchanged =
            self.reports.get(host).is_some_and(|report| report.outcome == HostOutcome::Unchanged);
        self.is_done(host) && (!is_unchanged || self.committed.contains_key(host))
    }

    /// What a host that is done was given and had before, if it was changed.
    pub(crate) fn replaced(&self, host: &HostName) -> Option<Replaced> {
        let report = self.reports.get(host)?;
        let found_so = || {
            // Another run had changed it, and this one only found it so.
            let old = self.committed(host)?.old;
            let (old, new) = old.zip(report.new.clone())?;
            (old != new).then_some(Replaced { old, new })
        };
        report.replaced().or_else(found_so)
    }

    /// What is known of a host that had committed its system, or may have done so.
    pub(crate) fn committed(&self, host: &HostName) -> Option<Committed> {
        Some(Committed {
            boot_id: self.committed.get(host)?.clone(),
            old: self.ran_first.get(host).cloned(),
            reboot_needed: self.need_reboot.contains(host),
        })
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
    use crate::report::story::{Story, host, rolled_back, success, system, unchanged};

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

    #[test]
    fn an_update_says_so_and_so_does_its_flake_lock_in_journals_of_before() {
        let lock_file = |state| Event::LockFile { state, path: String::new(), remark: String::new() };
        let is_update = |events: &[Event]| {
            let story = events.iter().cloned().fold(Story::of(&["p620"]), |story, event| story.at(30, event));
            past(&story).1.is_update
        };
        assert!(!is_update(&[]));
        assert!(is_update(&[lock_file(LockFileState::Updated), lock_file(LockFileState::Restored)]));
        // What somebody else had begun was put back before a deploy.
        assert!(!is_update(&[lock_file(LockFileState::Recovered)]));
        let (_folder, started) = past(&Story::of(&["p620"]));
        let Some(Event::RunStarted { .. }) = &started.started else { panic!("it has no beginning") };
        let text = serde_json::to_string(started.started.as_ref().unwrap()).unwrap();
        let mut past = PastRun::default();
        past.take(serde_json::from_str(&text.replace("\"updates\":false", "\"updates\":true")).unwrap());
        assert!(past.is_update);
    }

    #[test]
    fn a_host_that_committed_and_was_not_brought_to_its_end_is_known_with_its_boot() {
        let facts = |boot_id: &str, runs: &str| -> Event {
            let mut facts: crate::model::HostFacts = serde_json::from_value(serde_json::json!({
                "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": boot_id,
                "hostname": "p", "systemd": true, "machine": "x86_64",
                "trusted": true, "baseline": {}, "orphans": []
            }))
            .unwrap();
            facts.current_system = Some(system(runs));
            Event::Facts { host: host("p620"), facts: Box::new(facts) }
        };
        let first = Story::of(&["p620", "p510"])
            .at(30, facts("b1", "old"))
            .activation("p620", 40, ActivationPhase::Committed, "")
            .activation("p510", 40, ActivationPhase::Activated, "")
            .activation("p510", 50, ActivationPhase::RolledBack, "");
        let (_folder, mut past_run) = past(&first);
        let committed = past_run.committed(&host("p620")).unwrap();
        assert_eq!((committed.boot_id.as_str(), committed.reboot_needed), ("b1", false));
        assert_eq!(committed.old, Some(system("old")));
        assert_eq!(past_run.committed(&host("p510")), None);
        assert!(!past_run.was_changed(&host("p620")) && past_run.done().next().is_none());

        // The run that took it up found it so, and was cut off in turn.
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        let found = HostReport { new: Some(system("new")), ..unchanged() };
        let found = HostReport { old: found.new.clone(), ..found };
        Story::of(&["p620"]).at(30, facts("b2", "new")).ended("p620", 40, found).tell(&mut journal);
        drop(journal);
        assert!(past_run.go_on(folder.path()).unwrap());
        assert_eq!(past_run.committed(&host("p620")).unwrap().boot_id, "b1");
        assert!(past_run.was_changed(&host("p620")));
        let [old, new] = ["old", "new"].map(system);
        assert_eq!(past_run.replaced(&host("p620")), Some(Replaced { old, new }));
    }
}
