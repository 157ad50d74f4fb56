//! `changes`: files, packages and size that the deploy would change. Runs beside
//! the copy; a difference that cannot be worked out is a warning, no failure.

use super::context::HostContext;
use super::{Done, StepResult, git, step};
use crate::event::Event;
use crate::host::{Privilege, Script};
use crate::model::text::{plural, signed_bytes};
use crate::model::{Changes, ClosureDiff, HostFacts, StepId, StorePath};
use crate::nix::{self, Closure};

step!(ChangesStep, StepId::Changes);

const CLOSURE: &str = include_str!("../../templates/closure.sh");

async fn run(context: &HostContext) -> StepResult {
    let facts = context.facts()?;
    let (closure, (files, deployed_commit)) =
        tokio::join!(closure_difference(context), files_changed(context, &facts));
    let (reboot_needed, reboot_reasons) = reboot(context, &facts);
    let summary = closure.as_ref().map(summary);
    let changes = Changes { files, deployed_commit, closure, reboot_needed, reboot_reasons };
    context.send(Event::Changes { host: context.name().clone(), changes: Box::new(changes.clone()) });
    // The plan runs this step once per host.
    let _ = context.changes.set(changes);
    Ok(match summary {
        Some(summary) => Done::passed(summary),
        None => Done::warned("the closures could not be compared"),
    })
}

fn summary(difference: &ClosureDiff) -> String {
    let packages = plural(difference.packages.len(), "package");
    format!("{packages}, {}", signed_bytes(difference.size_difference))
}

/// The difference between what the host runs and what it should run; `None`
/// when one of the closures cannot be read. Both are read at the same time.
pub(super) async fn closure_difference(context: &HostContext) -> Option<ClosureDiff> {
    let new = context.new_system().ok()?;
    let (old, new) = tokio::join!(old_closure(context), new_closure(context, new));
    let new = new?;
    let new = context.new_closure.get_or_init(|| new);
    let mut difference = nix::diff(old?, new);
    if context.target.get().is_some() {
        // The host has all of it.
        (difference.new_paths, difference.new_bytes) = (0, 0);
    }
    Some(difference)
}

/// The closure of the new system: from here where it is built, from the host
/// where that has it already.
async fn new_closure(context: &HostContext, new: &StorePath) -> Option<Closure> {
    if context.target.get().is_some() {
        return closure_on_host(context, new).await;
    }
    let closure = context.run.nix.closure(new, None).await;
    closure.inspect_err(|error| tracing::debug!(%error, "closure of the new system")).ok()
}

/// The closure of the running system, read once.
async fn old_closure(context: &HostContext) -> Option<&Closure> {
    context
        .old_closure
        .get_or_init(|| async {
            let facts = context.facts_if_known()?;
            closure_on_host(context, facts.current_system.as_ref()?).await
        })
        .await
        .as_ref()
}

/// The closure of a system that the host has: from the database of the store here where
/// that has it too, as it does when the system was deployed from here. Else Nix on the host
/// is asked, which takes it more than any other question of a deploy.
async fn closure_on_host(context: &HostContext, system: &StorePath) -> Option<Closure> {
    if let Some(closure) = context.run.nix.known_closure(system).await {
        return Some(closure);
    }
    let script = Script::new(CLOSURE).set("SYSTEM", system.as_str());
    let answer = match context.link.run(&script, Privilege::Login, context.command_deadline()).await {
        Ok(text) => Closure::parse(&text).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    answer.inspect_err(|error| tracing::debug!(error, %system, "closure on the host")).ok()
}

/// Files changed since the commit that the host says it was deployed from.
async fn files_changed(context: &HostContext, facts: &HostFacts) -> (Option<Vec<String>>, Option<String>) {
    if context.target.get().is_some() {
        // What is gone back to was not made from the files that are here.
        return (None, None);
    }
    let deployed = facts.deployed.as_ref().filter(|record| Some(&record.path) == facts.current_system.as_ref());
    let Some(commit) = deployed.and_then(|record| record.commit.clone()) else { return (None, None) };
    let Some(directory) = context.run.spec.flake_dir.as_deref() else { return (None, Some(commit)) };
    if context.run.spec.resumed.as_ref().is_some_and(|resumed| resumed.source.is_some()) {
        // Nor was what an interrupted run evaluated before they changed.
        return (None, Some(commit));
    }
    let mut files = crate::git::changed_files(directory, &commit).await.ok();
    // Nix reads files that git does not know only where the flake is no repository to it.
    if let (true, Some(files), Some(source)) =
        (git::sees_untracked(&context.run), &mut files, git::source(&context.run).await)
    {
        files.extend(source.untracked.iter().cloned());
        files.sort();
        files.dedup();
    }
    (files, Some(commit))
}

/// Whether kernel, initrd, modules or kernel parameters differ from those
/// booted, as far as paths known here can tell; the preview asks the host too.
pub(super) fn reboot(context: &HostContext, facts: &HostFacts) -> (bool, Vec<String>) {
    let (Some(booted), Ok(new)) = (&facts.booted_system, context.new_system()) else {
        return (false, Vec::new());
    };
    if booted == new {
        return (false, Vec::new());
    }
    if let Some(preview) = context.preview.get() {
        return (!preview.reboot_reasons.is_empty(), preview.reboot_reasons.clone());
    }
    let reasons: Vec<String> = ["kernel", "initrd", "kernel-modules", "kernel-params"]
        .into_iter()
        .filter(|part| differs(booted, new, part))
        .map(str::to_owned)
        .collect();
    (!reasons.is_empty(), reasons)
}

/// Whether a part of two systems differs; unknown when one is not in our store.
fn differs(booted: &StorePath, new: &StorePath, part: &str) -> bool {
    let resolve = |system: &StorePath| std::fs::canonicalize(system.join(part));
    match (resolve(booted), resolve(new)) {
        (Ok(old), Ok(new)) if old != new => match (std::fs::read(&old), std::fs::read(&new)) {
            // kernel-params is a file of the toplevel itself: its content counts.
            (Ok(old), Ok(new)) => old != new,
            _ => true,
        },
        _ => false,
    }
}
