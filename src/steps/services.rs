//! `services`: the units after the deploy, in numbers; services that are about to
//! run out of the memory they may use, and enabled ones that do not run; failed
//! units of users, which are told and never judged: whose they are decides about them.

use super::context::HostContext;
use super::{Done, StepResult, observed, resources, step};
use crate::host::observe;
use crate::model::text::plural;
use crate::model::{Mode, StepId, Watched};

step!(Services, StepId::Services);

async fn run(context: &HostContext) -> StepResult {
    let since_reboot = context.rebooted.get().and_then(|rebooted| rebooted.running_units.get());
    let Some(running) = since_reboot.or(context.running_units.get()) else {
        return Ok(Done::skipped(""));
    };
    // Of a host that is kept although it is not well, nobody has counted them.
    let critical = if context.unwell.get().is_some() { 0 } else { context.host.critical_services.len() };
    let warned = warn_of_user_units(context).await | warn_of_services(context).await;
    let units = plural(*running, "unit");
    let summary = match critical {
        0 => format!("{units} running"),
        _ => format!("{units} running, {critical}/{critical} critical"),
    };
    Ok(if warned { Done::warned(summary) } else { Done::passed(summary) })
}

/// Warns of services that are beyond their limits; says whether there are any. Only
/// where the host is looked at for more than this.
async fn warn_of_services(context: &HostContext) -> bool {
    if context.run.spec.mode != Mode::Standard {
        return false;
    }
    match observed::ask(context).await {
        Ok(observed) => resources::warn(context, observed, |watched| {
            matches!(watched, Watched::ServiceMemory | Watched::NotRunning)
        }),
        // The step beside this one says why.
        Err(error) => {
            tracing::debug!(%error, "services");
            false
        }
    }
}

/// Warns of failed units of users; says whether there are any.
async fn warn_of_user_units(context: &HostContext) -> bool {
    let Some(session) = context.proven_session() else { return false };
    let failed = match observe::failed_user_units(&context.link, session, context.command_deadline()).await {
        Ok(failed) => failed,
        Err(error) => {
            tracing::debug!(%error, "units of users");
            return false;
        }
    };
    for (user, units) in &failed {
        let hint = format!("on the host: systemctl --user --machine={user}@.host status {}", units.join(" "));
        context.warn(
            format!("{} of user {user} failed: {}", plural(units.len(), "unit"), units.join(", ")),
            Some(hint),
        );
    }
    !failed.is_empty()
}
