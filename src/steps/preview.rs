//! `preview`: the host validates the new system and says what it would do.

use std::time::Duration;

use tokio::time::Instant;

use super::activate::{held, holder};
use super::context::HostContext;
use super::recover::connection;
use super::{Done, StepResult, step, verify};
use crate::event::Event;
use crate::host::preview::{self, Preview, Questions};
use crate::model::text::{bytes, plural};
use crate::model::{Action, Failure, FailureClass, HostOutcome, Mode, StepId, StorePath, UnitPlan};

step!(PreviewStep, StepId::Preview);

/// Room that boot entries and the file system itself take beside kernel and initrd.
const BOOT_SLACK: u64 = 8 << 20;
/// How often a host on which another activation runs is asked again.
const PAUSE: Duration = Duration::from_secs(1);

async fn run(context: &HostContext) -> StepResult {
    let new = context.new_system()?;
    let action = context.run.spec.action;
    let plan_units = context.run.spec.mode != Mode::Emergency && action != Action::Boot;
    let questions = Questions {
        critical: &context.host.critical_services,
        // The check cannot be asked about `boot`, for which it may be milder:
        // switch inhibitors are. `boot` itself runs it, before it changes anything.
        check: action != Action::Boot,
        plan_units,
        boot_files: action.commits(),
    };
    let (preview, ()) = tokio::join!(ask(context, new, questions), network_before(context));
    let mut preview = preview?;
    if preview.lock_held {
        context.warn(format!("another activation runs on {}; it is waited for", context.name()), None);
    }
    if plan_units && preview.lock_held {
        preview = ask_again(context, new, questions).await?;
    }
    if context.network_before.get().is_none() {
        // The connection was lost for it, too.
        network_before(context).await;
    }
    if !preview.is_toplevel {
        return Err(Failure::new(
            FailureClass::Unfit,
            format!("{new} on {} is no whole NixOS system", context.name()),
        )
        .cause("nixos-version or bin/switch-to-configuration is missing")
        .hint("was it removed by garbage collection meanwhile? run the same command again"));
    }
    if let Some(unknown) = preview.unknown_critical.first() {
        let failure = verify::unknown_critical(context, unknown, preview.unit_files.iter());
        return Err(Failure { class: FailureClass::Usage, ..failure });
    }
    if let Some(said) = preview.refusal.clone() {
        let refused = Failure::new(FailureClass::Blocked, "the pre-switch check of the new system refused");
        return Err(hints_of_refusal(refused.evidence(said)));
    }
    let boot_free = context.facts()?.boot_free;
    if let Some(full) = no_boot_room(boot_free, &preview.boot_files) {
        return Err(full);
    }
    let summary = preview.plan.as_ref().map_or_else(String::new, summary);
    if let Some(plan) = &preview.plan {
        context.send(Event::UnitPlan { host: context.name().clone(), plan: plan.clone() });
    }
    // The plan runs this step once per host.
    let _ = context.preview.set(preview);
    let done = Done::passed(summary);
    Ok(if action == Action::DryActivate { done.ending(HostOutcome::Previewed) } else { done })
}

/// Asks the host once, over a connection that is made anew when it is lost.
async fn ask(context: &HostContext, new: &StorePath, questions: Questions<'_>) -> Result<Preview, Failure> {
    let ask = || preview::ask(&context.link, new, questions, context.command_deadline());
    connection::persist(context, StepId::Preview, ask).await?.map_err(|error| error.failure())
}

/// While somebody else activates, the host does not say what a switch would do: it is
/// asked again until it does. Another deploy is not waited for, it changes what this one saw.
async fn ask_again(
    context: &HostContext,
    new: &StorePath,
    questions: Questions<'_>,
) -> Result<Preview, Failure> {
    let found = holder(context, StepId::Preview).await;
    if found.as_ref().is_some_and(|holder| holder.run.is_some()) {
        return Err(held(context, "another deploy holds the host", found));
    }
    let ends = Instant::now() + context.host.timeouts.lock;
    while Instant::now() < ends {
        context.progress(StepId::Preview, "waiting for another activation to end");
        tokio::time::sleep(PAUSE).await;
        let preview = ask(context, new, questions).await?;
        if !preview.lock_held {
            return Ok(preview);
        }
    }
    let reason = "another activation holds the lock of switch-to-configuration";
    Err(held(context, reason, holder(context, StepId::Preview).await))
}

/// Refuses a system whose kernel and initrd do not fit on a /boot of its own:
/// the boot loader would fail half way, after the new system was proven.
fn no_boot_room(free: Option<u64>, missing: &[u64]) -> Option<Failure> {
    let size: u64 = missing.iter().sum();
    let free = free.filter(|free| size > 0 && *free < size + BOOT_SLACK)?;
    Some(
        Failure::new(
            FailureClass::Unfit,
            format!(
                "/boot has not enough room: {} are free, kernel and initrd of the new system need {}",
                bytes(free),
                bytes(size + BOOT_SLACK)
            ),
        )
        .hint("keep fewer generations on it: boot.loader.systemd-boot.configurationLimit")
        .hint(
            "on the host, as root: nix-collect-garbage -d, then \
             /run/current-system/bin/switch-to-configuration boot; old generations are gone then",
        ),
    )
}

/// What to do when a pre-switch check or a switch inhibitor refuses.
pub(super) fn hints_of_refusal(failure: Failure) -> Failure {
    failure
        .hint(
            "nothing was changed; see system.preSwitchChecks and system.switch.inhibitors of the configuration",
        )
        .hint("if only the switch is refused: `--action boot`, then reboot the host")
}

/// What is wrong with the network now cannot be held against the deploy.
async fn network_before(context: &HostContext) {
    if !verify::network_wanted(context) {
        return;
    }
    let Ok(master) = context.link.master().await else { return };
    if let Ok(problems) = verify::network_problems(context, &master, 1).await {
        // The plan runs this step once per host.
        let _ = context.network_before.set(problems);
    }
}

fn summary(plan: &UnitPlan) -> String {
    let parts: Vec<String> = [
        (plan.restart.len(), "restart"),
        (plan.reload.len(), "reload"),
        (plan.start.len() + plan.new.len(), "start"),
        (plan.stop.len(), "stop"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", plural(count, "unit")))
    .collect();
    if parts.is_empty() { "no unit changes".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_boot_partition_without_room_for_kernel_and_initrd_is_refused_with_numbers() {
        let failure = no_boot_room(Some(40 * MIB), &[12 * MIB, 30 * MIB]).unwrap();
        assert_eq!(failure.class, FailureClass::Unfit);
        assert!(failure.message.contains("40.0 MiB are free"), "{}", failure.message);
        assert!(failure.message.contains("need 50.0 MiB"), "{}", failure.message);
        assert!(failure.hints.iter().any(|hint| hint.contains("configurationLimit")));
        assert!(failure.hints.iter().any(|hint| hint.contains("nix-collect-garbage -d")));
    }

    #[test]
    fn room_is_asked_for_only_where_files_go_to_a_boot_file_system_of_its_own() {
        let rows: [(Option<u64>, &[u64]); 4] = [
            (Some(50 * MIB), &[12 * MIB, 30 * MIB]),
            // They are there already, or the kernel is the booted one.
            (Some(0), &[]),
            // /boot belongs to the root file system.
            (None, &[12 * MIB, 30 * MIB]),
            (Some(39 * MIB), &[30 * MIB]),
        ];
        for (free, missing) in rows {
            assert_eq!(no_boot_room(free, missing), None, "{free:?} {missing:?}");
        }
    }
}
