//! Where every host of a run is right now.
//!
//! Owns what the live screen and the plain lines know between two events. A
//! host runs several steps at once; the one shown is the furthest of the
//! critical path.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::styles::Role;
use super::words;
use crate::event::Envelope;
use crate::event::Event;
use crate::model::{HostName, HostReport, StepId};

/// The steps on which the end of a deploy waits, in order.
const CRITICAL_PATH: [StepId; 11] = [
    StepId::Evaluate,
    StepId::Build,
    StepId::Copy,
    StepId::Preview,
    StepId::Activate,
    StepId::Prove,
    StepId::Verify,
    StepId::Commit,
    StepId::Settle,
    StepId::Reboot,
    StepId::Soak,
];

/// A step that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunningStep {
    pub(super) started: Timestamp,
    pub(super) doing: String,
    pub(super) done: Option<u64>,
    pub(super) expected: Option<u64>,
}

impl RunningStep {
    fn new(started: Timestamp) -> Self {
        Self { started, doing: String::new(), done: None, expected: None }
    }

    /// `12/40 building linux`; empty when the step said nothing. What counts in its
    /// own words is not counted again.
    pub(super) fn progress(&self) -> String {
        let is_told = |counts: &str| self.doing.split([' ', ',']).any(|word| word == counts);
        let counts = match (self.done, self.expected) {
            (Some(done), Some(expected)) => format!("{done}/{expected}"),
            (Some(done), None) => done.to_string(),
            (None, _) => String::new(),
        };
        match (counts.as_str(), self.doing.as_str()) {
            ("", doing) => doing.to_owned(),
            (counts, doing) if is_told(counts) => doing.to_owned(),
            (counts, "") => counts.to_owned(),
            (counts, doing) => format!("{counts} {doing}"),
        }
    }
}

/// How a host ended, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostEnd {
    pub(super) is_success: bool,
    pub(super) is_unreached: bool,
    pub(super) word: &'static str,
    pub(super) role: Role,
    pub(super) elapsed_ms: u64,
    /// The failure, or the generation now.
    pub(super) remark: String,
}

/// One host.
#[derive(Clone, Debug)]
pub(super) struct HostState {
    pub(super) host: HostName,
    /// When its first step began.
    pub(super) started: Option<Timestamp>,
    pub(super) steps: BTreeMap<StepId, RunningStep>,
    /// What was told of steps that have not begun: a build may be ahead of its host.
    early: BTreeMap<StepId, RunningStep>,
    pub(super) end: Option<HostEnd>,
}

impl HostState {
    fn new(host: &HostName) -> Self {
        Self { host: host.clone(), started: None, steps: BTreeMap::new(), early: BTreeMap::new(), end: None }
    }

    /// Whether something runs or will go on.
    pub(super) fn is_active(&self) -> bool {
        self.end.is_none() && self.started.is_some()
    }

    /// The running step that matters most.
    pub(super) fn current(&self) -> Option<(StepId, &RunningStep)> {
        let rank = |step: StepId| CRITICAL_PATH.iter().position(|critical| *critical == step);
        let furthest = self.steps.iter().max_by_key(|(step, _)| (rank(**step), **step));
        furthest.map(|(step, running)| (*step, running))
    }

    /// Begins a step, with what was told of it ahead. What it waited for before it
    /// began is none of its time.
    fn start(&mut self, step: StepId, time: Timestamp) {
        self.started.get_or_insert(time);
        let early = self.early.remove(&step).unwrap_or_else(|| RunningStep::new(time));
        self.steps.insert(step, RunningStep { started: time, ..early });
    }

    /// What is told of a step. That a host waits for its turn is told before `activate`
    /// begins, and is shown at once; anything else waits for its step.
    fn told(&mut self, step: StepId, time: Timestamp) -> &mut RunningStep {
        if step == StepId::Activate || self.steps.contains_key(&step) {
            return self.running(step, time);
        }
        self.early.entry(step).or_insert_with(|| RunningStep::new(time))
    }

    fn running(&mut self, step: StepId, time: Timestamp) -> &mut RunningStep {
        self.started.get_or_insert(time);
        self.steps.entry(step).or_insert_with(|| RunningStep::new(time))
    }
}

/// All hosts in the order of the command line.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    pub(super) hosts: Vec<HostState>,
    pub(super) started: Option<Timestamp>,
    /// The wave that changes, counted from 1, and how many there are.
    pub(super) wave: Option<(usize, usize)>,
}

impl Board {
    /// Takes what an event says about hosts.
    pub(super) fn take(&mut self, envelope: &Envelope) {
        let time = envelope.time;
        self.started.get_or_insert(time);
        match &envelope.event {
            Event::RunStarted { hosts, .. } => self.hosts = hosts.iter().map(HostState::new).collect(),
            Event::WaveStarted { number, of, .. } => self.wave = Some((*number, *of)),
            Event::StepStarted { host, step } => self.of(host).start(*step, time),
            Event::StepProgress { host, step, doing, done, expected } => {
                let running = self.of(host).told(*step, time);
                running.doing.clone_from(doing);
                (running.done, running.expected) = (*done, *expected);
            }
            Event::StepFinished { host, step, .. } => {
                self.of(host).steps.remove(step);
            }
            Event::Activation { host, state } => {
                // The supervisor's state belongs to whichever step waits for it.
                let host = self.of(host);
                let step = host.current().map_or(StepId::Activate, |(step, _)| step);
                host.running(step, time).doing = words::activation(state);
            }
            Event::HostFinished { host, report } => {
                let host = self.of(host);
                host.steps.clear();
                host.end = Some(HostEnd {
                    is_success: report.outcome.is_success(),
                    is_unreached: report.is_unreached(),
                    word: report.word(),
                    role: Role::of_report(report),
                    elapsed_ms: report.elapsed_ms,
                    remark: remark(report),
                });
            }
            _ => {}
        }
    }

    fn of(&mut self, host: &HostName) -> &mut HostState {
        let known = self.hosts.iter().position(|state| state.host == *host);
        let index = known.unwrap_or(self.hosts.len());
        if known.is_none() {
            self.hosts.push(HostState::new(host));
        }
        &mut self.hosts[index]
    }
}

/// What stands behind a host's outcome where one line is all there is.
pub(super) fn remark(report: &HostReport) -> String {
    match (&report.failure, super::end_report::generations(report)) {
        (Some(failure), _) => failure.message.clone(),
        (None, Some(generations)) => format!("generation {generations}"),
        (None, None) => String::new(),
    }
}

/// Milliseconds from one time to a later one.
pub(super) fn milliseconds_between(start: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond() - start.as_millisecond()).unwrap_or(0)
}
