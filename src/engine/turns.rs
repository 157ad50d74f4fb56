//! Whose turn it is: hosts of a wave change when every host of the waves before
//! it has ended, without waves when those they depend on have, and nobody when
//! the run has stopped starting hosts.
//!
//! Invariants: an unchanged host holds nobody and nobody waits for it longer
//! than it takes to know; a host whose dependency failed or was held back is
//! held back; nobody comes behind a canary that is not well, whatever wave it is
//! in; behind canaries that all were unchanged, the first that change take their
//! place. What became of the hosts of a run that is taken up counts as if they
//! were of this one.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::event::{Event, EventSink};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, HostName, HostOutcome, HostReport, Resumed, RunSpec, StepId};

/// How a host's run ended, as far as others care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was not touched, because nothing was to be done.
    Unchanged,
    /// It was changed and is well.
    Changed,
    /// It failed before it was changed.
    Unfit,
    /// Its change failed.
    Failed,
    /// It was not started.
    HeldBack,
}

impl End {
    /// What a report amounts to.
    pub(crate) fn of(report: &HostReport) -> Self {
        match report.outcome {
            HostOutcome::Unchanged => Self::Unchanged,
            HostOutcome::Skipped => Self::HeldBack,
            outcome if outcome.is_success() => Self::Changed,
            HostOutcome::Failed if report.truth.is_none() => Self::Unfit,
            _ => Self::Failed,
        }
    }

    fn is_well(self) -> bool {
        matches!(self, Self::Unchanged | Self::Changed)
    }
}

/// The order of a run; it does not change.
struct Order {
    waves: Vec<Vec<HostName>>,
    dependencies: BTreeMap<HostName, Vec<HostName>>,
    has_waves: bool,
    /// The canaries of the plan; none without a canary rollout.
    canaries: BTreeSet<HostName>,
    /// So many failures end the run; by default none without waves.
    max_failures: Option<usize>,
    soaks: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    ended: BTreeMap<HostName, End>,
    /// Hosts that take the place of canaries that were unchanged.
    substitutes: BTreeSet<HostName>,
    /// The furthest wave that has begun, counted from 1.
    begun: usize,
}

impl State {
    /// What the run that is taken up had come to. Hosts that it changed behind
    /// canaries of which none was had taken their place.
    fn of_before(order: &Order, resumed: Option<&Resumed>) -> Self {
        let mut state = Self::default();
        for done in resumed.iter().flat_map(|resumed| &resumed.done) {
            let end = if done.is_changed { End::Changed } else { End::Unchanged };
            state.ended.insert(done.name.clone(), end);
        }
        if !order.canaries.is_empty() && !order.proven(&state) {
            let changed = state.ended.iter().filter(|(_, end)| **end == End::Changed);
            state.substitutes = changed.map(|(host, _)| host.clone()).collect();
        }
        state
    }
}

enum Verdict {
    Go,
    Wait,
    HeldBack(String),
}

/// Who may change when.
pub(crate) struct Turns {
    order: Order,
    state: watch::Sender<State>,
    sink: EventSink,
}

impl Turns {
    /// The turns that the plan gives.
    pub(crate) fn new(spec: &RunSpec, sink: EventSink) -> Self {
        let hosts = spec.hosts.iter();
        let order = Order {
            waves: spec.waves.clone(),
            dependencies: hosts.map(|host| (host.name.clone(), host.depends_on.clone())).collect(),
            has_waves: spec.rollout.has_waves(),
            canaries: spec.canaries.iter().cloned().collect(),
            max_failures: spec.rollout.max_failures.map(|share| share.of(spec.total())),
            soaks: spec.soaks(),
        };
        let state = State::of_before(&order, spec.resumed.as_ref());
        Self { order, state: watch::Sender::new(state), sink }
    }

    /// A host's run has ended, or its end is known already.
    pub(crate) fn ended(&self, host: &HostName, end: End) {
        self.state.send_modify(|state| {
            state.ended.insert(host.clone(), end);
        });
    }

    /// Waits for the host's turn; the failure says why it does not come.
    pub(crate) async fn wait(&self, host: &HostName) -> Result<(), Failure> {
        let mut changes = self.state.subscribe();
        let mut told = false;
        loop {
            match self.ask(host) {
                Verdict::Go => return Ok(()),
                Verdict::HeldBack(why) => return Err(held_back(host, &why)),
                Verdict::Wait => {
                    if !told {
                        told = true;
                        self.tell_waiting(host);
                    }
                    // The sender lives as long as self: waiting cannot fail.
                    let _ = changes.changed().await;
                }
            }
        }
    }

    /// Whether the run still starts hosts, asked when the host has a place too.
    pub(crate) fn still(&self, host: &HostName) -> Result<(), Failure> {
        match self.stopping(host, &self.state.borrow()) {
            Some(why) => Err(held_back(host, &why)),
            None => Ok(()),
        }
    }

    /// Whether the host is watched for a while before others begin.
    pub(crate) fn soaks(&self, host: &HostName) -> bool {
        let is_last = self.order.wave_of(host).is_none_or(|wave| wave + 1 >= self.order.waves.len());
        self.order.soaks && (!is_last || self.state.borrow().substitutes.contains(host))
    }

    fn ask(&self, host: &HostName) -> Verdict {
        let mut verdict = Verdict::Wait;
        self.state.send_if_modified(|state| {
            verdict = self.judge(host, state);
            if !matches!(verdict, Verdict::Go) {
                return false;
            }
            let takes_place = self.order.is_behind_canaries(host) && !self.order.proven(state);
            if takes_place {
                state.substitutes.insert(host.clone());
            }
            let wave = self.order.wave_of(host).map_or(0, |wave| wave + 1);
            if self.order.has_waves && wave > state.begun {
                state.begun = wave;
                // Told before another host of the wave can be told to go.
                self.tell_begun(wave);
            }
            takes_place
        });
        verdict
    }

    fn judge(&self, host: &HostName, state: &State) -> Verdict {
        if let Some(why) = self.stopping(host, state) {
            return Verdict::HeldBack(why);
        }
        let has_ended = |other: &HostName| state.ended.contains_key(other);
        let order = &self.order;
        let selected = |other: &&HostName| order.dependencies.contains_key(*other);
        let mut dependencies = order.dependencies.get(host).into_iter().flatten().filter(selected);
        let before = order.waves.iter().take(order.wave_of(host).filter(|_| order.has_waves).unwrap_or(0));
        if !dependencies.all(has_ended) || !before.flatten().all(has_ended) {
            return Verdict::Wait;
        }
        let are_enough = state.substitutes.len() >= order.canaries.len();
        if order.is_behind_canaries(host) && !order.proven(state) && are_enough {
            return Verdict::Wait;
        }
        Verdict::Go
    }

    /// Why the host is not started any more.
    fn stopping(&self, host: &HostName, state: &State) -> Option<String> {
        let order = &self.order;
        let end = |other: &HostName| state.ended.get(other).copied();
        let dependencies = order.dependencies.get(host).into_iter().flatten();
        for other in dependencies.filter(|other| *other != host) {
            match end(other) {
                Some(End::HeldBack) => return Some(format!("{other}, which it depends on, was not started")),
                Some(ended) if !ended.is_well() => {
                    return Some(format!("{other}, which it depends on, failed"));
                }
                _ => {}
            }
        }
        let went_before = |other: &HostName| match order.canaries.contains(other) {
            true => !order.canaries.contains(host) || order.wave_of(other) < order.wave_of(host),
            false => state.substitutes.contains(other) && !order.canaries.contains(host),
        };
        let mut unwell = state.ended.iter().filter(|(other, end)| !end.is_well() && went_before(other));
        // One that was not started is the consequence of another.
        let is_reason = |(_, end): &(&HostName, &End)| **end != End::HeldBack;
        if let Some((canary, end)) = unwell.clone().find(is_reason).or_else(|| unwell.next()) {
            return Some(match end {
                End::HeldBack => format!("{canary}, which goes first, was not started"),
                _ => format!("{canary}, which went first, failed"),
            });
        }
        let counted = |end: End| match order.max_failures {
            Some(_) => matches!(end, End::Failed | End::Unfit),
            None => order.has_waves && end == End::Failed,
        };
        let failures: Vec<&HostName> =
            state.ended.iter().filter(|(_, end)| counted(**end)).map(|(host, _)| host).collect();
        if failures.len() < order.max_failures.unwrap_or(1) {
            return None;
        }
        let names = failures.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ");
        Some(match order.max_failures {
            Some(most) => format!("{names} failed, and the run stops at {}", plural(most, "failure")),
            None => format!("{names}, which came before it, failed"),
        })
    }

    /// Says that a wave begins, where there are several.
    fn tell_begun(&self, number: usize) {
        let of = self.order.waves.len();
        if of > 1 {
            let hosts = self.order.waves[number - 1].clone();
            self.sink.send(Event::WaveStarted { number, of, hosts });
        }
    }

    fn tell_waiting(&self, host: &HostName) {
        let of = self.order.waves.len();
        let Some(wave) = self.order.wave_of(host).filter(|_| of > 1) else { return };
        let doing = format!("waiting for wave {} of {of}", wave + 1);
        let (host, step) = (host.clone(), StepId::Activate);
        self.sink.send(Event::StepProgress { host, step, doing, done: None, expected: None });
    }
}

impl Order {
    fn wave_of(&self, host: &HostName) -> Option<usize> {
        self.waves.iter().position(|wave| wave.contains(host))
    }

    /// Whether canaries have to prove the change before the host is touched.
    fn is_behind_canaries(&self, host: &HostName) -> bool {
        !self.canaries.is_empty() && !self.canaries.contains(host)
    }

    /// Whether enough canaries were changed and are well: all that are needed, or
    /// all that took their place.
    fn proven(&self, state: &State) -> bool {
        let changed = |host: &HostName| state.ended.get(host) == Some(&End::Changed);
        self.canaries.iter().any(changed)
            || !state.substitutes.is_empty() && state.substitutes.iter().all(changed)
    }
}

fn held_back(host: &HostName, why: &str) -> Failure {
    Failure::new(FailureClass::Blocked, format!("{host} was not started: {why}"))
        .hint("mend what failed, then run the same command again: unchanged hosts cost nothing")
}

#[cfg(test)]
pub(super) mod tests;
