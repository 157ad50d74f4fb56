//! What `fleet flush` and `fleet prune` do with journals.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::apply::CHECK;
use super::journal;
use super::run::{RecordedRun, folders, is_marked};
use crate::event::Event;
use crate::fleet::database::{Database, Patience};
use crate::fleet::error::FleetError;
use crate::fleet::migrate;
use crate::fleet::url::Address;
use crate::fleet::value::values;

/// Folders of the newest runs are never removed: results of them are in use.
const NEWEST: usize = 10;

/// What was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Flushed {
    /// Runs that had something to record.
    pub(crate) runs: usize,
    /// Events that were not in the database.
    pub(crate) events: usize,
    /// Runs whose journal cannot be read.
    pub(crate) unreadable: Vec<String>,
}

/// Records what runs have left; with `all` also looks through those that were
/// wholly recorded.
pub(crate) async fn flush(address: &Address, state_dir: &Path, all: bool) -> Result<Flushed, FleetError> {
    let mut database = migrate::open(address, Patience::COMMAND).await?;
    let mut flushed = Flushed::default();
    for folder in folders(state_dir) {
        if !all && is_marked(&folder) {
            continue;
        }
        let Some(mut run) = RecordedRun::new(&folder) else { continue };
        match run.record(&mut database).await {
            Ok(0) => {}
            Ok(events) => {
                flushed.events += events;
                flushed.runs += 1;
            }
            Err(FleetError::Journal { .. } | FleetError::Line { .. }) => {
                flushed.unreadable.push(run.id().to_string());
            }
            Err(error) => return Err(error),
        }
    }
    database.close().await;
    Ok(flushed)
}

/// Removes folders of runs that ended before `before` and whose every event is
/// in the database, and gives their number.
pub(crate) async fn remove_journals(
    database: &mut Database,
    state_dir: &Path,
    before: Timestamp,
) -> Result<usize, FleetError> {
    let (checks, runs): (Vec<_>, Vec<_>) = folders(state_dir).into_iter().partition(|folder| is_check(folder));
    let old = runs.len().saturating_sub(NEWEST);
    let mut removed = 0;
    for folder in checks.iter().chain(runs.iter().take(old)).filter(|folder| is_marked(folder)) {
        let Some(run) = RecordedRun::new(folder) else { continue };
        // A mark can be older than the database that is named now: the rows decide.
        let Ok(last) = last_line(folder) else { continue };
        let sql = "SELECT last_seq, ended_at FROM runs WHERE id = $1 AND started_at < $2";
        let row = database.row("read the run", sql, &values![run.id().as_str(), before]).await?;
        let recorded = row.and_then(|cells| cells.first()?.integer()).and_then(|seq| u64::try_from(seq).ok());
        if recorded.is_some_and(|recorded| recorded >= last) && std::fs::remove_dir_all(folder).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a run was a check, which leaves no results.
fn is_check(folder: &Path) -> bool {
    let part = journal::read(folder, 0).ok();
    let first = part.and_then(|part| part.lines.into_iter().next()?.event);
    matches!(first, Some(Event::RunStarted { command, .. }) if command == CHECK)
}

/// The number of the last event in a journal.
fn last_line(folder: &Path) -> Result<u64, FleetError> {
    let (mut offset, mut last) = (0, 0);
    loop {
        let part = journal::read(folder, offset)?;
        last = part.lines.last().map_or(last, |line| line.seq);
        offset = part.offset;
        if !part.more {
            return Ok(last);
        }
    }
}
