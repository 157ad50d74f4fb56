//! Whose turn it is: hosts of a wave change when every host of the waves before
//! it has ended, without waves when those they depend on have, and nobody when
//! the run has stopped starting hosts.
//!
//! Invariants: an unchanged host holds nobody and nobody waits for it longer
//! than it takes to know; a host whose dependency failed or was held back is
//! held back; behind canaries that all were unchanged, the first that change
//! take their place.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::event::{Event, EventSink};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, HostName, HostOutcome, HostReport, RunSpec, StepId, Strategy};

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
    /// The hosts of the first wave of a canary rollout; none otherwise.
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
        let is_canary = spec.rollout.strategy == Strategy::Canary && spec.waves.len() > 1;
        let hosts = spec.hosts.iter();
        let order = Order {
            waves: spec.waves.clone(),
            dependencies: hosts.map(|host| (host.name.clone(), host.depends_on.clone())).collect(),
            has_waves: spec.rollout.has_waves(),
            canaries: spec.waves.iter().take(usize::from(is_canary)).flatten().cloned().collect(),
            max_failures: spec.rollout.max_failures.map(|share| share.of(spec.hosts.len())),
            soaks: !spec.rollout.soak.is_zero(),
        };
        Self { order, state: watch::Sender::new(State::default()), sink }
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
            let behind_canaries = !self.order.canaries.is_empty() && !self.order.canaries.contains(host);
            let takes_place = behind_canaries && !self.order.proven(state);
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
        let is_behind = !order.canaries.is_empty() && !order.canaries.contains(host);
        if is_behind && !order.proven(state) && state.substitutes.len() >= order.canaries.len() {
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
        let is_first = |other: &HostName| order.canaries.contains(other) || state.substitutes.contains(other);
        let failed = |other: &&HostName| end(other).is_some_and(|end| !end.is_well());
        if !order.canaries.contains(host)
            && let Some(canary) = state.ended.keys().filter(|other| is_first(other)).find(failed)
        {
            return Some(format!("{canary}, which went first, failed"));
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
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::model::{Action, HostSpec, Mode, Questions, Reboot, Rollout, RunId, Share};
    use crate::plan;

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    fn turns_of(rollout: Rollout, hosts: &[(&str, &[&str])]) -> Turns {
        let host = |(host, depends_on): &(&str, &[&str])| HostSpec {
            depends_on: depends_on.iter().map(|other| name(other)).collect(),
            ..HostSpec::with_defaults(name(host))
        };
        let hosts: Vec<HostSpec> = hosts.iter().map(host).collect();
        let spec = RunSpec {
            id: RunId::generate(),
            goal: Default::default(),
            issue: None,
            flake: ".".to_owned(),
            flake_dir: None,
            mode: Mode::Standard,
            action: Action::Switch,
            reboot: Reboot::Never,
            questions: Questions::AssumeYes,
            waves: plan::waves(&hosts, &rollout).unwrap(),
            rollout,
            hosts,
            resumed: None,
            takes_back: None,
            builders: Vec::new(),
            recover: Default::default(),
            substituters: Vec::new(),
            lint: Default::default(),
            state_dir: "/nowhere".into(),
            run_dir: "/nowhere".into(),
            actor: String::new(),
        };
        Turns::new(&spec, EventSink::new(spec.id.clone()).0)
    }

    fn turns(strategy: Strategy, hosts: &[(&str, &[&str])]) -> Turns {
        turns_of(Rollout { strategy, ..Rollout::default() }, hosts)
    }

    /// `go`, `wait`, or why not.
    fn asked(turns: &Turns, host: &str) -> String {
        match turns.wait(&name(host)).now_or_never() {
            None => "wait".to_owned(),
            Some(Ok(())) => "go".to_owned(),
            Some(Err(failure)) => failure.message,
        }
    }

    const FOUR: [(&str, &[&str]); 4] = [("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])];

    #[tokio::test]
    async fn a_host_waits_for_those_it_depends_on_and_not_for_others() {
        let turns = turns(Strategy::Parallel, &[("a", &[]), ("b", &["a", "gone"]), ("c", &[])]);
        assert_eq!(asked(&turns, "c"), "go");
        let host = name("b");
        let waiting = turns.wait(&host);
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        turns.ended(&name("c"), End::Failed);
        assert!(waiting.as_mut().now_or_never().is_none());
        turns.ended(&name("a"), End::Unchanged);
        assert_eq!(waiting.await, Ok(()));
    }

    #[tokio::test]
    async fn a_failure_holds_back_what_depends_on_it_and_what_depends_on_that() {
        let turns = turns(Strategy::Parallel, &[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]);
        turns.ended(&name("a"), End::Unfit);
        assert_eq!(asked(&turns, "b"), "b was not started: a, which it depends on, failed");
        turns.ended(&name("b"), End::HeldBack);
        assert_eq!(asked(&turns, "c"), "c was not started: b, which it depends on, was not started");
        assert_eq!(asked(&turns, "d"), "go");
    }

    #[tokio::test]
    async fn a_wave_waits_for_the_one_before_it_and_a_failed_change_stops_the_rest() {
        let turns = turns(Strategy::Rolling, &FOUR);
        assert_eq!((asked(&turns, "a").as_str(), asked(&turns, "b").as_str()), ("go", "wait"));
        turns.ended(&name("a"), End::Changed);
        assert_eq!(asked(&turns, "b"), "go");
        // Asleep, or not built: it was not changed, and says nothing of the others.
        turns.ended(&name("b"), End::Unfit);
        assert_eq!(asked(&turns, "c"), "go");
        turns.ended(&name("c"), End::Failed);
        assert_eq!(asked(&turns, "d"), "d was not started: c, which came before it, failed");
    }

    #[tokio::test]
    async fn so_many_failures_stop_the_run_also_for_who_waited_for_a_place() {
        let max_failures = Some(Share::Percent(50));
        let turns = turns_of(Rollout { max_failures, ..Rollout::default() }, &FOUR);
        assert_eq!(asked(&turns, "d"), "go");
        turns.ended(&name("a"), End::Failed);
        assert_eq!(turns.still(&name("d")), Ok(()));
        turns.ended(&name("b"), End::Unfit);
        let message = turns.still(&name("d")).unwrap_err().message;
        assert_eq!(message, "d was not started: a, b failed, and the run stops at 2 failures");
    }

    #[tokio::test]
    async fn a_canary_that_fails_in_any_way_stops_the_others() {
        for end in [End::Failed, End::Unfit] {
            let turns = turns(Strategy::Canary, &FOUR);
            assert_eq!((asked(&turns, "a").as_str(), asked(&turns, "b").as_str()), ("go", "wait"));
            turns.ended(&name("a"), end);
            assert_eq!(asked(&turns, "b"), "b was not started: a, which went first, failed");
        }
    }

    #[tokio::test]
    async fn behind_an_unchanged_canary_the_first_that_changes_takes_its_place() {
        let soaking = Rollout {
            strategy: Strategy::Canary,
            soak: std::time::Duration::from_secs(1),
            ..Rollout::default()
        };
        let turns = turns_of(soaking, &FOUR);
        turns.ended(&name("a"), End::Unchanged);
        assert_eq!((asked(&turns, "c").as_str(), asked(&turns, "b").as_str()), ("go", "wait"));
        assert!(turns.soaks(&name("a")) && turns.soaks(&name("c")) && !turns.soaks(&name("b")));
        turns.ended(&name("c"), End::Changed);
        assert_eq!((asked(&turns, "b").as_str(), asked(&turns, "d").as_str()), ("go", "go"));
    }

    #[tokio::test]
    async fn a_substitute_that_fails_stops_the_others() {
        let turns = turns(Strategy::Canary, &FOUR);
        turns.ended(&name("a"), End::Unchanged);
        assert_eq!(asked(&turns, "c"), "go");
        turns.ended(&name("c"), End::Failed);
        assert_eq!(asked(&turns, "d"), "d was not started: c, which went first, failed");
    }
}
