//! `copy`: the closure goes to the host, over the master connection. Both
//! systems get roots there first, so that garbage collection takes neither.

use std::time::Duration;

use super::context::HostContext;
use super::link_speed::{self, Measure};
use super::recover::{connection, room};
use super::{Done, StepResult, build, nix_words, recover, step};
use crate::event::Event;
use crate::host::Link;
use crate::model::text::{bytes, plural};
use crate::model::{BuildOn, Failure, FailureClass, HostFacts, Recovery, RecoveryKind, StepId};
use crate::nix::{Copied, CopyError, CopyRequest, NixProgress};

step!(Copy, StepId::Copy);

/// Longest copy, however steadily it advances.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

async fn run(context: &HostContext) -> StepResult {
    let facts = context.facts()?;
    let is_remote = context.host.build_on != BuildOn::Target && !context.host.is_local();
    if is_remote {
        same_architecture(context, &facts)?;
        trusted(context, &facts)?;
        if room::may_be_short(&facts) {
            room::ensure(context, &facts).await?;
        }
    }
    if context.no_room_for_roots.get().is_some() {
        super::roots::give(context, StepId::Copy).await?;
    }
    if !is_remote {
        return Ok(Done::skipped("built in place"));
    }
    let mut substitute = context.host.use_substitutes;
    let mut room_was_made = false;
    let mut reconnects = 0;
    loop {
        let error = match copy(context, substitute).await? {
            Ok(copied) => {
                for line in copied.warnings {
                    let host = Some(context.name().clone());
                    context.send(Event::Log { host, step: StepId::Copy, line });
                }
                let size = context.new_closure.get().and_then(|closure| closure.size_of(&copied.paths));
                return Ok(Done::passed(in_short(copied.paths.len(), size)));
            }
            Err(error) => error,
        };
        match &error {
            // What arrived is kept: the next copy brings the rest.
            CopyError::Connection { .. } | CopyError::Stalled { .. } if reconnects < connection::RECONNECTS => {
                reconnects += 1;
                let tried = connection::reconnect(context, StepId::Copy, &error.to_string()).await;
                tried.map_err(|in_vain| {
                    let mut failure = nix_words::copy_failure(&error, context.name()).cause(in_vain.message);
                    failure.causes.extend(in_vain.causes);
                    failure.hints.extend(in_vain.hints);
                    failure
                })?;
                // Nix may break off on the host when a cache of its own fails (2.26 does).
                if substitute && reconnects > 1 {
                    substitute = false;
                    without_caches(context, format!("the host broke off while it was to fetch ({error})"));
                }
            }
            CopyError::NoSpace { .. } if !room_was_made && room::after_full_disk(context).await? => {
                room_was_made = true;
            }
            CopyError::Substituter { message } if substitute => {
                substitute = false;
                without_caches(context, format!("the host cannot fetch from its binary caches ({message})"));
            }
            CopyError::NoSpace { .. } => {
                return Err(room::full_disk(context, nix_words::copy_failure(&error, context.name())).await);
            }
            _ => return Err(nix_words::copy_failure(&error, context.name())),
        }
    }
}

/// `14 paths, 22.0 MiB`; the size where it was read meanwhile, for `changes`.
fn in_short(paths: usize, size: Option<u64>) -> String {
    match size.filter(|_| paths > 0) {
        Some(size) => format!("{}, {}", plural(paths, "path"), bytes(size)),
        None => plural(paths, "path"),
    }
}

/// Tells that the host is not to fetch anything any more.
fn without_caches(context: &HostContext, why: String) {
    let recovery = Recovery::helped(RecoveryKind::LeaveOutCache, why, "copied everything from here");
    recover::tell_host(context, StepId::Copy, recovery);
}

/// Copies once, over the connection that stands.
async fn copy(context: &HostContext, substitute: bool) -> Result<Result<Copied, CopyError>, Failure> {
    let run = &context.run;
    let mut to = build::remote_store(context, StepId::Copy).await?;
    let mut from = None;
    let mut builder_link = None;
    if let BuildOn::Host(builder) = &context.host.build_on {
        let builder = build::builder_spec(run, builder)?;
        let link = Link::new(builder).map_err(|error| error.failure())?;
        connection::connect_builder(context, StepId::Copy, &link, builder).await?;
        // Nix takes one ssh configuration for both ends.
        let config = context.link.copy_config_with(&link).await.map_err(|error| error.failure())?;
        from = Some(build::store_over(&link, &config)?);
        to = build::store_over(&context.link, &config)?;
        builder_link = Some(link);
    }
    let log_file = run.spec.run_dir.join(format!("{}-copy.log", context.name()));
    let request = CopyRequest {
        paths: vec![context.new_system()?.clone()],
        from,
        to,
        substitute,
        check_sigs: false,
        stall: context.host.timeouts.copy_stall,
        deadline: LONGEST,
        log_file: &log_file,
    };
    let progress = |progress: NixProgress| {
        context.send(nix_words::progress_event(&progress, context.name(), StepId::Copy));
    };
    let begun = std::time::Instant::now();
    let copied = run.nix.copy(&request, &progress).await;
    if let (None, Ok(copied)) = (&builder_link, &copied)
        && let Some(measure) =
            Measure::of(copied.bytes, copied.paths.len(), begun.elapsed(), context.link.is_compressed())
    {
        link_speed::remember(run, context.name(), measure);
    }
    drop(builder_link);
    Ok(copied)
}

/// Refuses a system for another kind of machine: NixOS names its own in the
/// file `system` of the toplevel, and the derivation names what it builds on.
/// What says neither is let through.
fn same_architecture(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    let Some(evaluated) = context.evaluated.get() else { return Ok(()) };
    let of_toplevel = std::fs::read_to_string(evaluated.out_path.join("system")).ok();
    let system = of_toplevel.or_else(|| evaluated.system.clone()).unwrap_or_default();
    let wanted = system.trim().split('-').next().unwrap_or_default();
    let compatible = wanted.is_empty()
        || wanted == facts.machine
        || (wanted == "i686" && facts.machine == "x86_64")
        || (wanted.starts_with("armv") && facts.machine.starts_with("armv"));
    if compatible {
        return Ok(());
    }
    let host = context.name();
    Err(Failure::new(
        FailureClass::Unfit,
        format!("the system is for {wanted}, but {host} is {}", facts.machine),
    )
    .hint("check `nixpkgs.hostPlatform` of the configuration and `address` of the host in hosts.toml"))
}

/// Says before the copy that the host would refuse unsigned paths.
fn trusted(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    if facts.trusted {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Unfit,
        format!(
            "Nix on {} does not trust user {} to bring paths without a trusted signature",
            context.name(),
            facts.user
        ),
    )
    .hint(format!("on the host: nix.settings.trusted-users = [ \"root\" \"{}\" ];", facts.user))
    .hint("or log in as root (`user = \"root\"`), or build on the host (`build_on = \"target\"`)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StorePath;
    use crate::nix::Closure;

    #[test]
    fn the_size_is_that_of_what_was_copied() {
        let path = |name: &str| StorePath::new(format!("/nix/store/{}-{name}", "0".repeat(32))).unwrap();
        let closure: Closure =
            [(path("a"), 10_240), (path("b"), 2_048), (path("c"), 1 << 30)].into_iter().collect();
        assert_eq!(in_short(2, closure.size_of(&[path("a"), path("b")])), "2 paths, 12.0 KiB");
        assert_eq!(in_short(1, closure.size_of(&[path("elsewhere")])), "1 path");
        assert_eq!(in_short(0, closure.size_of(&[])), "0 paths");
    }
}
