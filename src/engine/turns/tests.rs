//! Whose turn it is, asked of turns of a plan.

use futures_util::FutureExt as _;

use super::*;
use crate::model::{
    Action, Canary, DoneHost, HostSpec, Mode, Questions, Reboot, Rollout, RunId, Share, Strategy,
};
use crate::plan;

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

fn turns_of(rollout: Rollout, hosts: &[(&str, &[&str])]) -> Turns {
    turns_after(rollout, hosts, &[])
}

/// Behind a run that had these hosts done: whether they were changed.
fn turns_after(rollout: Rollout, hosts: &[(&str, &[&str])], done: &[(&str, bool)]) -> Turns {
    let host = |(host, depends_on): &(&str, &[&str])| HostSpec {
        depends_on: depends_on.iter().map(|other| name(other)).collect(),
        ..HostSpec::with_defaults(name(host))
    };
    let hosts: Vec<HostSpec> = hosts.iter().map(host).collect();
    let planned = plan::waves(&hosts, &rollout).unwrap();
    let (mut waves, canaries) = (planned.waves, planned.canaries);
    let is_done = |host: &HostName| done.iter().any(|(other, _)| host.as_str() == *other);
    waves.iter_mut().for_each(|wave| wave.retain(|host| !is_done(host)));
    waves.retain(|wave| !wave.is_empty());
    let done_host = |(host, is_changed): &(&str, bool)| DoneHost {
        name: name(host),
        host: None,
        is_changed: *is_changed,
        systems: None,
    };
    let resumed = Resumed { done: done.iter().map(done_host).collect(), ..resumed() };
    let spec = RunSpec {
        waves,
        canaries,
        rollout,
        resumed: (!done.is_empty()).then_some(resumed),
        ..spec(hosts.into_iter().filter(|host| !is_done(&host.name)).collect())
    };
    Turns::new(&spec, EventSink::new(spec.id.clone()).0)
}

/// A run that is taken up, with nothing that is known of it.
pub(in crate::engine) fn resumed() -> Resumed {
    Resumed {
        run: RunId::generate(),
        systems: BTreeMap::new(),
        done: Vec::new(),
        committed: BTreeMap::new(),
        source: None,
        notes: Vec::new(),
    }
}

/// A run of these hosts, all at once.
pub(in crate::engine) fn spec(hosts: Vec<HostSpec>) -> RunSpec {
    RunSpec {
        id: RunId::generate(),
        goal: Default::default(),
        issue: None,
        flake: ".".to_owned(),
        flake_dir: None,
        mode: Mode::Standard,
        action: Action::Switch,
        reboot: Reboot::Never,
        questions: Questions::AssumeYes,
        rollout: Rollout::default(),
        waves: vec![hosts.iter().map(|host| host.name.clone()).collect()],
        canaries: Vec::new(),
        updates: false,
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
    }
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
    let soaking =
        Rollout { strategy: Strategy::Canary, soak: std::time::Duration::from_secs(1), ..Rollout::default() };
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

fn canary(canary: &str) -> Rollout {
    let canary = Canary::parse(canary).unwrap();
    Rollout { strategy: Strategy::Canary, canary, ..Rollout::default() }
}

#[tokio::test]
async fn a_canary_behind_what_it_depends_on_stops_the_others_too() {
    let hosts: [(&str, &[&str]); 3] = [("db", &[]), ("web", &["db"]), ("x", &[])];
    let turns = turns_of(canary("web"), &hosts);
    assert_eq!((asked(&turns, "web").as_str(), asked(&turns, "x").as_str()), ("wait", "wait"));
    turns.ended(&name("db"), End::Changed);
    assert_eq!((asked(&turns, "web").as_str(), asked(&turns, "x").as_str()), ("go", "wait"));
    turns.ended(&name("web"), End::Unfit);
    assert_eq!(asked(&turns, "x"), "x was not started: web, which went first, failed");

    let turns = turns_of(canary("web"), &hosts);
    turns.ended(&name("db"), End::Unfit);
    turns.ended(&name("web"), End::HeldBack);
    assert_eq!(asked(&turns, "x"), "x was not started: db, which went first, failed");
}

#[tokio::test]
async fn canaries_in_waves_of_one_are_all_canaries() {
    let three = Rollout { wave_size: Some(Share::Count(1)), ..canary("3") };
    let turns = turns_of(three.clone(), &FOUR);
    turns.ended(&name("a"), End::Changed);
    assert_eq!((asked(&turns, "b").as_str(), asked(&turns, "c").as_str()), ("go", "wait"));
    turns.ended(&name("b"), End::Unfit);
    for host in ["c", "d"] {
        assert_eq!(asked(&turns, host), format!("{host} was not started: b, which went first, failed"));
    }
    // One canary is no reason against those beside it.
    let turns = turns_of(canary("2"), &FOUR);
    turns.ended(&name("a"), End::Unfit);
    assert_eq!(asked(&turns, "b"), "go");
    assert!(asked(&turns, "c").contains("a, which went first"));
}

#[tokio::test]
async fn a_run_that_is_taken_up_goes_on_behind_canaries_only_if_one_was_changed() {
    // The canary was unchanged, and c had its place when the run was cut off.
    let turns = turns_after(canary("1"), &FOUR, &[("a", false)]);
    assert_eq!((asked(&turns, "c").as_str(), asked(&turns, "b").as_str()), ("go", "wait"));
    turns.ended(&name("c"), End::Unfit);
    assert_eq!(asked(&turns, "d"), "d was not started: c, which went first, failed");
    for done in [[("a", true), ("b", false)], [("a", false), ("b", true)]] {
        let turns = turns_after(canary("1"), &FOUR, &done);
        assert_eq!((asked(&turns, "c").as_str(), asked(&turns, "d").as_str()), ("go", "go"), "{done:?}");
    }
    // One of two has proven itself; the other one is still to come.
    let turns = turns_after(canary("2"), &FOUR, &[("a", true)]);
    assert_eq!((asked(&turns, "b").as_str(), asked(&turns, "c").as_str()), ("go", "wait"));
    turns.ended(&name("b"), End::Unfit);
    assert_eq!(asked(&turns, "c"), "c was not started: b, which went first, failed");
}

#[tokio::test]
async fn a_share_of_failures_is_of_all_hosts_of_a_run_that_is_taken_up() {
    let half = Rollout { max_failures: Some(Share::Percent(50)), ..Rollout::default() };
    let turns = turns_after(half, &FOUR, &[("a", true), ("b", true)]);
    turns.ended(&name("c"), End::Failed);
    assert_eq!(asked(&turns, "d"), "go");
}
