//! Builds that failed for a reason that is not their own: a full disk, a lost
//! connection to the host that builds, or a binary cache that is gone. Each is set
//! right once, a connection a few times; then the build goes on where it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::super::context::RunContext;
use super::{Consent, caches, connection, consent, say, tell};
use crate::host::garbage::{self, Collected, Generations, Room};
use crate::host::{HostError, Link, facts};
use crate::model::{Failure, HostName, HostSpec, Recovery, RecoveryKind, StepId, StorePath};
use crate::nix::{BuildError, BuildRequest};

/// With more than this free, it is not the store that is full: a builder's own
/// folder is, for example.
const STORE_HAS_ROOM: u64 = 2 << 30;

/// Where something is built.
#[derive(Clone, Copy, Debug)]
pub(in crate::steps) enum Place<'a> {
    /// On the machine we run on.
    Here,
    /// On a host.
    Host(&'a HostSpec),
}

/// What was tried already.
#[derive(Debug, Default)]
pub(in crate::steps) struct Tried {
    room: bool,
    caches: bool,
    reconnects: u32,
}

type Results = BTreeMap<StorePath, Result<(), BuildError>>;

/// Sets right what made a build fail. `true` when it is worth another try, for
/// which `request` is changed as needed.
pub(in crate::steps) async fn set_right(
    run: &RunContext,
    place: Place<'_>,
    hosts: &[HostName],
    results: &Results,
    request: &mut BuildRequest<'_>,
    tried: &mut Tried,
) -> bool {
    let mut errors = results.values().filter_map(|result| result.as_ref().err());
    if let Place::Host(builder) = place
        && let Some(said) = errors.clone().find_map(BuildError::lost_connection)
    {
        tried.reconnects += 1;
        // What it has built is kept. Its own way to the host goes on without the master.
        return match Link::new(builder) {
            Ok(link) if tried.reconnects <= connection::RECONNECTS => {
                connection::rebuild(run, &link, builder, hosts, &said).await
            }
            _ => false,
        };
    }
    if !tried.room && errors.clone().any(BuildError::is_full_disk) {
        tried.room = true;
        let keep = needed_paths(run, request).await;
        return match place {
            Place::Here => make_room_here(run, hosts, StepId::Build, &keep).await,
            Place::Host(spec) => make_room_on(run, spec, hosts, &keep).await,
        };
    }
    let said = errors.find_map(BuildError::dead_cache);
    if let (Place::Here, false, Some(said)) = (place, tried.caches, said) {
        tried.caches = true;
        let downloads = request.failed_downloads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What failed says where: the build itself only says that.
        let said = downloads.last().cloned().unwrap_or_else(|| said.to_owned());
        say(run, hosts, StepId::Build, "building without the binary cache that is gone");
        request.options = caches::without_the_dead(run, hosts, &said, &downloads).await;
        return true;
    }
    false
}

/// Collects garbage on the machine we run on, where that is allowed. `true` when
/// there is room again.
pub(in crate::steps) async fn make_room_here(
    run: &RunContext,
    hosts: &[HostName],
    step: StepId,
    keep: &BTreeSet<StorePath>,
) -> bool {
    let before = Room::here();
    if has_room(before) {
        return false;
    }
    let why = format!("the disk of this machine is full: {before} are free in /nix/store");
    if !may_collect(run, run.spec.recover.gc, &why, "here", (hosts, step)).await {
        return false;
    }
    say(run, hosts, step, "collecting garbage on this machine");
    tell_collected(run, hosts, step, &why, before, garbage::collect_here(keep).await)
}

/// The same on a host that builds.
async fn make_room_on(
    run: &RunContext,
    spec: &HostSpec,
    hosts: &[HostName],
    keep: &BTreeSet<StorePath>,
) -> bool {
    let Ok(link) = Link::new(spec) else { return false };
    let Some(before) = room_on(&link, spec).await else { return false };
    let name = &spec.name;
    let why = format!("the disk of {name}, which builds, is full: {before} are free in /nix/store");
    let on_it = format!("on {name}");
    if !may_collect(run, spec.collect_garbage, &why, &on_it, (hosts, StepId::Build)).await {
        return false;
    }
    say(run, hosts, StepId::Build, &format!("collecting garbage {on_it}"));
    let collected = garbage::collect(&link, keep, Generations::All).await;
    tell_collected(run, hosts, StepId::Build, &why, before, collected)
}

/// What is free on a host; asking tells how the login becomes root, too.
async fn room_on(link: &Link, spec: &HostSpec) -> Option<Room> {
    match facts::collect(link, spec).await {
        Ok(facts) => Some(Room { bytes: facts.store_free, inodes: facts.store_free_inodes }),
        Err(error) => {
            tracing::debug!(%error, "room on the machine that builds");
            None
        }
    }
}

/// Whether it is not the store that is full.
fn has_room(room: Room) -> bool {
    room.bytes.is_some_and(|free| free > STORE_HAS_ROOM) && room.inodes.is_none_or(|free| free > 0)
}

/// What is free where there was no room, and how to get more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::steps) struct Advice {
    /// Whose disk it is.
    full: String,
    cause: String,
    hints: Vec<String>,
}

/// What to say of a place that has no room; `None` when it does not answer.
pub(in crate::steps) async fn advice(run: &RunContext, place: Place<'_>) -> Option<Advice> {
    let (room, name, is_set) = match place {
        Place::Here => (Room::here(), "this machine", run.spec.recover.gc),
        Place::Host(spec) => {
            let link = Link::new(spec).ok()?;
            (room_on(&link, spec).await?, spec.name.as_str(), spec.collect_garbage)
        }
    };
    Some(Advice::of(room, name, (!is_set).then_some(place)))
}

impl Advice {
    /// `ask` is the place where collecting garbage is not allowed yet.
    fn of(room: Room, name: &str, ask: Option<Place<'_>>) -> Self {
        let cause = format!("{room} are free in /nix/store of {name}");
        if has_room(room) {
            let hint = "another disk is full: builders work in `build-dir` of nix.conf, or in TMPDIR";
            return Self { full: format!("a disk of {name} is full"), cause, hints: vec![hint.to_owned()] };
        }
        let by_hand = format!("free room on {name}: `nix-collect-garbage --delete-older-than 14d`");
        let by_itself = ask.map(|place| match place {
            Place::Here => "or let nix-deploy do it: `recover.gc = true` in hosts.toml".to_owned(),
            Place::Host(_) => format!(
                "or let nix-deploy do it: `collect_garbage = true` for {name}, or `recover.gc = true` for all, in hosts.toml"
            ),
        });
        let hints = std::iter::once(by_hand).chain(by_itself).collect();
        Self { full: format!("the disk of {name} is full"), cause, hints }
    }
}

/// A failure with the advice, where there is any; `what` could not be done.
pub(in crate::steps) fn advised(mut failure: Failure, what: &str, advice: Option<&Advice>) -> Failure {
    let Some(Advice { full, cause, hints }) = advice.cloned() else { return failure };
    let said = std::mem::replace(&mut failure.message, format!("{what}: {full}"));
    failure.causes.insert(0, said);
    hints.into_iter().fold(failure.cause(cause), Failure::hint)
}

async fn may_collect(
    run: &RunContext,
    is_set: bool,
    why: &str,
    place: &str,
    (hosts, step): (&[HostName], StepId),
) -> bool {
    let question = format!("{why}. Collect garbage {place}? Generations and what this run built stay.");
    match consent(run, is_set, question).await {
        Consent::Given => true,
        Consent::Refused => {
            tell(run, hosts, step, Recovery::declined(RecoveryKind::CollectGarbage, why));
            false
        }
        Consent::Missing => false,
    }
}

fn tell_collected(
    run: &RunContext,
    hosts: &[HostName],
    step: StepId,
    why: &str,
    before: Room,
    collected: Result<Collected, HostError>,
) -> bool {
    let what = RecoveryKind::CollectGarbage;
    let (recovery, helped) = match &collected {
        Ok(collected) if grew(before, collected.room) => (Recovery::helped(what, why, collected.words()), true),
        Ok(collected) => (Recovery::in_vain(what, why, collected.words()), false),
        Err(error) => (Recovery::in_vain(what, why, error.to_string()), false),
    };
    tell(run, hosts, step, recovery);
    helped
}

fn grew(before: Room, after: Room) -> bool {
    after.bytes > before.bytes || after.inodes > before.inodes
}

/// What this run evaluated, built and fetched so far.
async fn needed_paths(run: &RunContext, request: &BuildRequest<'_>) -> BTreeSet<StorePath> {
    let mut keep: BTreeSet<StorePath> = request.targets.iter().map(|target| target.drv_path.clone()).collect();
    let begun = request.begun.lock().unwrap_or_else(PoisonError::into_inner).clone();
    keep.extend(request.fetched.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    keep.extend(run.nix.outputs(&begun).await);
    keep
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureClass;

    #[test]
    fn what_is_free_is_told_with_what_to_do_about_it() {
        let room = |mib: u64| Room { bytes: Some(mib << 20), inodes: None };
        let advice = Advice::of(room(12), "this machine", Some(Place::Here));
        assert_eq!(advice.cause, "12.0 MiB are free in /nix/store of this machine");
        assert!(advice.hints[0].contains("nix-collect-garbage") && advice.hints[1].contains("recover.gc"));
        let failure = Failure::new(FailureClass::Build, "No space left on device");
        let failure = advised(failure, "p620 cannot be built", Some(&advice));
        assert_eq!(failure.message, "p620 cannot be built: the disk of this machine is full");
        assert_eq!(failure.causes, ["No space left on device", advice.cause.as_str()]);
        assert_eq!(failure.hints.len(), 2);
        assert_eq!(Advice::of(room(12), "p620", None).hints.len(), 1);
        let elsewhere = Advice::of(room(4096), "p620", Some(Place::Here));
        assert!(elsewhere.hints[0].contains("another disk"), "{elsewhere:?}");
    }
}
