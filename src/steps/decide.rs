//! `decide`: compares what the host runs with what it should run. An unchanged
//! host ends here. What earlier runs left on the host is brought to an end
//! before anything new begins. A way back begins here with finding the system.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use super::recover::connection;
use super::{Done, StepResult, host_facts, roots, step, taken_up, target};
use crate::host::boot_trial;
use crate::host::supervisor::{self, Standing, Until, Word};
use crate::model::{
    Action, ActivationPhase, Failure, FailureClass, Goal, HostFacts, HostOutcome, LeftTrial, OrphanRun, StepId,
    StorePath,
};

step!(Decide, StepId::Decide);

async fn run(context: &HostContext) -> StepResult {
    let mut facts = context.facts()?;
    if !facts.orphans.is_empty() {
        for orphan in facts.orphans.clone() {
            adopt(context, &orphan).await?;
        }
        if facts.orphans.iter().any(|orphan| orphan.alive) {
            context.set_facts(host_facts::collect(context, StepId::Decide).await?);
            facts = context.facts()?;
        }
    }
    if let Goal::Existing(existing) = &context.run.spec.goal {
        if target::is_left_alone(context, existing, &facts) {
            return Ok(Done::passed("left alone").ending(HostOutcome::Unchanged));
        }
        target::find(context, existing, &facts).await?;
    }
    let new = context.new_system()?;
    let is_unchanged = is_unchanged(context.run.spec.action, new, &facts);
    let taken_up = if is_unchanged { taken_up::is_open(context, &facts, new) } else { None };
    if taken_up.is_none() || !context.run.spec.reboot.is_asked() {
        // Else `reboot` ends it, when the new system has proven itself.
        left_trial(context, &facts, is_unchanged).await;
    }
    if is_unchanged {
        if let Some(committed) = taken_up {
            // The plan runs this step once per host.
            let _ = context.taken_up.set(committed);
            // Nobody has to wait for its build.
            context.run.undecided.strike(context.name());
            return Ok(Done::passed("the interrupted run had changed it; it is brought to its end"));
        }
        return Ok(Done::passed("unchanged").ending(HostOutcome::Unchanged));
    }
    same_as_seen(context, new, &facts)?;
    explain_pending(context, new, &facts);
    if let Some(target) = context.target.get() {
        // Otherwise they are given while Nix builds.
        roots::give(context, StepId::Decide).await?;
        return Ok(Done::passed(
            target.generation.map_or_else(String::new, |number| format!("generation {number}")),
        ));
    }
    Ok(Done::passed(""))
}

/// Refuses to bring a host what an interrupted run had evaluated for it when
/// somebody has changed it since: that may be newer.
fn same_as_seen(context: &HostContext, new: &StorePath, facts: &HostFacts) -> Result<(), Failure> {
    let Some(resumed) = &context.run.spec.resumed else { return Ok(()) };
    let seen = resumed.systems.get(context.name()).and_then(|system| system.seen.as_ref());
    let Some(current) = &facts.current_system else { return Ok(()) };
    if current == new || seen.is_none_or(|seen| seen == current) {
        return Ok(());
    }
    let (host, run) = (context.name(), &resumed.run);
    Err(Failure::new(FailureClass::Blocked, format!("{host} was changed by somebody else since run {run}"))
        .cause(format!("it runs {current} now"))
        .hint(format!("to deploy what the configuration says now: nix-deploy {host}")))
}

/// Whether the action has nothing to do.
fn is_unchanged(action: Action, new: &StorePath, facts: &HostFacts) -> bool {
    let runs = facts.current_system.as_ref() == Some(new);
    let boots = facts.profile.as_ref() == Some(new);
    match action {
        // What nobody has proven is activated and proven once more.
        Action::Switch => runs && boots && !facts.unproven && !facts.commit_cut_off,
        // With the firmware's default on an older entry, the next boot is not one of it.
        Action::Boot => boots && !facts.commit_cut_off && (runs || facts.boot_trial.is_none()),
        Action::Test => runs && !facts.unproven,
        Action::DryActivate => false,
    }
}

/// Says that an earlier run has left a boot entry on trial. Where nothing is to be
/// changed it is ended here, if the host runs what it is to boot; else the supervisor
/// ends it when it changes the boot loader.
async fn left_trial(context: &HostContext, facts: &HostFacts, is_unchanged: bool) {
    let Some(trial) = &facts.boot_trial else { return };
    let LeftTrial { entry, run, .. } = trial;
    let may_live = !owner_is_gone(&trial.owner, &context.run.owner)
        && trial.age.is_some_and(|age| age < context.host.timeouts.reboot.as_secs());
    if is_unchanged && may_live {
        let message =
            format!("run {run} may be rebooting the host: its trial of the new boot entry is left to it");
        context.warn(message, None);
        return;
    }
    let left = format!(
        "the boot loader's default was still {entry}: run {run} did not prove the reboot that it asked for"
    );
    if !is_unchanged || facts.current_system != facts.profile {
        let commits = !is_unchanged && context.run.spec.action.commits();
        let hint = if commits { "this deploy sets it back" } else { "a deploy (--action switch) sets it back" };
        context.warn(left, Some(hint.to_owned()));
        return;
    }
    match boot_trial::end_left(&context.link, context.command_deadline()).await {
        Ok(()) => context.warn(format!("{left}; it is set back"), None),
        Err(error) => {
            let hint = "on the host, as root: bootctl set-default ''".to_owned();
            context.warn(format!("{left}, and it cannot be set back: {error}"), Some(hint));
        }
    }
}

/// Says when the host does not run what it would boot, and which it is.
fn explain_pending(context: &HostContext, new: &StorePath, facts: &HostFacts) {
    if facts.unproven {
        let message = "an earlier run activated what the host runs, and neither proved it nor took it back: \
                       what has failed since counts";
        context.warn(message, None);
        return;
    }
    if facts.profile == facts.current_system {
        return;
    }
    let message = if facts.current_system.as_ref() == Some(new) {
        "the host runs this system already, but boots another one: an earlier test, or a deploy that was cut off"
    } else if facts.profile.as_ref() == Some(new) {
        "this system is the boot default already, but the host runs another one: a reboot was pending"
    } else {
        "the host runs another system than it would boot: a pending reboot, a test, or an earlier failure"
    };
    context.warn(message, None);
}

/// Brings a run that was found on the host to an end.
async fn adopt(context: &HostContext, orphan: &OrphanRun) -> Result<(), Failure> {
    let host = context.name();
    if orphan.alive {
        let whose = if orphan.actor.is_empty() { "somebody" } else { &orphan.actor };
        let ours = owner_is_gone(&orphan.owner, &context.run.owner);
        let mut word = None;
        if ours {
            context.warn(
                format!("an earlier run of yours ({}) was cut off; it is taken back first", orphan.run),
                None,
            );
            word = Some(Word::Rollback);
        } else {
            let doing = format!("waiting for the deploy of {whose} ({})", orphan.run);
            context.progress(StepId::Decide, doing);
        }
        let patience = context.host.timeouts.lock;
        let ends = Instant::now() + patience;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            let wait = left.min(Duration::from_secs(30));
            // What is waited for may take the connection with it. A word may be said twice.
            let standing = connection::persist(context, StepId::Decide, || async {
                let master = context.link.master().await?;
                supervisor::wait(&context.link, &master, &orphan.run, Until::Final, word, wait).await
            });
            match standing.await?.map_err(|error| error.failure())? {
                Standing::At(state) if !state.phase.is_final() && Instant::now() < ends => {}
                Standing::At(state) if !state.phase.is_final() => {
                    return Err(Failure::new(
                        FailureClass::Busy,
                        format!("{whose} deploys {host} (run {}, {})", orphan.run, phase_text(state.phase)),
                    )
                    .cause(format!("it did not end within {}", crate::model::text::duration(patience)))
                    .hint("wait for it, then run the same command again"));
                }
                Standing::At(_) | Standing::Gone => break,
                Standing::Dead(_) => {
                    context.warn(format!("the supervisor of run {} died on the host", orphan.run), None);
                    break;
                }
            }
        }
    }
    // An owner that may live settles its run itself, and needs the traces for it.
    if orphan.stale || owner_is_gone(&orphan.owner, &context.run.owner) {
        let truth = connection::persist(context, StepId::Decide, || async {
            let master = context.link.master().await?;
            supervisor::truth(&context.link, &master, &orphan.run, true, context.command_deadline()).await
        });
        truth.await?.map_err(|error| error.failure())?;
    }
    Ok(())
}

fn phase_text(phase: ActivationPhase) -> &'static str {
    match phase {
        ActivationPhase::Activated => "waiting for its confirmation",
        ActivationPhase::RollingBack => "rolling back",
        ActivationPhase::Committing => "committing",
        _ => "activating",
    }
}

/// Whether the process that started a run is known to be gone: it ran on this
/// machine, and in another boot or under a process number that is free now.
fn owner_is_gone(owner: &str, own: &str) -> bool {
    let parts = |text: &str| -> Option<(String, String, u32)> {
        let mut fields = text.splitn(3, ':');
        Some((fields.next()?.to_owned(), fields.next()?.to_owned(), fields.next()?.parse().ok()?))
    };
    let (Some((machine, boot, process)), Some((own_machine, own_boot, own_process))) =
        (parts(owner), parts(own))
    else {
        return false;
    };
    // Machines without an id, as containers often are, cannot be told apart.
    !machine.is_empty()
        && machine != "unknown"
        && machine == own_machine
        && process != own_process
        && (boot != own_boot || !std::path::Path::new(&format!("/proc/{process}")).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_default_that_the_firmware_passes_over_is_not_unchanged() {
        let path = |name: &str| format!("/nix/store/{}-nixos-system-{name}", "0".repeat(32));
        let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1",
            "hostname": "p", "systemd": true, "machine": "x86_64", "trusted": true, "baseline": {},
            "orphans": [], "current_system": path("old"), "profile": path("new")
        }))
        .unwrap();
        let new = StorePath::new(path("new")).unwrap();
        assert!(is_unchanged(Action::Boot, &new, &facts));
        let entry = "nixos-generation-1.conf".to_owned();
        facts.boot_trial = Some(LeftTrial {
            entry,
            new: Some(new.clone()),
            run: String::new(),
            owner: String::new(),
            age: None,
        });
        assert!(!is_unchanged(Action::Boot, &new, &facts));
        facts.current_system = Some(new.clone());
        assert!(is_unchanged(Action::Boot, &new, &facts) && is_unchanged(Action::Switch, &new, &facts));
    }

    #[test]
    fn what_nobody_has_proven_is_not_unchanged() {
        let path = StorePath::new(format!("/nix/store/{}-nixos-system", "0".repeat(32))).unwrap();
        let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1",
            "hostname": "p", "systemd": true, "machine": "x86_64",
            "trusted": true, "baseline": {}, "orphans": []
        }))
        .unwrap();
        (facts.current_system, facts.profile) = (Some(path.clone()), Some(path.clone()));
        for action in [Action::Switch, Action::Test, Action::Boot] {
            assert!(is_unchanged(action, &path, &facts));
        }
        facts.unproven = true;
        assert!(!is_unchanged(Action::Switch, &path, &facts) && !is_unchanged(Action::Test, &path, &facts));
    }

    #[test]
    fn only_an_owner_on_this_machine_can_be_known_to_be_gone() {
        let own = format!("machine:boot:{}", std::process::id());
        assert!(!owner_is_gone("other:boot:1", &own));
        assert!(!owner_is_gone("machine:boot:1", &own));
        assert!(owner_is_gone("machine:boot:4194999", &own));
        assert!(owner_is_gone("machine:earlier:1", &own));
        assert!(!owner_is_gone(&own, &own));
        assert!(!owner_is_gone("nonsense", &own));
        for machine in ["", "unknown"] {
            let own = format!("{machine}:boot:{}", std::process::id());
            assert!(!owner_is_gone(&format!("{machine}:earlier:1"), &own));
        }
    }
}
