//! `soak`: a host that was changed is watched for a while before others begin.
//! Units, health checks and network are looked at again and again, against the
//! same baseline as after the activation.
//!
//! The host has confirmed its new system by then: what is found here fails the
//! run and stops the rollout, and takes nothing back by itself.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use super::verify::{self, Findings};
use super::{Done, StepResult, step};
use crate::host::judge::Judge;
use crate::host::observe::{self, Look};
use crate::host::{HostError, Session};
use crate::model::text::{duration, plural};
use crate::model::{Failure, FailureClass, HostOutcome, StepId};

step!(Soak, StepId::Soak);

/// The pause between two looks: a twentieth of the time, within these bounds.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

async fn run(context: &HostContext) -> StepResult {
    let is_deployed = context.settled.get() == Some(&HostOutcome::Deployed) || context.rebooted.get().is_some();
    let Some(session) = context.proven_session().filter(|_| is_deployed) else {
        return Ok(Done::skipped("nothing was activated"));
    };
    if context.unwell.get().is_some() {
        return Ok(Done::skipped("the host is not well"));
    }
    let soak = context.run.spec.rollout.soak;
    let ends = Instant::now() + soak;
    let pause = (soak / 20).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let mut session = session.clone();
    let mut judge = None;
    let mut looks = 0;
    loop {
        let last = Instant::now() >= ends;
        let mut seen = look(context, &session, &mut judge).await;
        if let Err(error) = &seen {
            tracing::debug!(%error, "a look at a soaking host");
            // The connection may have gone while nothing was said.
            if let Ok(fresh) = context.link.fresh().await {
                session = fresh;
                seen = look(context, &session, &mut judge).await;
            }
        }
        match seen {
            Ok(findings) if findings.is_well() => looks += 1,
            Ok(findings) => {
                let failure = verify::failure(context, &session, &findings).await;
                return Ok(not_well(context, failure));
            }
            // A host that does not answer may do so again; the last look counts.
            Err(error) if last => return Ok(not_well(context, error.failure())),
            Err(_) => {}
        }
        if last {
            return Ok(Done::passed(format!("well for {}, {}", duration(soak), plural(looks, "look"))));
        }
        let left = ends.saturating_duration_since(Instant::now());
        context.progress(StepId::Soak, format!("watched for {} more", duration(left)));
        tokio::time::sleep(pause.min(left)).await;
    }
}

/// One look at everything that `verify` looks at. The first one also says from
/// where restarts of units are counted.
async fn look(
    context: &HostContext,
    session: &Session,
    judge: &mut Option<Judge>,
) -> Result<Findings, HostError> {
    let facts = context.facts_if_known();
    let Some(new) = context.new_system().ok() else { return Ok(Findings::default()) };
    let critical = &context.host.critical_services;
    let look = Look {
        old: facts.as_ref().and_then(|facts| facts.current_system.as_ref()),
        new,
        extra_units: critical,
        counted: None,
        timed: &[],
        files: false,
        hold: None,
    };
    let units = observe::sample(&context.link, session, look, context.command_deadline());
    let (sample, failed_checks, network) = tokio::join!(
        units,
        verify::run_checks(context, session),
        verify::network_problems(context, session, verify::ATTEMPTS)
    );
    let sample = sample?;
    let judge = judge.get_or_insert_with(|| Judge {
        baseline: facts.map(|facts| facts.baseline.clone()).unwrap_or_default(),
        first_sample: sample.units.clone(),
        critical: critical.iter().map(|unit| sample.aliases.get(unit).unwrap_or(unit).clone()).collect(),
        may_be_idle: sample.may_be_idle.clone(),
        ..Judge::default()
    });
    let judgement = judge.judge(&sample.units);
    judge.count_from(&sample.units);
    // What had been wrong before, `verify` has warned of.
    let known = |problem: &String| {
        let lists = [context.network_before.get(), context.network_after.get()];
        lists.into_iter().flatten().any(|problems| problems.contains(problem))
    };
    let network = match verify::network_wanted(context) {
        true => network?.into_iter().filter(|problem| !known(problem)).collect(),
        false => Vec::new(),
    };
    Ok(Findings { judgement, failed_checks, network, ..Findings::default() })
}

fn not_well(context: &HostContext, mut failure: Failure) -> Done {
    failure.class = FailureClass::HostNotWell;
    failure.message = format!("while it was watched: {}", failure.message);
    let host = context.name();
    let failure = failure
        .hint(format!("the new system stays; to take it back: nix-deploy rollback {host}"))
        .hint("--rollback-fleet takes back every host of a run that fails");
    // The plan runs this step once per host.
    let _ = context.unwell.set(failure);
    Done::warned("not well")
}
