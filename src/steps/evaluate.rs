//! `evaluate`: one evaluation for all hosts; each host waits for its part.

use std::sync::Arc;

use super::context::{HostContext, RunContext};
use super::{Done, StepResult, build, git, nix_words, recover, step};
use crate::event::Event;
use crate::model::text::plural;
use crate::model::{Failure, FailureClass, HostName, HostSpec, Recovery, RecoveryKind, Resumed, StepId};
use crate::nix::{Ask, ChunkPolicy, EvalError, EvalRequest, Evaluated, NixProgress, Shrunk};

step!(Evaluate, StepId::Evaluate);

async fn run(context: &HostContext) -> StepResult {
    let evaluated = context.run.evaluation.get(context.name()).await?;
    context.send(Event::Evaluated {
        host: context.name().clone(),
        drv_path: evaluated.drv_path.clone(),
        out_path: evaluated.out_path.clone(),
    });
    let summary =
        if context.run.spec.resumed.as_ref().is_some_and(|run| run.systems.contains_key(context.name())) {
            "as the interrupted run did".to_owned()
        } else if context.run.spec.hosts.len() > 1 {
            format!("with {} hosts", context.run.spec.hosts.len())
        } else {
            String::new()
        };
    // The plan runs this step once per host.
    let _ = context.evaluated.set(evaluated);
    Ok(Done::passed(summary))
}

/// Evaluates all hosts of the run and hands each its result.
pub(crate) async fn evaluate_all(run: Arc<RunContext>) {
    let spec = &run.spec;
    let pinned = pinned(&run);
    let is_open = |host: &&HostSpec| pinned.is_none_or(|pinned| !pinned.systems.contains_key(&host.name));
    let hosts: Vec<&HostSpec> = spec.hosts.iter().filter(is_open).collect();
    if hosts.is_empty() {
        return;
    }
    let deadline = spec.hosts.iter().map(|host| host.timeouts.evaluate).max().unwrap_or_default();
    let log_file = spec.run_dir.join("evaluate.log");
    let mut request = EvalRequest {
        flake: &spec.flake,
        flake_dir: spec.flake_dir.as_deref(),
        attributes: hosts.iter().map(|host| (host.name.clone(), host.attribute.clone())).collect(),
        deadline,
        log_file: &log_file,
        ask: if crate::steps::is_audited(spec) { Ask::PathsAndSettings } else { Ask::Paths },
        chunks: ChunkPolicy::of_this_machine(),
        lock: None,
    };
    let progress = |progress: NixProgress| {
        for host in &hosts {
            run.sink.send(nix_words::progress_event(&progress, &host.name, StepId::Evaluate));
        }
    };
    let on_shrunk = |shrunk: Shrunk| tell_shrunk(&run, &shrunk);
    let is_full = |result: &Result<_, EvalError>| result.as_ref().is_err_and(EvalError::is_full_disk);
    let mut answers = run.nix.evaluate_telling(&request, &progress, &on_shrunk).await;
    let full = answers.iter().filter(|(_, result)| is_full(result)).map(|(host, _)| host.clone());
    let full: Vec<HostName> = full.collect();
    if !full.is_empty() {
        let derivations = answers.values().flatten().map(|evaluated| evaluated.drv_path.clone()).collect();
        let step = StepId::Evaluate;
        if recover::building::make_room_here(&run, &full, step, &derivations).await {
            request.attributes.retain(|(host, _)| full.contains(host));
            answers.extend(run.nix.evaluate_telling(&request, &progress, &on_shrunk).await);
        }
    }
    let advice = match answers.values().any(is_full) {
        true => recover::building::advice(&run, recover::building::Place::Here).await,
        false => None,
    };
    for (host, result) in answers {
        let result = match result {
            Ok(evaluated) => Ok(evaluated),
            Err(error) => {
                // The classic trap: Nix sees only files that git tracks.
                let untracked =
                    git::source(&run).await.map(|source| source.untracked.as_slice()).unwrap_or_default();
                let advice = advice.as_ref().filter(|_| error.is_full_disk());
                let failure = nix_words::evaluation_failure(&error.with_untracked(untracked));
                Err(recover::building::advised(failure, &format!("{host} cannot be evaluated"), advice))
            }
        };
        if let (Ok(evaluated), Some(spec)) = (&result, spec.hosts.iter().find(|spec| spec.name == host)) {
            build::head_start(&run, spec, evaluated);
        }
        run.evaluation.put(host, result);
    }
}

/// Says that memory was too small for so many hosts at once.
fn tell_shrunk(run: &RunContext, shrunk: &Shrunk) {
    let count = shrunk.hosts.len();
    let why = format!("memory ran out in the evaluation of {}", plural(count, "host"));
    let again = match (count, shrunk.at_once) {
        (1, _) => "evaluated again with nothing beside it".to_owned(),
        (_, 1) => "evaluated again one by one".to_owned(),
        (_, at_once) => format!("evaluated again, {at_once} at once"),
    };
    let recovery = match shrunk.fits {
        true => Recovery::helped(RecoveryKind::FewerHosts, why, again),
        false => Recovery::in_vain(RecoveryKind::FewerHosts, why, format!("{again}: memory ran out again")),
    };
    recover::tell(run, &shrunk.hosts, StepId::Evaluate, recovery);
}

/// Hands hosts what the run that is taken up had evaluated for them.
fn pinned(run: &RunContext) -> Option<&Resumed> {
    let resumed = run.spec.resumed.as_ref()?;
    for host in &run.spec.hosts {
        let Some(system) = resumed.systems.get(&host.name) else { continue };
        let is_there = std::path::Path::new(system.drv_path.as_str()).exists();
        let evaluated = Evaluated {
            drv_path: system.drv_path.clone(),
            out_path: system.out_path.clone(),
            system: None,
            settings: None,
        };
        let result = match is_there {
            true => {
                build::head_start(run, host, &evaluated);
                Ok(evaluated)
            }
            false => Err(Failure::new(
                FailureClass::Build,
                format!("what run {} evaluated for {} is no longer in the store", resumed.run, host.name),
            )
            .cause(format!("garbage collection has removed {}", system.drv_path))
            .hint("deploy anew; hosts that are unchanged cost nothing")),
        };
        run.evaluation.put(host.name.clone(), result);
    }
    Some(resumed)
}
