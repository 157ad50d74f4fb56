//! `fleet sync`: the commits of the configuration's history.

use super::jobs::{failed, unless_stopped};
use super::{Desk, print_json};
use crate::cli::SyncArgs;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::jobs::sync::{self, Part, Synced};
use crate::model::text::plural;

/// Reads the history.
pub(super) async fn sync(desk: &Desk, asked: &SyncArgs) -> Result<ExitCode, CommandError> {
    let part = Part { limit: asked.limit, since: asked.since };
    let synced = unless_stopped(async {
        let mut database = desk.open().await?;
        sync::sync(&mut database, &desk.source(), part).await.map_err(failed)
    })
    .await?;
    if desk.json(asked.json) {
        return print_json([&synced]);
    }
    desk.say(&told(&synced));
    notes(desk, &synced);
    Ok(exit::OK)
}

/// What was recorded, in a line.
pub(super) fn told(synced: &Synced) -> String {
    let known = synced.known + synced.reordered;
    let newest = synced.newest.as_deref().map_or("none", |hash| hash.get(..8).unwrap_or(hash));
    let moved = match synced.reordered {
        0 => String::new(),
        count => format!(", {} put in git's order", plural(count, "commit")),
    };
    let new = plural(synced.new, "new commit");
    format!("recorded {new} of {}; {known} known before{moved}; the newest is {newest}", synced.flake)
}

/// What is worth knowing about the repository.
pub(super) fn notes(desk: &Desk, synced: &Synced) {
    if synced.dirty {
        desk.say("note: changes that are not committed belong to no commit, and are not recorded");
    }
    if synced.shallow {
        desk.say(
            "note: this clone is shallow, so older commits are missing; `git fetch --unshallow` brings them",
        );
    }
}
