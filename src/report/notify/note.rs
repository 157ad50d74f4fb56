//! What is told: a run in a few lines, made from its events.

use serde_json::{Value, json};

use crate::event::{Envelope, Event};
use crate::model::text::clean_line;
use crate::model::{HostOutcome, HostReport, Occasion, RunId};
use crate::report::end_report::generations;
use crate::report::gathered::Gathered;
use crate::report::words;

/// Hosts that a message names one by one; failed ones come first.
const HOSTS: usize = 15;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    /// What it is about; more than one where a host went back in a run that failed.
    pub(super) occasions: Vec<Occasion>,
    /// The run.
    pub(super) run: String,
    /// The first line.
    pub(super) title: String,
    /// The other lines.
    pub(super) lines: Vec<String>,
    /// Everything, for programs.
    pub(super) data: Value,
}

impl Note {
    /// Its occasion in a word.
    pub(super) fn what(&self) -> &'static str {
        self.occasions.first().map_or("run", |occasion| occasion.as_str())
    }

    /// Whether it is bad news.
    pub(super) fn is_bad(&self) -> bool {
        self.occasions.contains(&Occasion::Failure)
    }

    /// All lines.
    pub(super) fn text(&self) -> String {
        std::iter::once(&self.title).chain(&self.lines).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// What is known of the run.
#[derive(Debug, Default)]
pub(super) struct Run {
    id: Option<RunId>,
    actor: String,
    flake: String,
    gathered: Gathered,
}

impl Run {
    /// Takes the next event.
    pub(super) fn take(&mut self, envelope: &Envelope) {
        self.id.get_or_insert_with(|| envelope.run.clone());
        if let Event::RunStarted { actor, flake, .. } = &envelope.event {
            self.actor = clean_line(actor);
            self.flake = clean_line(flake);
        }
        self.gathered.take(&envelope.event);
    }

    /// The message of its beginning.
    pub(super) fn at_start(&self) -> Note {
        let names: Vec<&str> = self.gathered.hosts.iter().map(|host| host.as_str()).collect();
        let what = if self.is_rollback() { "rolls back" } else { "deploys" };
        let title =
            format!("{} {what} {} ({})", self.actor, words::some_of(&names, HOSTS), self.gathered.action);
        self.note(vec![Occasion::Start], title, Vec::new())
    }

    /// The message of its end; none when nothing happened.
    pub(super) fn at_end(&self) -> Option<Note> {
        let end = self.gathered.end.as_ref()?;
        let reports = &self.gathered.reports;
        let quiet = |report: &HostReport| {
            matches!(report.outcome, HostOutcome::Unchanged | HostOutcome::Previewed | HostOutcome::Skipped)
        };
        if end.exit_code == 0 && reports.iter().all(|(_, report)| quiet(report)) {
            return None;
        }
        let went_back = |report: &HostReport| {
            matches!(report.outcome, HostOutcome::RolledBack | HostOutcome::RollbackFailed)
        };
        let mut occasions = Vec::new();
        if end.exit_code != 0 {
            occasions.push(Occasion::Failure);
        }
        if self.is_rollback() || reports.iter().any(|(_, report)| went_back(report)) {
            occasions.push(Occasion::Rollback);
        }
        if occasions.is_empty() {
            occasions.push(Occasion::Success);
        }
        let mut told: Vec<_> = reports.iter().filter(|(_, report)| !quiet(report)).collect();
        told.sort_by_key(|(_, report)| report.outcome.is_success());
        let mut lines: Vec<String> = told
            .iter()
            .take(HOSTS)
            .map(|(host, report)| {
                let generation =
                    generations(report).map(|text| format!(", generation {text}")).unwrap_or_default();
                let why = report.failure.as_ref().map(|failure| format!(": {}", failure.message));
                let outcome = report.word().to_lowercase();
                clean_line(&format!("{host}: {outcome}{generation}{}", why.unwrap_or_default()))
            })
            .collect();
        if told.len() > HOSTS {
            lines.push(format!("and {} more", told.len() - HOSTS));
        }
        let what = if self.is_rollback() { "Rollback" } else { "Deployment" };
        let word = if end.exit_code == 0 { "succeeded" } else { "failed" };
        let time = words::milliseconds(end.elapsed_ms);
        let commit = self.gathered.commit().map(|commit| format!(", commit {commit}")).unwrap_or_default();
        let title = format!("{what} by {} {word} in {time}{commit}", self.actor);
        Some(self.note(occasions, title, lines))
    }

    fn is_rollback(&self) -> bool {
        self.gathered.command == "rollback"
    }

    fn note(&self, occasions: Vec<Occasion>, title: String, lines: Vec<String>) -> Note {
        let run = self.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let hosts: Vec<Value> = self
            .gathered
            .reports
            .iter()
            .map(|(host, report)| {
                json!({
                    "host": host,
                    "outcome": report.outcome,
                    "elapsed_ms": report.elapsed_ms,
                    "generation_before": report.generation_before,
                    "generation_after": report.generation_after,
                    "failure": report.failure.as_ref().map(|failure| clean_line(&failure.message)),
                })
            })
            .collect();
        let data = json!({
            "v": 1,
            "type": "nix-deploy",
            "occasions": occasions,
            "run": run,
            "command": self.gathered.command,
            "action": self.gathered.action,
            "issue": self.gathered.issue,
            "actor": self.actor,
            "flake": self.flake,
            "commit": self.gathered.source.as_ref().and_then(|source| source.commit.clone()),
            "selected": self.gathered.hosts,
            "hosts": hosts,
            "exit_code": self.gathered.end.as_ref().map(|end| end.exit_code),
            "elapsed_ms": self.gathered.end.as_ref().map(|end| end.elapsed_ms),
            "text": title,
        });
        Note { occasions, run, title, lines, data }
    }
}
