//! Reads the history of the configuration into the database.

use jiff::Timestamp;
use serde::Serialize;

use super::{FlakeSource, JobError};
use crate::fleet::{Database, commits, shared};
use crate::git::Range;

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
}

/// Which part of the history.
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
    let range = Range { until: None, limit: part.limit, since: part.since };
    let (read, identity) = tokio::join!(source.history(range), source.identity());
    let read = read?;
    let flake_id = database.transaction(async |database| shared::flake(database, &identity).await).await?;
    let commits = &read.history.commits;
    let recorded = commits::record(database, flake_id, commits, Timestamp::now()).await?;
    Ok(Synced {
        flake: identity.name,
        newest: commits.last().map(|commit| commit.hash.clone()),
        new: recorded.new,
        reordered: recorded.moved,
        known: recorded.known,
        dirty: read.is_dirty,
        shallow: read.history.is_shallow,
        flake_id,
    })
}
