//! `reboot`: reboots a host that needs it to run the new system wholly, waits
//! until it is up again, and proves it as after an activation. Planned only
//! with `--reboot`.
//!
//! The supervisor has ended, and the new system is the boot default. With
//! systemd-boot its entry is tried once, and the default is the old one until the
//! new system is proven: a host that does not come up goes back by itself. A record on
//! the host tells later runs of a trial that was not ended. With
//! other boot loaders there is no way back from here, and whatever goes wrong is
//! a failure that says so.

use std::time::Duration;

use tokio::time::Instant;

use super::context::{HostContext, Rebooted};
use super::verify::{self, Watch};
use super::{Done, StepResult, changes, step, taken_up};
use crate::host::boot_trial::{self, Answer, End, Systems};
use crate::host::judge::Judge;
use crate::host::observe::{self, Look};
use crate::host::{HostError, Session, reboot, supervisor};
use crate::model::Reboot::Always;
use crate::model::text::{duration, plural};
use crate::model::{Committed, Failure, FailureClass, HostFacts, HostOutcome, StepId, StorePath, Truth};

step!(Reboot, StepId::Reboot);

/// The pause between logins that fail: see `way.rs`.
const PAUSE: Duration = Duration::from_secs(2);
/// A host that is going down may take a login and never answer.
const ONE_LOOK: Duration = Duration::from_secs(15);
/// How long the boot's own jobs are waited for once a login works; what has not
/// started then is judged as it is.
const BOOT_JOBS: Duration = Duration::from_secs(60);

async fn run(context: &HostContext) -> StepResult {
    let facts = context.facts()?;
    if context.unwell.get().is_some() {
        return Ok(Done::skipped("the host is not well"));
    }
    if !is_needed(context, &facts) {
        return Ok(Done::skipped("not needed"));
    }
    if context.host.is_local() {
        context.warn("nix-deploy does not reboot the machine it runs on", None);
        return Ok(Done::skipped("this machine"));
    }
    let before = boot_before(context, &facts);
    // An interrupted run may have told the host, and not seen it come up.
    let seen = context.truth.get().map_or(&facts.boot_id, |truth| &truth.boot_id);
    let is_told = context.taken_up.get().is_some_and(|committed| taken_up::is_rebooted(committed, seen));
    if !is_told {
        tell(context, &facts).await?;
    }
    let _ = context.reboot_asked.set(());
    let asked_at = Instant::now();
    let (session, truth) = wait_for_boot(context, asked_at, &before).await?;
    let up_after = asked_at.elapsed();
    if is_told {
        take_over_trial(context, &facts, &session).await.map_err(|error| not_up(context, &error))?;
    }
    if let Some(old) = fell_back(context, &facts, &truth) {
        return Err(back_on_old(context, &facts, old, session).await);
    }
    let rebooted =
        context.rebooted.get_or_init(|| Rebooted { session, truth, running_units: Default::default() });
    let new = context.new_system()?;
    runs(context, new, &rebooted.truth)?;
    let running = prove(context, &facts, new, &rebooted.session).await?;
    end_trial(context, &facts, &rebooted.session, End::Keep).await;
    // The plan runs this step once per host.
    let _ = rebooted.running_units.set(running);
    Ok(Done::passed(match is_told {
        true => format!("up since the interrupted run, {}", plural(running, "unit")),
        false => format!("up after {}, {}", duration(up_after), plural(running, "unit")),
    }))
}

/// Tells the host to reboot.
async fn tell(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    let session = match context.proof.get() {
        Some(proof) if proof.is_alive().await => proof.clone(),
        _ => context.link.fresh().await.map_err(|error| not_told(context, &error))?,
    };
    try_once(context, facts, &session).await.map_err(|error| not_told(context, &error))?;
    let _ = context.reboot_asked.set(());
    if let Err(error) = reboot::ask(&context.link, &session, context.command_deadline()).await {
        end_trial(context, facts, &session, End::Withdraw).await;
        return Err(not_told(context, &error));
    }
    // No connection of before outlives it.
    drop(session);
    context.link.drop_master().await;
    Ok(())
}

/// What the host ran before it was changed.
fn old_system<'a>(context: &'a HostContext, facts: &'a HostFacts) -> Option<&'a StorePath> {
    match context.taken_up.get() {
        Some(committed) => committed.old.as_ref(),
        None => facts.current_system.as_ref(),
    }
}

/// Whether this host will be told to reboot.
pub(crate) fn will_reboot(context: &HostContext) -> bool {
    let facts = context.facts_if_known();
    context.unwell.get().is_none()
        && !context.host.is_local()
        && facts.is_some_and(|facts| is_needed(context, &facts))
}

/// Whether a reboot is asked for that changes what runs, or any.
fn is_needed(context: &HostContext, facts: &HostFacts) -> bool {
    match context.settled.get() {
        Some(HostOutcome::RebootRequired) => true,
        Some(HostOutcome::Deployed) if context.run.spec.reboot == Always => true,
        Some(HostOutcome::Deployed) => {
            let known = context.changes.get().is_some_and(|changes| changes.reboot_needed);
            let seen = context.truth.get().map_or(&facts.boot_id, |truth| &truth.boot_id);
            let is_owed =
                |committed: &Committed| committed.reboot_needed || taken_up::is_rebooted(committed, seen);
            let known = known || context.taken_up.get().is_some_and(is_owed);
            known || changes::reboot(context, facts).0
        }
        _ => false,
    }
}

/// Has the new system's boot entry tried once, where the boot loader can do that.
async fn try_once(context: &HostContext, facts: &HostFacts, session: &Session) -> Result<(), HostError> {
    let (Some(old), Ok(new)) = (old_system(context, facts), context.new_system()) else { return Ok(()) };
    let systems = Systems { new, old };
    let by = (&context.run.spec.id, context.run.owner.as_str());
    let answer = boot_trial::begin(&context.link, session, systems, by, context.command_deadline()).await?;
    match answer {
        Answer::Trial(trial) => {
            context.progress(StepId::Reboot, format!("{} is tried once", trial.new));
            // The plan runs this step once per host.
            let _ = context.trial.set(trial);
        }
        Answer::Refused => {
            let message =
                "systemd-boot could not be told to try the new system once; it is rebooted without a way back";
            context.warn(message, Some("on the host: bootctl status".to_owned()));
        }
        Answer::None => {}
    }
    Ok(())
}

/// The interrupted run may have tried the new entry: its end is up to this one.
async fn take_over_trial(context: &HostContext, facts: &HostFacts, session: &Session) -> Result<(), HostError> {
    let (Some(old), Ok(new)) = (old_system(context, facts), context.new_system()) else { return Ok(()) };
    let systems = Systems { new, old };
    let trial = boot_trial::left(&context.link, session, systems, context.command_deadline()).await?;
    if let Some(trial) = trial {
        // The plan runs this step once per host.
        let _ = context.trial.set(trial);
    }
    Ok(())
}

/// Ends the trial, if there is one; says what a person has to do when it cannot be.
async fn end_trial(context: &HostContext, facts: &HostFacts, session: &Session, end: End) {
    let (Some(trial), Some(old), Ok(new)) =
        (context.trial.get(), old_system(context, facts), context.new_system())
    else {
        return;
    };
    let systems = Systems { new, old };
    let ended = boot_trial::end(&context.link, session, (trial, end), systems, context.command_deadline());
    if let Err(error) = ended.await {
        let message = format!("the boot loader still has {} as its default: {error}", trial.old);
        context.warn(message, Some("on the host, as root: bootctl set-default ''".to_owned()));
    }
}

/// The old system, when the boot loader went back to it after the trial.
fn fell_back<'a>(context: &'a HostContext, facts: &'a HostFacts, truth: &Truth) -> Option<&'a StorePath> {
    let old = old_system(context, facts).filter(|_| context.trial.get().is_some())?;
    (truth.current_system.as_ref() == Some(old)).then_some(old)
}

/// The host is up with its old system: profile and boot loader follow, and it is
/// looked at as after any rollback.
async fn back_on_old(context: &HostContext, facts: &HostFacts, old: &StorePath, session: Session) -> Failure {
    let message = format!(
        "{} did not come up with the new system: the boot loader went back to the old one",
        context.name()
    );
    let failure = |class| Failure::new(class, message.clone());
    end_trial(context, facts, &session, End::Undo).await;
    let run = context.run.spec.id.as_str();
    let truth = supervisor::truth(&context.link, &session, run, false, context.command_deadline()).await;
    let truth = match truth {
        Ok(truth) => truth,
        Err(error) => return failure(FailureClass::HostNotWell).cause(error.to_string()),
    };
    let boots_old = truth.profile.as_ref() == Some(old);
    let rebooted =
        context.rebooted.get_or_init(|| Rebooted { session, truth, running_units: Default::default() });
    if !boots_old {
        return failure(FailureClass::HostNotWell)
            .cause("the system profile could not be put back")
            .hint(format!("on the host, as root: nix-env -p /nix/var/nix/profiles/system --set {old}"));
    }
    match prove(context, facts, old, &rebooted.session).await {
        Ok(_) => {
            let _ = context.fell_back.set(());
            failure(FailureClass::RolledBack)
                .hint("what the new system said is in its journal, if it came so far: journalctl -b -1")
                .hint("its boot entry is still in the menu at the console")
        }
        Err(unwell) => failure(FailureClass::HostNotWell).cause(unwell.message),
    }
}

/// The boot that has to end, as it was last seen; where an interrupted run has
/// changed the host, that in which it did.
fn boot_before(context: &HostContext, facts: &HostFacts) -> String {
    if let Some(committed) = context.taken_up.get().filter(|committed| !committed.boot_id.is_empty()) {
        return committed.boot_id.clone();
    }
    context.truth.get().map_or_else(|| facts.boot_id.clone(), |truth| truth.boot_id.clone())
}

/// Logs in anew until the host answers in another boot.
async fn wait_for_boot(
    context: &HostContext,
    asked_at: Instant,
    before: &str,
) -> Result<(Session, Truth), Failure> {
    let limit = context.host.timeouts.reboot;
    loop {
        let trouble = match look(context).await {
            Ok((session, truth)) if truth.boot_id != before && !truth.boot_id.is_empty() => {
                return Ok((session, truth));
            }
            Ok(_) => "it has not gone down yet".to_owned(),
            Err(error @ HostError::HostKeyChanged { .. }) => return Err(not_up(context, &error)),
            Err(error) if asked_at.elapsed() + PAUSE >= limit => return Err(not_up(context, &error)),
            Err(error) => error.to_string(),
        };
        if asked_at.elapsed() + PAUSE >= limit {
            return Err(no_way_back(
                context,
                format!("{} did not go down within {}", context.name(), duration(limit)),
            )
            .hint("on the host: systemctl list-jobs; systemd-inhibit --list"));
        }
        let left = duration(limit.saturating_sub(asked_at.elapsed()));
        context.progress(StepId::Reboot, format!("{trouble} (given up in {left})"));
        tokio::time::sleep(PAUSE).await;
    }
}

/// One login, one elevation, one look.
async fn look(context: &HostContext) -> Result<(Session, Truth), HostError> {
    let session = context.link.fresh().await?;
    let deadline = context.command_deadline().min(ONE_LOOK);
    let run = context.run.spec.id.as_str();
    let truth = supervisor::truth(&context.link, &session, run, false, deadline).await?;
    Ok((session, truth))
}

/// The host came up with the new system and no other.
fn runs(context: &HostContext, new: &StorePath, truth: &Truth) -> Result<(), Failure> {
    if truth.current_system.as_ref() == Some(new) {
        return Ok(());
    }
    let booted = truth.current_system.as_ref().map_or("no NixOS system", StorePath::as_str);
    Err(no_way_back(context, format!("booted {booted} instead of {new}"))
        .hint("look at the boot loader: its default entry, the room on /boot, a choice at the console"))
}

/// Units, health checks and network as after an activation; gives the number
/// of units that run.
async fn prove(
    context: &HostContext,
    facts: &HostFacts,
    new: &StorePath,
    session: &Session,
) -> Result<usize, Failure> {
    let unanswered = |error: HostError| not_up(context, &error);
    context.progress(StepId::Reboot, "up again, waiting for the boot to end");
    reboot::wait_until_booted(&context.link, session, BOOT_JOBS).await.map_err(unanswered)?;
    let booted_at = Instant::now();
    let extra_units = &context.host.critical_services;
    let look = Look { old: None, new, extra_units, counted: None, timed: &[], files: true, hold: None };
    let first =
        observe::sample(&context.link, session, look, context.command_deadline()).await.map_err(unanswered)?;
    let critical = context.host.critical_services.iter();
    let judge = Judge {
        baseline: facts.baseline.clone(),
        critical: critical.map(|unit| first.aliases.get(unit).unwrap_or(unit).clone()).collect(),
        first_sample: first.units,
        may_be_idle: first.may_be_idle,
        ..Judge::default()
    };
    let watch = Watch { step: StepId::Reboot, session, judge: &judge, since: booted_at };
    let findings = verify::examine(context, watch).await.map_err(unanswered)?;
    if context.new_system().is_ok_and(|system| system == new) {
        // After a boot only what is wanted stands ready.
        let is_on = |unit: &&String| first.wanted.contains(*unit) && !first.masked.contains(*unit);
        verify::note_ended(context, findings.judgement.not_ready.iter().filter(is_on));
    }
    if findings.is_well() {
        return Ok(findings.judgement.running);
    }
    for ailing in &findings.judgement.ailing {
        context.service(&ailing.unit, ailing.why.clone());
    }
    let mut failure = verify::failure(context, session, &findings).await;
    failure.class = FailureClass::HostNotWell;
    failure.message = format!("after the reboot: {}", failure.message);
    Err(hints(context, failure))
}

fn not_told(context: &HostContext, error: &HostError) -> Failure {
    let cause = error.failure();
    let mut failure =
        Failure::new(FailureClass::HostNotWell, format!("{} could not be told to reboot", context.name()))
            .cause(cause.message);
    failure.causes.extend(cause.causes);
    failure.hint("the new system is the boot default; reboot the host by hand")
}

fn not_up(context: &HostContext, error: &HostError) -> Failure {
    let cause = error.failure();
    let mut failure =
        no_way_back(context, format!("{} is not well after the reboot: no proof came about", context.name()))
            .cause(cause.message);
    failure.causes.extend(cause.causes);
    failure
}

fn no_way_back(context: &HostContext, message: String) -> Failure {
    hints(context, Failure::new(FailureClass::HostNotWell, message))
}

/// What a person can do: the host itself does nothing any more.
fn hints(context: &HostContext, failure: Failure) -> Failure {
    if let Some(trial) = context.trial.get() {
        return failure
            .hint(format!(
                "the boot loader's default is still {}: the next reboot goes back to the old system",
                trial.old
            ))
            .hint("to keep the new one, on the host as root: bootctl set-default ''; the next deploy does so, too");
    }
    failure
        .hint("there is no automatic way back after a reboot: the new system stays the boot default")
        .hint("the old generation is in the boot menu at the host's console; or, once logged in as root: nixos-rebuild boot --rollback, then reboot")
}
