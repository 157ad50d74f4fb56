//! A run on its way from its journal into the database.

use std::path::{Path, PathBuf};

use super::apply::apply;
use super::journal;
use super::state::RunState;
use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::values;
use crate::model::RunId;

/// Stands in the folder of a run whose events are all in the database.
const MARK: &str = "recorded";
/// Events of one transaction: a lock is held briefly, and what is done is done.
const AT_A_TIME: usize = 500;

/// A run that is being recorded.
pub(super) struct RecordedRun {
    run: RunId,
    run_dir: PathBuf,
    offset: u64,
    state: RunState,
}

impl RecordedRun {
    /// A run of which nothing was read yet; `None` when the folder is not one.
    pub(super) fn new(run_dir: &Path) -> Option<Self> {
        let name = run_dir.file_name()?.to_str()?;
        let run = RunId::new(name).ok()?;
        Some(Self { run, run_dir: run_dir.to_owned(), offset: 0, state: RunState::default() })
    }

    /// The run's id.
    pub(super) fn id(&self) -> &RunId {
        &self.run
    }

    /// Whether its last event was read.
    fn is_finished(&self) -> bool {
        self.state.is_finished
    }

    /// Records what the journal has more than was read before, and gives the
    /// number of events that were not in the database yet.
    pub(super) async fn catch_up(&mut self, database: &mut Database) -> Result<usize, FleetError> {
        let mut count = 0;
        loop {
            let part = journal::read(&self.run_dir, self.offset)?;
            // Only what is in the database counts as read: a part that fails is read again.
            let mut state = self.state.clone();
            for lines in part.lines.chunks(AT_A_TIME) {
                count += apply(database, &self.run, &mut state, lines).await?;
            }
            self.state = state;
            self.offset = part.offset;
            if !part.more {
                return Ok(count);
            }
        }
    }

    /// Records what is missing, marks the run when nothing can follow any more,
    /// and gives the number of events that were not in the database yet.
    pub(super) async fn record(&mut self, database: &mut Database) -> Result<usize, FleetError> {
        let mut count = self.catch_up(database).await?;
        // A run without a line is one that is about to begin: its journal has its lock before its
        // first line, so only from then on the lock tells, and asking for it disturbs nobody.
        if self.offset == 0 {
            return Ok(count);
        }
        if !self.is_finished() {
            if !journal::is_abandoned(&self.run_dir) {
                return Ok(count);
            }
            // Its program may have written its last words since they were looked for.
            count += self.catch_up(database).await?;
        }
        if !self.is_finished() {
            let sql = "UPDATE runs SET outcome = 'the program ended without a word' WHERE id = $1 AND outcome IS NULL";
            database.execute("write the run's end", sql, &values![self.run.as_str()]).await?;
        }
        // Without the mark the run is looked at again, which changes nothing.
        let _ = std::fs::write(self.run_dir.join(MARK), "");
        Ok(count)
    }
}

/// Whether a run's folder is marked.
pub(super) fn is_marked(run_dir: &Path) -> bool {
    run_dir.join(MARK).exists()
}

/// The folders of all runs, oldest first.
pub(super) fn folders(state_dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(state_dir.join("runs")) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    // Run ids sort by time.
    folders.sort();
    folders
}
