//! `settle`: whatever happened, the host comes to an end, and what is reported
//! is what is there: running system, profile, supervisor, units. Runs always
//! once a supervisor may have been started.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use super::way::Way;
use super::{Done, StepResult, build, step, taken_up, verify};
use crate::host::judge::Ailing;
use crate::host::observe::{self, Look};
use crate::host::supervisor::{self, Standing, Until, Word};
use crate::host::{HostError, Session};
use crate::model::{
    Action, ActivationPhase, Failure, FailureClass, HostFacts, HostOutcome, StepId, StorePath, Truth, UnitPlan,
};

step!(Settle, StepId::Settle);

/// How long one wait for the end lasts; then it is asked anew.
const ONE_WAIT: Duration = Duration::from_secs(20);
/// What the host may take beyond its own deadlines before we give up on it.
const GRACE: Duration = Duration::from_secs(60);

async fn run(context: &HostContext) -> StepResult {
    let ended = end(context).await;
    note_intentions(context);
    ended
}

async fn end(context: &HostContext) -> StepResult {
    let facts = context.facts()?;
    let new = context.new_system()?;
    if context.taken_up.get().is_some() {
        return taken_up::settle(context, new).await;
    }
    // A commit that was heard to its end has brought the truth along.
    if let Some(truth) = context.truth.get()
        && outcome(context.run.spec.action, &facts, new, truth) == HostOutcome::Deployed
    {
        // The plan runs this step once per host.
        let _ = context.settled.set(HostOutcome::Deployed);
        build::remember_seen(&context.run, context.name(), new);
        return Ok(Done::passed(""));
    }
    let mut way = Way::for_settling(context).await;
    let brought = bring_to_end(context, &mut way).await;
    let session = match (brought, way.session()) {
        (Ok(()), Some(session)) => session.clone(),
        (Err(error), _) => return Err(unknown(context, &error)),
        (Ok(()), None) => return Err(unknown(context, &no_way(context))),
    };
    let truth = match context.truth.get() {
        Some(truth) => truth.clone(),
        None => {
            let run = context.run.spec.id.as_str();
            supervisor::truth(&context.link, &session, run, true, context.command_deadline())
                .await
                .map_err(|error| unknown(context, &error))?
        }
    };
    let outcome = outcome(context.run.spec.action, &facts, new, &truth);
    if let Some(system) = &truth.current_system {
        build::remember_seen(&context.run, context.name(), system);
    }
    if outcome == HostOutcome::RolledBack && truth.boot_id != facts.boot_id {
        context.warn("the host was rebooted before the commit, and booted its old system", None);
    }
    // The plan runs this step once per host.
    let _ = context.truth.set(truth.clone());
    let _ = context.settled.set(outcome);
    match outcome {
        HostOutcome::RolledBack => well_again(context, &session, &facts, new).await,
        HostOutcome::Unknown | HostOutcome::RollbackFailed => Err(not_well(context, &facts, &truth)),
        _ => Ok(Done::passed("")),
    }
}

/// Where nobody could look at the changed host, the report has what was to become of its units.
fn note_intentions(context: &HostContext) {
    let heard = context.activation().state.map(|state| state.phase);
    let known = context.truth.get().and_then(|truth| truth.state.as_ref()).map(|state| state.phase);
    let untouched = matches!(known.or(heard), Some(ActivationPhase::Refused | ActivationPhase::BootOnly));
    if untouched || !context.services().is_empty() {
        return;
    }
    let plan = context.preview.get().and_then(|preview| preview.plan.as_ref());
    for (unit, what) in plan.map(UnitPlan::intentions).unwrap_or_default() {
        context.service(unit, what);
    }
}

fn no_way(context: &HostContext) -> HostError {
    HostError::Lost { address: context.name().to_string(), detail: String::new() }
}

/// Waits for the supervisor's end. Without a confirmation it is told to take
/// the change back; when it cannot be told, it does so by itself.
async fn bring_to_end(context: &HostContext, way: &mut Way) -> Result<(), HostError> {
    let activation = context.activation();
    if activation.state.is_some_and(|state| state.phase.is_final()) && way.session().is_some() {
        return Ok(());
    }
    let word = (!activation.confirmed).then_some(Word::Rollback);
    // Activation and rollback each have their time, and the rollback may wait for a lock.
    let policy = &context.host.rollback;
    let longest = context.host.timeouts.lock + policy.confirm_timeout + policy.activation_timeout * 2 + GRACE;
    let ends = Instant::now() + longest;
    loop {
        match way.wait(context, Until::Final, word, ONE_WAIT).await? {
            Standing::At(state) => {
                context.update_activation(|activation| activation.state = Some(state.clone()));
                if state.phase.is_final() {
                    return Ok(());
                }
                if Instant::now() >= ends {
                    return Ok(());
                }
                context.progress(StepId::Settle, state.reason);
            }
            // Rebooted, or dead: the truth says where that left the host.
            Standing::Dead(_) | Standing::Gone => return Ok(()),
        }
    }
}

/// What the host's state amounts to.
fn outcome(action: Action, facts: &HostFacts, new: &StorePath, truth: &Truth) -> HostOutcome {
    let phase = truth.state.as_ref().map(|state| state.phase);
    let runs = |path: Option<&StorePath>| path.is_some() && truth.current_system.as_ref() == path;
    let boots = |path: Option<&StorePath>| path.is_some() && truth.profile.as_ref() == path;
    if truth.supervisor_alive {
        return HostOutcome::Unknown;
    }
    match phase {
        Some(ActivationPhase::Committed) if runs(Some(new)) && boots(Some(new)) => {
            return HostOutcome::Deployed;
        }
        Some(ActivationPhase::Kept) if action == Action::Test && runs(Some(new)) => {
            return HostOutcome::Deployed;
        }
        Some(ActivationPhase::BootOnly) if boots(Some(new)) => return HostOutcome::RebootRequired,
        Some(ActivationPhase::RollbackFailed) => return HostOutcome::RollbackFailed,
        _ => {}
    }
    // A supervisor that died on the way has left the old system as it was then: units that
    // it had stopped are down.
    let died_on_the_way = matches!(
        phase,
        Some(ActivationPhase::Activating | ActivationPhase::Activated | ActivationPhase::RollingBack)
    );
    if runs(facts.current_system.as_ref()) && boots(facts.profile.as_ref()) && !died_on_the_way {
        return HostOutcome::RolledBack;
    }
    // The supervisor touched nothing: what is different is somebody else's work.
    if phase == Some(ActivationPhase::Refused) {
        return HostOutcome::Failed;
    }
    // A reboot before the commit: the boot default is the old system.
    let booted_old = runs(facts.profile.as_ref()) && boots(facts.profile.as_ref());
    if phase.is_none() && truth.boot_id != facts.boot_id && booted_old {
        return HostOutcome::RolledBack;
    }
    HostOutcome::Unknown
}

/// After a rollback the host is verified like after a deploy.
async fn well_again(
    context: &HostContext,
    session: &Session,
    facts: &HostFacts,
    new: &StorePath,
) -> StepResult {
    let look = Look {
        old: Some(new),
        new: facts.current_system.as_ref().unwrap_or(new),
        extra_units: &context.host.critical_services,
        counted: Some(&[]),
        timed: &[],
        files: true,
        hold: None,
    };
    let ends = Instant::now() + verify::START_GRACE;
    let (sample, judgement) = loop {
        let sample = observe::sample(&context.link, session, look, context.command_deadline())
            .await
            .map_err(|error| unknown(context, &error))?;
        let mut judge = verify::judge_for(context, facts, &sample);
        // What did not run before cannot be missed.
        judge.critical.retain(|unit| facts.baseline.get(unit).is_some_and(|before| before.active == "active"));
        let judgement = judge.judge(&sample.units);
        match judgement.pending.first() {
            Some(unit) if Instant::now() < ends => {
                context.progress(StepId::Settle, format!("waiting for {unit} to start"));
                tokio::time::sleep(verify::INTERVAL).await;
            }
            _ => break (sample, judgement),
        }
    };
    let late = judgement
        .pending
        .iter()
        .map(|unit| Ailing { unit: unit.clone(), why: "critical service did not start in time".to_owned() });
    let ailing: Vec<Ailing> = judgement.ailing.iter().cloned().chain(late).collect();
    // What ran before, also what was started by hand, is missed.
    let ended = judgement.idle.iter().filter(|unit| !judgement.on_demand.contains(unit));
    let ended = ended.chain(&judgement.not_ready).filter(|unit| verify::is_on(unit, &sample));
    verify::note_ended(context, ended);
    let back = match facts.generation {
        Some(generation) => format!("back on generation {generation}"),
        None => "back on the old system".to_owned(),
    };
    if ailing.is_empty() {
        return Ok(Done::passed(back));
    }
    let units: Vec<&str> = ailing.iter().map(|ailing| ailing.unit.as_str()).collect();
    Err(Failure::new(
        FailureClass::HostNotWell,
        format!("{back}, but units that were well before are not: {}", units.join(", ")),
    )
    .hint(format!("on the host: systemctl status {}", units.join(" "))))
}

fn unknown(context: &HostContext, error: &HostError) -> Failure {
    let cause = error.failure();
    let mut failure = Failure::new(
        FailureClass::HostNotWell,
        format!("where {} stands is not known: it cannot be asked", context.name()),
    )
    .cause(cause.message);
    failure.causes.extend(cause.causes);
    failure
        .hint("the host ends on the confirmed new system or on its old one by itself; run the same command again when it answers")
        .hint("at its console: systemctl list-units 'nix-deploy-*'; readlink /run/current-system")
}

fn not_well(context: &HostContext, facts: &HostFacts, truth: &Truth) -> Failure {
    let text = |path: &Option<StorePath>| path.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    let reason =
        truth.state.as_ref().map_or("the supervisor left no state".to_owned(), |state| state.reason.clone());
    let mut failure =
        Failure::new(FailureClass::HostNotWell, format!("{} could not be brought back", context.name()))
            .cause(reason)
            .cause(format!("it runs {} and boots {}", text(&truth.current_system), text(&truth.profile)));
    if truth.state.is_none() && truth.current_system == facts.current_system {
        // The power went after the profile was set, and before the boot loader was.
        return failure
            .hint("it was rebooted in the commit; run the same command again: that ends what was begun");
    }
    if let Some(old) = &facts.current_system {
        failure = failure.hint(format!(
            "by hand, as root on the host: NIXOS_NO_CHECK=1 {old}/bin/switch-to-configuration test"
        ));
    }
    failure.hint(context.journal_hint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActivationState;

    const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-old";
    const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-new";

    fn path(text: &str) -> StorePath {
        StorePath::new(text).unwrap()
    }

    fn facts() -> HostFacts {
        let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1",
            "hostname": "p", "systemd": true, "machine": "x86_64",
            "trusted": true, "baseline": {}, "orphans": []
        }))
        .unwrap();
        facts.current_system = Some(path(OLD));
        facts.profile = Some(path(OLD));
        facts
    }

    fn truth(current: &str, profile: &str, phase: Option<ActivationPhase>) -> Truth {
        Truth {
            current_system: Some(path(current)),
            profile: Some(path(profile)),
            generation: Some(1),
            state: phase.map(|phase| ActivationState {
                phase,
                exit_code: Some(0),
                reason: String::new(),
                activation_ms: None,
            }),
            supervisor_alive: false,
            boot_id: "b1".to_owned(),
        }
    }

    fn judged(action: Action, truth: &Truth) -> HostOutcome {
        outcome(action, &facts(), &path(NEW), truth)
    }

    #[test]
    fn only_a_committed_running_and_booting_system_is_deployed() {
        use ActivationPhase::{Activated, BootOnly, Committed, Kept, RolledBack};
        let cases = [
            (Action::Switch, truth(NEW, NEW, Some(Committed)), HostOutcome::Deployed),
            (Action::Switch, truth(NEW, OLD, Some(Committed)), HostOutcome::Unknown),
            (Action::Switch, truth(OLD, NEW, Some(Committed)), HostOutcome::Unknown),
            (Action::Switch, truth(NEW, OLD, Some(Activated)), HostOutcome::Unknown),
            (Action::Switch, truth(NEW, OLD, None), HostOutcome::Unknown),
            (Action::Switch, truth(OLD, OLD, Some(RolledBack)), HostOutcome::RolledBack),
            (Action::Switch, truth(NEW, OLD, Some(RolledBack)), HostOutcome::Unknown),
            (Action::Test, truth(NEW, OLD, Some(Kept)), HostOutcome::Deployed),
            (Action::Boot, truth(OLD, NEW, Some(BootOnly)), HostOutcome::RebootRequired),
            (Action::Boot, truth(OLD, OLD, Some(BootOnly)), HostOutcome::RolledBack),
        ];
        for (action, truth, expected) in cases {
            assert_eq!(judged(action, &truth), expected, "{action} {truth:?}");
        }
    }

    #[test]
    fn a_refused_activation_is_not_blamed_for_what_somebody_else_changed() {
        const OTHER: &str = "/nix/store/22222222222222222222222222222222-nixos-system-other";
        let refused = Some(ActivationPhase::Refused);
        for path in [OTHER, NEW] {
            assert_eq!(judged(Action::Switch, &truth(path, path, refused)), HostOutcome::Failed);
        }
        assert_eq!(judged(Action::Switch, &truth(OLD, OLD, refused)), HostOutcome::RolledBack);
    }

    #[test]
    fn a_supervisor_that_still_runs_leaves_the_outcome_open() {
        let mut truth = truth(NEW, NEW, Some(ActivationPhase::Committed));
        truth.supervisor_alive = true;
        assert_eq!(judged(Action::Switch, &truth), HostOutcome::Unknown);
    }

    #[test]
    fn a_reboot_in_the_commit_is_none() {
        // The profile was set, and the boot loader was not.
        let mut after = truth(OLD, NEW, None);
        after.boot_id = "b2".to_owned();
        assert_eq!(judged(Action::Switch, &after), HostOutcome::Unknown);
    }

    #[test]
    fn a_reboot_before_the_commit_is_a_rollback() {
        let mut after = truth(OLD, OLD, None);
        after.boot_id = "b2".to_owned();
        assert_eq!(judged(Action::Switch, &after), HostOutcome::RolledBack);
    }
}
