//! `activate`: starts the supervisor on the host and follows it until the new
//! system runs, or the host has settled otherwise.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use super::way::Way;
use super::{Done, StepResult, prove, step};
use crate::event::Event;
use crate::host::HostError;
use crate::host::causes;
use crate::host::supervisor::{self, ON_THE_WAY, Order, Standing, Told, Until};
use crate::model::text::{clean_line, duration};
use crate::model::{Action, ActivationPhase, ActivationState, Failure, FailureClass, LockHolder, StepId};

step!(Activate, StepId::Activate);

/// How long one wait for the host's next word lasts; then it is asked anew.
const ONE_WAIT: Duration = Duration::from_secs(20);
/// The phases that are passed by once somebody else's activation is waited for.
const WAITING_TOO: [ActivationPhase; 3] =
    [ActivationPhase::Starting, ActivationPhase::Waiting, ActivationPhase::Activating];
/// An activation that is over within this time is not followed line by line.
const QUICK: Duration = Duration::from_secs(1);
/// What the host may take beyond its own deadlines before we give up on it.
const GRACE: Duration = Duration::from_secs(60);

async fn run(context: &HostContext) -> StepResult {
    if context.taken_up.get().is_some() {
        return Ok(Done::skipped("by the interrupted run"));
    }
    let (state, trouble) = tokio::select! {
        end = start_and_follow(context) => end?,
        never = show_journal(context) => match never {},
    };
    let took = state.activation_ms.map_or_else(String::new, |ms| duration(Duration::from_millis(ms)));
    match state.phase {
        ActivationPhase::Activated => {
            context.update_activation(|activation| activation.activated_at = Some(Instant::now()));
            Ok(match state.exit_code {
                Some(0) | None => Done::passed(took),
                // Judged by verify, against what had failed before.
                Some(_) => Done::warned("a unit failed"),
            })
        }
        ActivationPhase::BootOnly => {
            // A reboot that follows is told by its own step.
            if context.run.spec.action != Action::Boot && !context.run.spec.reboot.is_asked() {
                context.warn("only a reboot can enter the new system: it is the boot default now", None);
            }
            Ok(Done::passed(state.reason))
        }
        ActivationPhase::Refused => Err(refused(context, &state).await),
        // It was activated, and we could not hear of it. Told by the words of supervisor.sh.
        ActivationPhase::RolledBack if state.reason.starts_with("nobody confirmed") => {
            let address = context.name().to_string();
            let trouble = trouble.unwrap_or(HostError::Lost { address, detail: String::new() });
            Err(prove::failure(context, &trouble).cause(format!("on the host, {}", state.reason)))
        }
        ActivationPhase::RolledBack | ActivationPhase::RollbackFailed => {
            let message = format!("the activation failed: {}", state.reason);
            let said = said(context).await;
            let mut failure = Failure::new(FailureClass::RolledBack, message);
            failure.hints = causes::suggestions(&said);
            Err(failure.hint(context.journal_hint()).evidence(said))
        }
        other => Err(Failure::new(FailureClass::HostNotWell, format!("the supervisor ended at {other:?}"))),
    }
}

async fn start_and_follow(context: &HostContext) -> Result<(ActivationState, Option<HostError>), Failure> {
    let first = start(context).await?;
    follow(context, first).await
}

/// Starts the supervisor; gives where it stood when that was last heard.
async fn start(context: &HostContext) -> Result<Option<Standing>, Failure> {
    let run = &context.run;
    let facts = context.facts()?;
    let source = run.source.get().and_then(Option::as_ref);
    let clean = source.filter(|source| !source.dirty).and_then(|source| source.commit.clone());
    let target = context.target.get();
    let order = Order {
        run: &run.spec.id,
        host: &context.host,
        facts: &facts,
        new: context.new_system()?,
        action: run.spec.action,
        generation: target.and_then(|target| target.generation),
        commit: target.map_or(clean, |target| target.commit.clone()).unwrap_or_default(),
        actor: run.spec.actor.clone(),
        owner: run.owner.clone(),
    };
    // From here on the supervisor may run, whatever we get to hear.
    context.update_activation(|activation| activation.begun = true);
    match supervisor::start(&context.link, &order, ONE_WAIT, |told| hear(context, told)).await {
        Ok(standing) => Ok(Some(standing)),
        // The script answered that it could not: nothing runs.
        Err(error @ (HostError::Script { .. } | HostError::Elevation { .. })) => {
            context.update_activation(|activation| activation.begun = false);
            Err(error.failure().hint("see `journalctl -e` on the host"))
        }
        // Nobody heard: it may run. Following it tells.
        Err(error) => {
            tracing::debug!(%error, "start of the supervisor");
            Ok(None)
        }
    }
}

fn hear(context: &HostContext, told: Told) {
    context.update_activation(|activation| match told {
        Told::Since(seconds) => activation.since = seconds,
        Told::Passing(phase) => {
            let (reason, exit_code, activation_ms) = (String::new(), None, None);
            activation.state = Some(ActivationState { phase, exit_code, reason, activation_ms });
        }
    });
}

/// Follows the supervisor until it has activated or settled. The switch may
/// take the connection with it; then new logins are tried for as long as the
/// host needs to take the change back by itself. Gives what stood in the way, too.
async fn follow(
    context: &HostContext,
    mut first: Option<Standing>,
) -> Result<(ActivationState, Option<HostError>), Failure> {
    let policy = &context.host.rollback;
    let ends = Instant::now() + context.host.timeouts.lock + policy.activation_timeout * 2 + GRACE;
    let mut way = Way::over_master(context).await;
    let mut until = Until::Past(&ON_THE_WAY);
    loop {
        let standing = match first.take() {
            Some(standing) => Ok(standing),
            None => way.wait(context, until, None, ONE_WAIT).await,
        };
        match standing {
            Ok(Standing::At(state)) => {
                if state.phase == ActivationPhase::Waiting {
                    context.progress(StepId::Activate, state.reason.clone());
                    until = Until::Past(&WAITING_TOO);
                }
                context.update_activation(|activation| activation.state = Some(state.clone()));
                if state.phase.is_final() || state.phase == ActivationPhase::Activated {
                    return Ok((state, way.into_trouble()));
                }
                if Instant::now() >= ends {
                    let what = "the supervisor does not come to an end";
                    return Err(Failure::new(FailureClass::HostNotWell, what).hint(context.journal_hint()));
                }
            }
            Ok(Standing::Dead(_)) => {
                let what = "the supervisor died on the host";
                return Err(Failure::new(FailureClass::HostNotWell, what).hint(context.journal_hint()));
            }
            Ok(Standing::Gone) => {
                return Err(Failure::new(
                    FailureClass::HostNotWell,
                    "the host knows nothing of this activation: it was rebooted, or the start did not reach it",
                ));
            }
            Err(error) => return Err(error.failure()),
        }
    }
}

/// Shows what a longer activation prints. Most end before there is anything to
/// show, and are not slowed down by it.
async fn show_journal(context: &HostContext) -> std::convert::Infallible {
    tokio::time::sleep(QUICK).await;
    let unit = format!("nix-deploy-{}.service", context.run.spec.id);
    let show = |line: &str| {
        let line = clean_line(line);
        // The marks around the answer, the supervisor's own words and systemd's about it are not news.
        let is_ours = line.starts_with("nix-deploy: ") || line.contains(&unit);
        if line.is_empty() || is_ours || line.ends_with("-begin") {
            return;
        }
        context.progress(StepId::Activate, line.clone());
        context.send(Event::Log { host: Some(context.name().clone()), step: StepId::Activate, line });
    };
    let deadline = context.host.rollback.activation_timeout + ONE_WAIT;
    // Whoever needs the way to the host itself does not wait while this connects anew.
    if context.link.standing_master().await.is_none() {
        return std::future::pending().await;
    }
    if let Err(error) = supervisor::follow(&context.link, &context.run.spec.id, deadline, show).await {
        tracing::debug!(%error, "the journal cannot be followed");
    }
    std::future::pending().await
}

/// Who holds the host now, as far as it says so.
pub(super) async fn holder(context: &HostContext, step: StepId) -> Option<LockHolder> {
    super::host_facts::collect(context, step).await.ok().and_then(|facts| facts.lock)
}

/// The failure of a host that somebody else holds.
pub(super) fn held(context: &HostContext, reason: &str, holder: Option<LockHolder>) -> Failure {
    let mut failure = Failure::new(FailureClass::Busy, format!("{} was not changed: {reason}", context.name()));
    if let Some(LockHolder { who, since, .. }) = holder {
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        failure = failure.cause(format!("held by {who}{since}"));
    }
    failure.hint("wait for it to end, then run the same command again")
}

/// Why nothing was changed.
async fn refused(context: &HostContext, state: &ActivationState) -> Failure {
    let reason = &state.reason;
    let busy = reason.contains("holds") || reason.contains("no longer") || reason.contains("meanwhile");
    if busy {
        return held(context, reason, holder(context, StepId::Activate).await);
    }
    // Told by the name of the program that refused: see supervisor.sh.
    let class = if reason.starts_with("switch-to-configuration refused") {
        FailureClass::Blocked
    } else {
        FailureClass::RolledBack
    };
    let failure = Failure::new(class, format!("{} was not changed: {reason}", context.name()))
        .evidence(said(context).await);
    match class {
        FailureClass::Blocked => super::preview::hints_of_refusal(failure),
        _ if reason.contains("cannot be activated again") => {
            failure.hint("let a reboot enter the new system: --action boot --reboot")
        }
        _ => failure.hint("the old system runs as before"),
    }
}

/// What the failed activation said, as evidence; nothing when the host cannot
/// be asked, because the failure itself is more important.
pub(super) async fn said(context: &HostContext) -> Vec<String> {
    let run = context.run.spec.id.as_str();
    supervisor::said(&context.link, run, context.command_deadline()).await.unwrap_or_default()
}

/// The units that it has reloaded, by its own words.
pub(super) async fn reloaded(context: &HostContext) -> Vec<String> {
    let run = context.run.spec.id.as_str();
    supervisor::reloaded(&context.link, run, context.command_deadline()).await.unwrap_or_default()
}
