//! Runs the step graph: hosts in parallel, limits, one question, cancellation,
//! outcomes. What runs is the plan's business; what a step does is the step's.

mod begin;
pub(crate) mod claims;
mod gate;
mod host_run;
mod interrupt;
mod limits;
mod turns;
mod way_back;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;

pub(crate) use interrupt::Interrupt;

use crate::event::{Event, EventSink};
use crate::exit::{self, ExitCode};
use crate::model::text::{clean_line, plural};
use crate::model::{Failure, FailureClass, Goal, HostName, HostOutcome, HostReport, RunSpec, Secret};
use crate::steps::context::{HostContext, RunContext};
use claims::HostClaims;
use gate::Gate;
use limits::Limits;
use turns::{End, Turns};
use way_back::way_back;

/// Everything a deploy works with.
pub(crate) struct Job {
    /// The run as it was asked for.
    pub(crate) spec: RunSpec,
    /// Where events go.
    pub(crate) sink: EventSink,
    /// Machine, boot and process of this program.
    pub(crate) owner: String,
    /// How the run is stopped.
    pub(crate) interrupt: Interrupt,
    /// The sudo password, when the environment gave one.
    pub(crate) sudo_password: Option<Secret>,
    /// Who may change a host.
    pub(crate) claims: Arc<dyn HostClaims>,
}

/// What decides when a host may change.
#[derive(Clone)]
struct Order {
    gate: Gate,
    turns: Arc<Turns>,
    limits: Arc<Limits>,
    claims: Arc<dyn HostClaims>,
    /// A host that is not well after its reboot: no other one is rebooted.
    reboot_failed: Arc<OnceLock<HostName>>,
}

/// How the hosts of a run ended.
pub(crate) struct Ended {
    /// The exit code: the worst of all hosts.
    pub(crate) code: ExitCode,
    /// The run that has to follow, because this one failed and was to take its hosts back then.
    pub(crate) way_back: Option<RunSpec>,
}

/// Says that a run begins: its first event.
pub(crate) fn begin(spec: &RunSpec, sink: &EventSink) -> Instant {
    sink.send(Event::RunStarted {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        actor: spec.actor.clone(),
        mode: spec.mode,
        action: spec.action,
        flake: spec.flake.clone(),
        hosts: spec.hosts.iter().map(|host| host.name.clone()).collect(),
        run_dir: spec.run_dir.display().to_string(),
        rollout: Some(Box::new(spec.rollout.clone())),
        waves: spec.waves.clone(),
        canaries: spec.canaries.clone(),
        updates: spec.updates,
        reboot: spec.reboot,
        allow: spec.lint.allow.clone(),
        resumes: spec.resumed.as_ref().map(|resumed| resumed.run.clone()),
        takes_back: spec.takes_back.clone(),
        command: spec.goal.command().to_owned(),
        issue: spec.issue,
    });
    if let Some(source) = spec.resumed.as_ref().and_then(|resumed| resumed.source.clone()) {
        sink.send(Event::Source { source });
    }
    for note in spec.resumed.iter().flat_map(|resumed| &resumed.notes) {
        sink.warn(None, note.clone(), None);
    }
    Instant::now()
}

/// Says that a run has ended: its last event.
pub(crate) fn end(sink: &EventSink, code: ExitCode, begun: Instant) {
    sink.send(Event::RunFinished {
        exit_code: code.code,
        meaning: code.meaning.to_owned(),
        elapsed_ms: elapsed_ms(begun),
    });
}

/// Deploys the hosts of a run that has begun. Every selected host gets a
/// report, whatever happens.
pub(crate) async fn deploy_hosts(job: Job) -> Ended {
    let Job { spec, sink, owner, interrupt, sudo_password, claims } = job;
    let (run, requests) = RunContext::new(spec, sink.clone(), owner, sudo_password);
    // Shared work; it ends with the run, or with an interruption.
    let mut shared = JoinSet::new();
    if run.spec.goal.is_configuration() {
        let (evaluation, builds) = (run.evaluation.clone(), run.builds.clone());
        shared.spawn(guarded(crate::steps::evaluate_all(Arc::clone(&run)), move || evaluation.give_up()));
        shared.spawn(guarded(crate::steps::serve_builds(Arc::clone(&run), requests), move || builds.give_up()));
    }

    let gate = Gate::new(&run);
    let limits = Arc::new(Limits::new(&run.spec));
    let turns = Arc::new(Turns::new(&run.spec, run.sink.clone()));
    let reboot_failed = Arc::default();
    let mut hosts = JoinSet::new();
    for host in run.spec.hosts.clone() {
        let (run, interrupt) = (Arc::clone(&run), interrupt.clone());
        let order = Order {
            gate: gate.clone(),
            turns: Arc::clone(&turns),
            limits: Arc::clone(&limits),
            claims: Arc::clone(&claims),
            reboot_failed: Arc::clone(&reboot_failed),
        };
        hosts.spawn(async move {
            let name = host.name.clone();
            let report = match HostContext::new(Arc::clone(&run), host).map(Arc::new) {
                Ok(context) => {
                    let at_work = host_run::run(Arc::clone(&context), order.clone(), interrupt);
                    unbroken(at_work, || broken_report(&context)).await
                }
                Err(error) => failed_report(error.failure()),
            };
            let report = host_ended(&run, &order, &name, report);
            (name, report)
        });
    }
    let mut codes = Vec::new();
    let mut reports = Vec::new();
    let mut held_back = false;
    while let Some(finished) = hosts.join_next().await {
        match finished {
            // What held a host back has an exit code of its own.
            Ok((_, report)) if report.outcome == HostOutcome::Skipped => held_back = true,
            Ok((name, report)) => {
                codes.push(report.failure_class().map_or(exit::OK, exit::of));
                reports.push((name, report));
            }
            Err(error) => {
                tracing::error!(%error, "a host's run broke");
                codes.push(exit::UNEXPECTED);
            }
        }
    }
    shared.abort_all();
    if interrupt.asked() && exit::worst(codes.iter().copied()) == exit::OK {
        // Everything had ended well before the interruption could stop anything.
        tracing::debug!("interrupted, with nothing left to stop");
    }
    let code = match exit::worst(codes) {
        exit::OK if held_back => exit::BLOCKED,
        code => code,
    };
    let back = way_back(&run.spec, &reports).filter(|_| !interrupt.asked());
    if let Some(back) = &back {
        let names: Vec<&str> = back.hosts.iter().map(|host| host.name.as_str()).collect();
        let hosts = plural(names.len(), "host");
        sink.warn(
            None,
            format!("the run failed: {hosts} that it deployed will be taken back: {}", names.join(", ")),
            None,
        );
    }
    Ended { code, way_back: back }
}

/// Runs work that hosts share. They are told when it breaks, by a mistake of ours.
async fn guarded(at_work: impl Future<Output = ()>, give_up: impl FnOnce()) {
    if AssertUnwindSafe(at_work).catch_unwind().await.is_err() {
        give_up();
    }
}

/// The report of a host's run. A run that broke, by a mistake of ours, ends as a
/// failed one: others wait for its end.
async fn unbroken(at_work: impl Future<Output = HostReport>, known: impl FnOnce() -> HostReport) -> HostReport {
    // What it leaves half done goes with it; what hosts share has no half states.
    let panic = match AssertUnwindSafe(at_work).catch_unwind().await {
        Ok(report) => return report,
        Err(panic) => panic,
    };
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(said, "a host's run broke");
    let mut failure = Failure::new(FailureClass::Unexpected, "the run of this host broke")
        .hint("this is a mistake in nix-deploy: please report it with the run's events.jsonl");
    if !said.is_empty() {
        failure = failure.cause(clean_line(&said));
    }
    HostReport { failure: Some(failure), ..known() }
}

/// What is known of a host whose run broke: what had begun there comes to its end
/// by itself, and nobody has looked at it.
fn broken_report(context: &HostContext) -> HostReport {
    let may_be_changed = context.activation().begun || context.reboot_asked.get().is_some();
    let outcome = if may_be_changed { HostOutcome::Unknown } else { HostOutcome::Failed };
    let facts = context.facts_if_known();
    HostReport {
        outcome,
        old: facts.and_then(|facts| facts.current_system.clone()),
        new: context.new_system().ok().cloned(),
        ..failed_report(Failure::new(FailureClass::Unexpected, ""))
    }
}

/// A host's run has ended, however: told to everybody who waits for it.
fn host_ended(run: &RunContext, order: &Order, name: &HostName, mut report: HostReport) -> HostReport {
    way_back::not_back(&run.spec, name, &mut report);
    run.undecided.strike(name);
    order.gate.leave(name);
    let committed = run.spec.resumed.as_ref().is_some_and(|resumed| resumed.committed.contains_key(name));
    let end = match End::of(&report) {
        // The run that is taken up had changed it, and it is well.
        End::Unchanged if committed => End::Changed,
        end => end,
    };
    // Told before the next wave can be.
    run.sink.send(Event::HostFinished { host: name.clone(), report: Box::new(report.clone()) });
    order.turns.ended(name, end);
    report
}

fn elapsed_ms(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The report of a host whose run could not even begin.
fn failed_report(failure: Failure) -> HostReport {
    HostReport {
        outcome: HostOutcome::Failed,
        elapsed_ms: 0,
        old: None,
        new: None,
        generation_before: None,
        ran_another: false,
        generation_after: None,
        changes: None,
        unit_plan: None,
        services: Vec::new(),
        steps: Vec::new(),
        recoveries: Vec::new(),
        warnings: Vec::new(),
        failure: Some(failure),
        truth: None,
        observed: None,
    }
}

/// The failure of a host whose run was stopped from here.
fn interrupted(run: &RunSpec, host: &HostName) -> Failure {
    let message = format!("the run was interrupted before {host} was changed");
    let failure = Failure::new(FailureClass::Interrupted, message);
    // Only a deploy of what the configuration describes is taken up.
    if run.goal == Goal::Configuration && !run.updates {
        failure.hint("to go on where it was: nix-deploy resume; or run the same command again")
    } else {
        failure.hint("run the same command again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::claims::{Claim, ClaimFuture};
    use crate::event::Message;
    use crate::model::{HostSpec, Share};

    struct Everybody;

    impl HostClaims for Everybody {
        fn claim<'a>(&'a self, _host: &'a HostName, _patience: std::time::Duration) -> ClaimFuture<'a> {
            Box::pin(std::future::ready(Claim::Granted))
        }
    }

    async fn breaks() -> HostReport {
        panic!("half a {}", "thought")
    }

    #[tokio::test]
    async fn a_host_whose_run_breaks_ends_for_everybody_who_waits_for_it() {
        let [a, b] = ["a", "b"].map(|name| HostName::new(name).unwrap());
        let host = |name: &HostName| HostSpec::with_defaults(name.clone());
        let mut spec = turns::tests::spec(vec![host(&a), host(&b)]);
        spec.hosts[1].depends_on = vec![a.clone()];
        spec.rollout.max_failures = Some(Share::Count(1));
        let (sink, mut messages) = EventSink::new(spec.id.clone());
        let (run, _requests) = RunContext::new(spec, sink.clone(), String::new(), None);
        let order = Order {
            gate: Gate::new(&run),
            turns: Arc::new(Turns::new(&run.spec, sink)),
            limits: Arc::new(Limits::new(&run.spec)),
            claims: Arc::new(Everybody),
            reboot_failed: Arc::default(),
        };
        let turn = order.turns.wait(&b);
        tokio::pin!(turn);
        assert!(turn.as_mut().now_or_never().is_none());
        let context = HostContext::new(Arc::clone(&run), run.spec.hosts[0].clone()).unwrap();
        let report = unbroken(breaks(), || broken_report(&context)).await;
        let report = host_ended(&run, &order, &a, report);
        assert_eq!(
            (report.outcome, report.failure_class()),
            (HostOutcome::Failed, Some(FailureClass::Unexpected))
        );
        assert_eq!(report.failure.unwrap().causes, ["half a thought"]);
        assert_eq!(turn.await.unwrap_err().message, "b was not started: a, which it depends on, failed");
        let Some(Message::Event(told)) = messages.recv().await else { panic!("nobody was told") };
        assert!(matches!(told.event, Event::HostFinished { host, .. } if host == a));
        // Where a supervisor may run, nobody knows what becomes of the host.
        context.update_activation(|activation| activation.begun = true);
        let report = unbroken(breaks(), || broken_report(&context)).await;
        assert_eq!(
            (report.outcome, report.failure_class()),
            (HostOutcome::Unknown, Some(FailureClass::HostNotWell))
        );
    }

    #[test]
    fn an_interrupted_deploy_names_the_way_to_go_on() {
        let host = HostName::new("a").unwrap();
        let mut spec = turns::tests::spec(vec![HostSpec::with_defaults(host.clone())]);
        let hints = interrupted(&spec, &host).hints;
        assert!(hints[0].contains("nix-deploy resume") && hints[0].contains("again"), "{hints:?}");
        spec.updates = true;
        assert_eq!(interrupted(&spec, &host).hints, ["run the same command again"]);
    }

    #[tokio::test]
    async fn shared_work_that_breaks_is_waited_for_by_nobody() {
        let results = crate::steps::shared::Results::<()>::new();
        let given_up = results.clone();
        guarded(async { panic!("half a thought") }, move || given_up.give_up()).await;
        assert!(results.get(&HostName::new("a").unwrap()).await.is_err());
    }
}
