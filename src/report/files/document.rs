//! What a report file tells: a whole run, gathered from its events, with the
//! time of every step.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::event::{Envelope, Event};
use crate::model::{ActivationPhase, HostFacts, HostName, HostReport, Mode, RunId, StepId, StepOutcome};
use crate::report::gathered::Gathered;

/// A step with its place in the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TimedStep {
    pub(super) step: StepId,
    /// Milliseconds from the beginning of the run.
    pub(super) begun_ms: u64,
    pub(super) elapsed_ms: u64,
    /// `None` while it runs, and for one that the end of the run cut off.
    pub(super) outcome: Option<StepOutcome>,
    pub(super) summary: String,
}

/// What is known of one host.
#[derive(Clone, Debug, Default)]
pub(super) struct HostDocument {
    pub(super) steps: Vec<TimedStep>,
    pub(super) facts: Option<Box<HostFacts>>,
    /// What the supervisor said, with the milliseconds from the beginning.
    pub(super) phases: Vec<(u64, ActivationPhase)>,
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) run: Option<RunId>,
    pub(super) started: Option<Timestamp>,
    /// The time of the last event.
    pub(super) last: Option<Timestamp>,
    pub(super) tool_version: String,
    pub(super) actor: String,
    pub(super) mode: Mode,
    pub(super) flake: String,
    pub(super) interrupted: bool,
    /// What deserves a look and belongs to no host.
    pub(super) warnings: Vec<String>,
    pub(super) hosts: BTreeMap<HostName, HostDocument>,
    pub(super) gathered: Gathered,
}

impl Document {
    /// Takes the next event.
    pub(super) fn take(&mut self, envelope: &Envelope) {
        let started = *self.started.get_or_insert(envelope.time);
        let now = u64::try_from(envelope.time.duration_since(started).as_millis()).unwrap_or_default();
        self.run.get_or_insert_with(|| envelope.run.clone());
        self.last = Some(envelope.time);
        self.gathered.take(&envelope.event);
        match &envelope.event {
            Event::RunStarted { tool_version, actor, mode, flake, hosts, .. } => {
                self.tool_version.clone_from(tool_version);
                self.actor.clone_from(actor);
                self.mode = *mode;
                self.flake.clone_from(flake);
                self.hosts.extend(hosts.iter().map(|host| (host.clone(), HostDocument::default())));
            }
            Event::StepStarted { host, step } => {
                let summary = String::new();
                let begun = TimedStep { step: *step, begun_ms: now, elapsed_ms: 0, outcome: None, summary };
                self.host(host).steps.push(begun);
            }
            Event::StepFinished { host, step, outcome, elapsed_ms, summary } => {
                let begun_ms = now.saturating_sub(*elapsed_ms);
                let (elapsed_ms, outcome, summary) = (*elapsed_ms, Some(*outcome), summary.clone());
                let steps = &mut self.host(host).steps;
                match steps.iter_mut().rev().find(|timed| timed.step == *step && timed.outcome.is_none()) {
                    Some(timed) => {
                        (timed.elapsed_ms, timed.outcome, timed.summary) = (elapsed_ms, outcome, summary)
                    }
                    None => steps.push(TimedStep { step: *step, begun_ms, elapsed_ms, outcome, summary }),
                }
            }
            Event::Facts { host, facts } => self.host(host).facts = Some(facts.clone()),
            Event::Activation { host, state } => self.host(host).phases.push((now, state.phase)),
            Event::Warning { host: None, message, .. } => self.warnings.push(message.clone()),
            Event::Interrupted { .. } => self.interrupted = true,
            _ => {}
        }
    }

    /// Steps that were cut off lasted until the end.
    pub(super) fn close(&mut self) {
        let total = self.elapsed_ms();
        for timed in self.hosts.values_mut().flat_map(|host| &mut host.steps) {
            if timed.outcome.is_none() {
                timed.elapsed_ms = total.saturating_sub(timed.begun_ms);
            }
        }
    }

    fn host(&mut self, name: &HostName) -> &mut HostDocument {
        self.hosts.entry(name.clone()).or_default()
    }

    /// How long the run took, as far as it got.
    pub(super) fn elapsed_ms(&self) -> u64 {
        let seen = match (self.started, self.last) {
            (Some(started), Some(last)) => {
                u64::try_from(last.duration_since(started).as_millis()).unwrap_or_default()
            }
            _ => 0,
        };
        self.gathered.end.as_ref().map_or(seen, |end| end.elapsed_ms.max(seen))
    }

    /// Hosts in the order of the command line, with their report if they came to one.
    pub(super) fn in_order(&self) -> Vec<(&HostName, &HostDocument, Option<&HostReport>)> {
        let report = |host: &HostName| {
            self.gathered.reports.iter().find(|(name, _)| name == host).map(|(_, report)| report)
        };
        let place = |host: &HostName| self.gathered.hosts.iter().position(|other| other == host);
        let mut hosts: Vec<_> =
            self.hosts.iter().map(|(host, document)| (host, document, report(host))).collect();
        hosts.sort_by_key(|(host, ..)| place(host).unwrap_or(usize::MAX));
        hosts
    }

    /// The run in a few words: `2 hosts in 45 s: 1 success, 1 rolled back`.
    pub(super) fn outcome(&self) -> String {
        match &self.gathered.end {
            Some(end) if end.exit_code == 0 => "success".to_owned(),
            Some(end) => end.meaning.clone(),
            None => "the program did not come to its end".to_owned(),
        }
    }

    /// `Deploy` or `Rollback`.
    pub(super) fn title(&self) -> &'static str {
        if self.gathered.command == "rollback" { "Rollback" } else { "Deployment" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::story::{Story, host, success};

    #[test]
    fn steps_have_their_times_and_what_was_cut_off_lasts_until_the_end() {
        let story = Story::of(&["p620", "p510"])
            .step("p620", StepId::Evaluate, 100, 1_100)
            .at(1_200, Event::StepStarted { host: host("p620"), step: StepId::Build })
            .at(3_200, Event::Interrupted { at_once: true })
            .ended("p510", 3_300, success());
        let mut document = Document::default();
        story.envelopes().iter().for_each(|envelope| document.take(envelope));
        document.close();
        let hosts = document.in_order();
        assert_eq!(hosts[0].0.as_str(), "p620");
        let steps: Vec<_> = hosts[0]
            .1
            .steps
            .iter()
            .map(|step| (step.step, step.begun_ms, step.elapsed_ms, step.outcome))
            .collect();
        let expected =
            [(StepId::Evaluate, 100, 1_000, Some(StepOutcome::Passed)), (StepId::Build, 1_200, 2_100, None)];
        assert_eq!(steps, expected);
        assert!(hosts[0].2.is_none() && hosts[1].2.is_some());
        assert!(document.interrupted);
        assert_eq!(document.outcome(), "the program did not come to its end");
    }
}
