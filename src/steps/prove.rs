//! `prove`: a login and an elevation over a connection that shares nothing with
//! the one before the switch, and the first look at the units.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use super::{Done, StepResult, lease, step};
use crate::host::observe::{self, Look};
use crate::host::{HostError, Session};
use crate::model::{Action, Failure, FailureClass, StepId, UnitPlan};

step!(Prove, StepId::Prove);

/// The pause between logins that fail: see `way.rs`.
const PAUSE: Duration = Duration::from_secs(2);
/// A refused login is tried so often: sshd may be restarting with its keys.
const REFUSALS: u32 = 3;

async fn run(context: &HostContext) -> StepResult {
    let activation = context.activation();
    let Some(activated_at) = activation.activated_at else {
        return Ok(Done::skipped("nothing was activated"));
    };
    // The rest of the confirmation time is for the host to hear the word.
    let until = activated_at + context.host.rollback.confirm_timeout * 2 / 3;
    let mut refusals = 0;
    loop {
        let error = match attempt(context).await {
            Ok(session) => {
                // The plan runs this step once per host.
                let _ = context.proof.set(session);
                return Ok(Done::passed(""));
            }
            Err(error) => error,
        };
        if matches!(error, HostError::LoginRefused { .. } | HostError::Elevation { .. }) {
            refusals += 1;
        }
        if refusals >= REFUSALS
            || matches!(error, HostError::HostKeyChanged { .. } | HostError::Answer { .. })
            || Instant::now() + PAUSE >= until
        {
            return Err(failure(context, &error));
        }
        context.progress(StepId::Prove, format!("{error}; trying again"));
        tokio::time::sleep(PAUSE).await;
    }
}

/// One login, one elevation, one look.
async fn attempt(context: &HostContext) -> Result<Session, HostError> {
    let session = context.link.fresh().await?;
    let answer =
        |detail: &str| HostError::Answer { address: context.name().to_string(), detail: detail.to_owned() };
    let (Some(facts), Ok(new)) = (context.facts_if_known(), context.new_system()) else {
        return Err(answer("nothing is known of the host"));
    };
    let plan = context.preview.get().and_then(|preview| preview.plan.as_ref());
    let counted = counted(context.host.timeouts.settle, plan);
    let timed = timed(counted.as_deref(), plan);
    let look = Look {
        old: facts.current_system.as_ref(),
        new,
        extra_units: &context.host.critical_services,
        counted: counted.as_deref(),
        timed: &timed,
        files: true,
        hold: Some((context.run.spec.id.as_str(), lease::time(context))),
    };
    let sample = observe::sample(&context.link, &session, look, context.command_deadline()).await?;
    if sample.uid != Some(0) {
        return Err(HostError::Elevation {
            address: context.name().to_string(),
            detail: "the elevated command did not run as root".to_owned(),
        });
    }
    if sample.boot_id != facts.boot_id {
        return Err(answer("the host was rebooted during the activation"));
    }
    if sample.current_system.as_ref() != Some(new) {
        return Err(answer("the host went back by itself before a login came about"));
    }
    // An earlier attempt may have got so far: the first look counts.
    let _ = context.first_sample.set(sample);
    Ok(session)
}

/// The units whose restarts the first look counts; `None` is all of them. With a
/// settle window every restart in it has to be seen, from its beginning on. Without
/// one hardly any look follows that could be compared with the first.
fn counted(settle: Duration, plan: Option<&UnitPlan>) -> Option<Vec<String>> {
    plan.filter(|_| settle.is_zero()).map(UnitPlan::touched)
}

/// The services whose start is timed: those that the switch has started, unless they are
/// asked for already.
fn timed(counted: Option<&[String]>, plan: Option<&UnitPlan>) -> Vec<String> {
    let plan = plan.filter(|_| counted.is_none());
    let started = plan.into_iter().flat_map(|plan| plan.restart.iter().chain(&plan.start));
    started.filter(|unit| unit.ends_with(".service")).cloned().collect()
}

/// Why nobody could confirm the new system.
pub(super) fn failure(context: &HostContext, error: &HostError) -> Failure {
    let what = match error {
        HostError::Elevation { .. } => "the user can no longer become root under the new system",
        HostError::LoginRefused { .. } => "the user can no longer log in under the new system",
        HostError::HostKeyChanged { .. } => "the host shows another host key under the new system",
        _ => "no new login came about under the new system",
    };
    let mut failure = Failure::new(FailureClass::RolledBack, what);
    if let HostError::Answer { detail, .. } = error {
        failure = failure.cause(detail.clone());
    } else {
        let cause = error.failure();
        failure = failure.cause(cause.message);
        failure.causes.extend(cause.causes);
    }
    if context.run.spec.action == Action::Switch {
        failure = failure.hint("look at openssh, users, sudo and firewall settings that this change touches");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_of_every_unit_are_counted_from_the_beginning_of_a_settle_window() {
        let plan = UnitPlan { restart: vec!["web.service".to_owned()], ..UnitPlan::default() };
        for settle in [Duration::from_millis(1), Duration::from_secs(1), Duration::from_secs(5)] {
            assert_eq!(counted(settle, Some(&plan)), None, "{settle:?}");
        }
        assert_eq!(counted(Duration::ZERO, Some(&plan)), Some(vec!["web.service".to_owned()]));
        assert_eq!(counted(Duration::ZERO, None), None);
    }

    #[test]
    fn the_start_of_each_service_is_timed_once() {
        let start = vec!["web.socket".to_owned(), "db.service".to_owned()];
        let plan = UnitPlan { restart: vec!["web.service".to_owned()], start, ..UnitPlan::default() };
        assert_eq!(timed(None, Some(&plan)), ["web.service", "db.service"]);
        assert!(timed(Some(&plan.touched()), Some(&plan)).is_empty());
        assert!(timed(None, None).is_empty());
    }
}
