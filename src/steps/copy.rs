//! `copy`: the closure goes to the host, over the master connection. Both
//! systems get roots there first, so that garbage collection takes neither.

use std::time::Duration;

use super::context::HostContext;
use super::{Done, StepResult, build, changes, nix_words, step};
use crate::event::Event;
use crate::host::Link;
use crate::model::text::{bytes, plural};
use crate::model::{BuildOn, Failure, FailureClass, HostFacts, StepId};
use crate::nix::{CopyError, CopyRequest, NixProgress};

step!(Copy, StepId::Copy);

/// Below this much free room, the room that the new paths need is worked out
/// before the copy; above it, that is done beside the copy, which is faster.
const AMPLE_ROOM: u64 = 10 << 30;
/// What must stay free on the host after a copy.
const RESERVE: u64 = 64 << 20;
/// Below so many free inodes the same holds.
const AMPLE_INODES: u64 = 100_000;
/// How many of them must stay free.
const RESERVE_INODES: u64 = 64;
/// Longest copy, however steadily it advances.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

async fn run(context: &HostContext) -> StepResult {
    let run = &context.run;
    let facts = context.facts()?;
    let new = context.new_system()?;
    let is_remote = context.host.build_on != BuildOn::Target && !context.host.is_local();
    if is_remote {
        same_architecture(context, &facts)?;
        trusted(context, &facts)?;
        if facts.store_free.is_some_and(|free| free < AMPLE_ROOM) || short_of_inodes(&facts) {
            enough_room(context, &facts).await?;
        }
    }
    if context.no_room_for_roots.get().is_some() {
        super::roots::give(context).await?;
    }
    if !is_remote {
        return Ok(Done::skipped("built in place"));
    }
    let mut to = build::remote_store(&context.link).await?;
    let mut from = None;
    let mut builder_link = None;
    if let BuildOn::Host(builder) = &context.host.build_on {
        let link = Link::new(build::builder_spec(run, builder)?).map_err(|error| error.failure())?;
        link.master().await.map_err(|error| error.failure())?;
        // Nix takes one ssh configuration for both ends.
        let config = context.link.copy_config_with(&link).await.map_err(|error| error.failure())?;
        from = Some(build::store_over(&link, &config)?);
        to = build::store_over(&context.link, &config)?;
        builder_link = Some(link);
    }
    let log_file = run.spec.run_dir.join(format!("{}-copy.log", context.name()));
    let request = CopyRequest {
        paths: vec![new.clone()],
        from,
        to,
        substitute: context.host.use_substitutes,
        check_sigs: false,
        stall: context.host.timeouts.copy_stall,
        deadline: LONGEST,
        log_file: &log_file,
    };
    let progress = |progress: NixProgress| {
        context.send(nix_words::progress_event(&progress, context.name(), StepId::Copy));
    };
    let copied = run.nix.copy(&request, &progress).await;
    drop(builder_link);
    match copied {
        Ok(copied) => {
            for line in copied.warnings {
                let host = Some(context.name().clone());
                context.send(Event::Log { host, step: StepId::Copy, line });
            }
            Ok(Done::passed(plural(copied.paths.len(), "path")))
        }
        Err(error) => {
            let mut failure = nix_words::copy_failure(&error);
            if matches!(error, CopyError::NoSpace { .. }) {
                failure = failure.cause(room_text(&facts));
            }
            Err(failure)
        }
    }
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

fn short_of_inodes(facts: &HostFacts) -> bool {
    facts.store_free_inodes.is_some_and(|inodes| inodes < AMPLE_INODES)
}

/// Stops before a copy that would not fit.
async fn enough_room(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    // On a disk that is quite full, Nix cannot even say what is there: then the
    // reserve alone decides.
    let difference = changes::closure_difference(context).await;
    let (needed, paths) =
        difference.as_ref().map_or((0, 0), |difference| (difference.new_bytes, difference.new_paths));
    let fits = |facts: &HostFacts| {
        facts.store_free.is_none_or(|free| free >= needed.saturating_add(RESERVE))
            // A path is one inode at least, and most are folders.
            && facts.store_free_inodes.is_none_or(|inodes| inodes >= paths as u64 + RESERVE_INODES)
    };
    if fits(facts) {
        return Ok(());
    }
    let mut found = room_text(facts);
    if context.host.collect_garbage {
        context.progress(StepId::Copy, "collecting garbage on the host");
        collect_garbage(context).await?;
        let facts = super::host_facts::collect(context).await?;
        let fits_now = fits(&facts);
        found = format!("{} after its garbage was collected", room_text(&facts));
        context.set_facts(facts);
        if fits_now {
            return Ok(());
        }
    }
    let new = difference.map_or_else(
        || "the new paths".to_owned(),
        |_| format!("{} in {}", bytes(needed), plural(paths, "new path")),
    );
    let spare = format!("{} and {RESERVE_INODES} inodes to spare", bytes(RESERVE));
    Err(Failure::new(FailureClass::Unfit, format!("{} has not enough room for the new system", context.name()))
        .cause(format!("it needs {new}, with {spare}; {found}"))
        .hint("free room on the host: `nix-collect-garbage --delete-older-than 14d`")
        .hint("or let nix-deploy do it: `collect_garbage = true` for this host in hosts.toml"))
}

async fn collect_garbage(context: &HostContext) -> Result<(), Failure> {
    let script = crate::host::Script::new(include_str!("../../templates/collect-garbage.sh"));
    // Collecting walks the whole store: minutes on a large one.
    let deadline = Duration::from_secs(3600);
    context
        .link
        .run(&script, crate::host::Privilege::Root, deadline)
        .await
        .map(|_| ())
        .map_err(|error| error.failure())
}

fn room_text(facts: &HostFacts) -> String {
    let free = facts.store_free.map_or("an unknown amount".to_owned(), bytes);
    match facts.store_free_inodes {
        Some(inodes) => format!("{free} and {inodes} inodes were free in /nix/store"),
        None => format!("{free} were free in /nix/store"),
    }
}
