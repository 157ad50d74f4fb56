//! Reads the history of the configuration into the database.

use jiff::Timestamp;
use serde::Serialize;

use super::{FlakeSource, JobError};
use crate::fleet::{Database, commits, shared};
use crate::git::Range;
use crate::model::Commit;

/// What a sync did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Synced {
    /// The flake's name.
    pub(crate) flake: String,
    /// The newest commit.
    pub(crate) newest: Option<String>,
    /// Commits that were not recorded before.
    pub(crate) new: usize,
    /// Commits whose recorded time contradicted their order.
    pub(crate) reordered: usize,
    /// Commits that were recorded already.
    pub(crate) known: usize,
    /// Whether the folder has changes that are not committed.
    pub(crate) dirty: bool,
    /// Whether older commits are missing because the clone is a shallow one.
    pub(crate) shallow: bool,
    /// The flake's row.
    #[serde(skip)]
    pub(crate) flake_id: i64,
    /// The newest commits of the history, as many as were asked for, newest first.
    #[serde(skip)]
    pub(crate) asked: Vec<String>,
}

/// Which part of the history. Older commits belong to it, too, when they follow
/// one that is recorded: hosts are not less behind because nobody looked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    /// Only so many of the newest.
    pub(crate) limit: Option<u64>,
    /// Only from then on.
    pub(crate) since: Option<Timestamp>,
}

/// Records the commits that are not recorded yet.
pub(crate) async fn sync(
    database: &mut Database,
    source: &FlakeSource,
    part: Part,
) -> Result<Synced, JobError> {
    let (read, identity) = tokio::join!(source.history(Range::default()), source.identity());
    let read = read?;
    let flake_id = database.transaction(async |database| shared::flake(database, &identity).await).await?;
    let commits = &read.history.commits;
    let from = part.begin(commits);
    let recorded = commits::record(database, flake_id, commits, from, Timestamp::now()).await?;
    let asked = commits.get(from..).unwrap_or_default().iter().rev();
    Ok(Synced {
        flake: identity.name,
        newest: commits.last().map(|commit| commit.hash.clone()),
        new: recorded.new,
        reordered: recorded.moved,
        known: recorded.known,
        dirty: read.is_dirty,
        shallow: read.history.is_shallow,
        flake_id,
        asked: asked.map(|commit| commit.hash.clone()).collect(),
    })
}

impl Part {
    /// Where in the history it begins.
    fn begin(self, history: &[Commit]) -> usize {
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok());
        let newest = limit.map_or(0, |limit| history.len().saturating_sub(limit));
        let is_new = |commit: &Commit| self.since.is_none_or(|since| commit.time >= since);
        newest.max(history.iter().position(is_new).unwrap_or(history.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_with_the_history() {
        let commit = |second| Commit { hash: String::new(), time: Timestamp::from_second(second).unwrap() };
        let history = [100, 200, 50, 300].map(commit);
        let begin = |limit, since: Option<i64>| {
            let since = since.map(|second| Timestamp::from_second(second).unwrap());
            Part { limit, since }.begin(&history)
        };
        let found = [begin(None, None), begin(Some(1), None), begin(Some(9), None), begin(None, Some(150))];
        assert_eq!(found, [0, 3, 0, 1]);
        assert_eq!((begin(Some(1), Some(150)), begin(None, Some(999))), (3, 4));
    }
}
