//! `preview`: the host validates the new system and says what it would do.

use super::context::HostContext;
use super::recover::connection;
use super::{Done, StepResult, step, verify};
use crate::event::Event;
use crate::host::preview;
use crate::model::text::{bytes, plural};
use crate::model::{Action, Failure, FailureClass, HostOutcome, Mode, StepId, UnitPlan};

step!(PreviewStep, StepId::Preview);

/// Room that boot entries and the file system itself take beside kernel and initrd.
const BOOT_SLACK: u64 = 8 << 20;

async fn run(context: &HostContext) -> StepResult {
    let new = context.new_system()?;
    let action = context.run.spec.action;
    let plan_units = context.run.spec.mode != Mode::Emergency && action != Action::Boot;
    let questions = preview::Questions {
        critical: &context.host.critical_services,
        // The check cannot be asked about `boot`, for which it may be milder:
        // switch inhibitors are. `boot` itself runs it, before it changes anything.
        check: action != Action::Boot,
        plan_units,
        boot_files: action.commits(),
    };
    let ask = || preview::ask(&context.link, new, questions, context.command_deadline());
    let (preview, ()) =
        tokio::join!(connection::persist(context, StepId::Preview, ask), network_before(context));
    let preview = preview?.map_err(|error| error.failure())?;
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
    if preview.lock_held {
        context.warn("another activation runs on the host; it is waited for", None);
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
