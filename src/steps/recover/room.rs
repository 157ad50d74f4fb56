//! Room on the host: whether the new paths fit, and garbage collection when they
//! do not.
//!
//! Collected is what no generation refers to; when that does not suffice,
//! generations older than the previous one go, too. What this run has brought
//! already stays.

use std::collections::BTreeSet;

use super::super::changes;
use super::super::context::HostContext;
use super::{Consent, consent, tell_host};
use crate::host::garbage::{self, Generations, Room};
use crate::model::text::{bytes, plural};
use crate::model::{Failure, FailureClass, HostFacts, Recovery, RecoveryKind, StepId, StorePath};

/// Below this much free room, the room that the new paths need is worked out
/// before the copy; above it, that is done beside the copy, which is faster.
const AMPLE_ROOM: u64 = 10 << 30;
/// What must stay free on the host after a copy.
const RESERVE: u64 = 64 << 20;
/// Below so many free inodes the same holds.
const AMPLE_INODES: u64 = 100_000;
/// So many paths fit into the environment of a process.
const MOST_KEPT: usize = 20_000;
/// How many of them must stay free.
const RESERVE_INODES: u64 = 64;

/// What the new paths need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Need {
    bytes: u64,
    paths: usize,
    /// Whether that is known: on a disk that is quite full, Nix cannot even say
    /// what is there. Then the reserve alone decides.
    is_known: bool,
}

impl Need {
    async fn of(context: &HostContext) -> Self {
        match changes::closure_difference(context).await {
            Some(difference) => {
                Self { bytes: difference.new_bytes, paths: difference.new_paths, is_known: true }
            }
            None => Self { bytes: 0, paths: 0, is_known: false },
        }
    }

    fn fits(self, room: Room) -> bool {
        room.bytes.is_none_or(|free| free >= self.bytes.saturating_add(RESERVE))
            // A path is one inode at least, and most are folders.
            && room.inodes.is_none_or(|inodes| inodes >= self.paths as u64 + RESERVE_INODES)
    }

    fn words(self) -> String {
        let new = match self.is_known {
            true => format!("{} in {}", bytes(self.bytes), plural(self.paths, "new path")),
            false => "the new paths".to_owned(),
        };
        format!("it needs {new}, with {} and {RESERVE_INODES} inodes to spare", bytes(RESERVE))
    }
}

/// Whether it is worth working out what the copy needs.
pub(in crate::steps) fn may_be_short(facts: &HostFacts) -> bool {
    facts.store_free.is_some_and(|free| free < AMPLE_ROOM)
        || facts.store_free_inodes.is_some_and(|inodes| inodes < AMPLE_INODES)
}

/// Stops before a copy that would not fit, unless room can be made.
pub(in crate::steps) async fn ensure(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    let need = Need::of(context).await;
    let room = room_of(facts);
    if need.fits(room) {
        return Ok(());
    }
    let why = format!("{} has not enough room for the new system", context.name());
    match make_room(context, need, &format!("{why}: {room} are free")).await? {
        Some(after) if need.fits(after) => Ok(()),
        after => {
            let found = match after {
                Some(after) => format!("{after} were free in /nix/store after its garbage was collected"),
                None => format!("{room} were free in /nix/store"),
            };
            Err(advised(
                context,
                Failure::new(FailureClass::Unfit, why).cause(format!("{}; {found}", need.words())),
            ))
        }
    }
}

/// Makes room after a copy that ended with a full disk; whether it is worth
/// another try.
pub(in crate::steps) async fn after_full_disk(context: &HostContext) -> Result<bool, Failure> {
    let need = Need::of(context).await;
    let free = context.facts_if_known().map(|facts| room_of(&facts)).unwrap_or_default();
    let why = format!("the disk of {} filled up in the copy; {free} were free before it", context.name());
    Ok(make_room(context, need, &why).await?.is_some())
}

/// What a copy that filled the disk needs and what is free now, with what to do about it.
pub(in crate::steps) async fn full_disk(context: &HostContext, failure: Failure) -> Failure {
    let need = Need::of(context).await;
    let before = context.facts_if_known().map(|facts| room_of(&facts)).unwrap_or_default();
    let now = garbage::room(&context.link, context.command_deadline()).await;
    let now = now.inspect_err(|error| tracing::debug!(%error, "room after the copy")).ok();
    let failure = failure.cause(full_disk_text(need, before, now));
    // Nix names a command for it, too; one of them is enough.
    advised(context, Failure { hints: Vec::new(), ..failure })
}

fn full_disk_text(need: Need, before: Room, now: Option<Room>) -> String {
    let now = match now {
        Some(now) => format!("{now} are free in /nix/store now"),
        None => "what is free in /nix/store now the host does not say".to_owned(),
    };
    format!("{}; {now}, with what has arrived of it; {before} were free before the copy", need.words())
}

/// What to do about a full disk by hand, and how to let it be done.
fn advised(context: &HostContext, failure: Failure) -> Failure {
    let failure = failure.hint("free room on the host: `nix-collect-garbage --delete-older-than 14d`");
    if context.host.collect_garbage {
        return failure;
    }
    failure.hint("or let nix-deploy do it: `collect_garbage = true` for this host, or `recover.gc = true` for all, in hosts.toml")
}

fn room_of(facts: &HostFacts) -> Room {
    Room { bytes: facts.store_free, inodes: facts.store_free_inodes }
}

/// Collects garbage where that is allowed; gives what is free then.
async fn make_room(context: &HostContext, need: Need, why: &str) -> Result<Option<Room>, Failure> {
    let host = context.name();
    let question =
        format!("{why}. Collect garbage on {host}? The running, booted, current and previous generation stay.");
    match consent(&context.run, context.host.collect_garbage, question).await {
        Consent::Given => {}
        Consent::Refused => {
            tell_host(context, StepId::Copy, Recovery::declined(RecoveryKind::CollectGarbage, why));
            return Ok(None);
        }
        Consent::Missing => return Ok(None),
    }
    let keep = needed_paths(context).await;
    let mut room = Room::default();
    for generations in [Generations::All, Generations::Recent] {
        let doing = match generations {
            Generations::All => "collecting garbage on the host",
            Generations::Recent => "collecting garbage on the host, with old generations",
        };
        context.progress(StepId::Copy, doing);
        let collected = match garbage::collect(&context.link, &keep, generations).await {
            Ok(collected) => collected,
            Err(error) => {
                let recovery = Recovery::in_vain(RecoveryKind::CollectGarbage, why, error.to_string());
                tell_host(context, StepId::Copy, recovery);
                return Err(error.failure());
            }
        };
        room = collected.room;
        let (what, words) = (RecoveryKind::CollectGarbage, collected.words());
        let recovery = match need.fits(room) {
            true => Recovery::helped(what, why, words),
            false => Recovery::in_vain(what, why, words),
        };
        tell_host(context, StepId::Copy, recovery);
        if need.fits(room) {
            break;
        }
    }
    if let Some(facts) = context.facts_if_known() {
        let facts = HostFacts::clone(&facts);
        context.amend_facts(HostFacts { store_free: room.bytes, store_free_inodes: room.inodes, ..facts });
    }
    Ok(Some(room))
}

/// The paths of this run: part of them may have arrived already.
async fn needed_paths(context: &HostContext) -> BTreeSet<StorePath> {
    let Ok(new) = context.new_system() else { return BTreeSet::new() };
    let closure = context.run.nix.closure(new, None).await;
    let mut keep: BTreeSet<StorePath> = match closure {
        Ok(closure) => closure.iter().map(|(path, _)| path.clone()).take(MOST_KEPT).collect(),
        Err(_) => BTreeSet::new(),
    };
    keep.insert(new.clone());
    keep.extend(context.facts_if_known().and_then(|facts| facts.current_system.clone()));
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_fits_when_bytes_and_inodes_are_left_after_it() {
        let need = Need { bytes: 100 << 20, paths: 10, is_known: true };
        let room = |mib: u64, inodes| Room { bytes: Some(mib << 20), inodes };
        assert!(need.fits(room(164, Some(74))));
        assert!(!need.fits(room(163, Some(74))));
        assert!(!need.fits(room(164, Some(73))));
        assert!(need.fits(room(164, None)) && need.fits(Room::default()));
        let unknown = Need { bytes: 0, paths: 0, is_known: false };
        assert!(unknown.fits(room(64, None)) && !unknown.fits(room(63, None)));
        let said = full_disk_text(need, room(178, None), Some(room(3, None)));
        assert!(said.starts_with("it needs 100 MiB in 10 new paths"), "{said}");
        assert!(said.contains("3.0 MiB are free in /nix/store now"), "{said}");
        assert!(said.ends_with("178 MiB were free before the copy"), "{said}");
        assert!(full_disk_text(need, room(178, None), None).contains("does not say"));
        assert_eq!(need.words(), "it needs 100 MiB in 10 new paths, with 64.0 MiB and 64 inodes to spare");
    }
}
