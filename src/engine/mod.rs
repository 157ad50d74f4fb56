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

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::task::JoinSet;

pub(crate) use interrupt::Interrupt;

use crate::event::{Event, EventSink};
use crate::exit::{self, ExitCode};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, HostName, HostOutcome, HostReport, RunSpec, Secret};
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
        reboot: spec.reboot,
        allow: spec.lint.allow.clone(),
        canaries: spec.canaries.clone(),
        updates: spec.updates,
        resumes: spec.resumed.as_ref().map(|resumed| resumed.run.clone()),
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
        shared.spawn(crate::steps::evaluate_all(Arc::clone(&run)));
        shared.spawn(crate::steps::serve_builds(Arc::clone(&run), requests));
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
            let mut report = match HostContext::new(Arc::clone(&run), host) {
                Ok(context) => host_run::run(Arc::new(context), order.clone(), interrupt).await,
                Err(error) => failed_report(error.failure()),
            };
            way_back::not_back(&run.spec, &name, &mut report);
            run.undecided.strike(&name);
            order.gate.leave(&name);
            let end = End::of(&report);
            // Told before the next wave can be.
            run.sink.send(Event::HostFinished { host: name.clone(), report: Box::new(report.clone()) });
            order.turns.ended(&name, end);
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
fn interrupted(host: &HostName) -> Failure {
    Failure::new(FailureClass::Interrupted, format!("the run was interrupted before {host} was changed"))
}
