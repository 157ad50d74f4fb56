//! Changing flake.lock so that it can always be put back.
//!
//! Four files beside each other, all in the flake's folder:
//!
//! - `flake.lock`, replaced in one rename and never written in place;
//! - `flake.lock.backup`, what it was before the newest update (empty: there
//!   was none); it stays after the update, for `update --undo`;
//! - `flake.lock.updating`, the marker of an update that has not ended. It holds
//!   both lock files whole, is locked by the program that updates, and comes and
//!   goes in one rename or unlink;
//! - `flake.lock.backup.RUN`, the backup of the update before, until this one
//!   has ended well.
//!
//! Invariants: while flake.lock may differ from what it was, the marker is
//! there; it appears before anything changes, and removing it is what ends an
//! update. So after a SIGKILL at any point the next program can put back what
//! was, byte for byte; and a flake.lock that somebody else has changed since
//! is never touched.

use std::fs::{self, File, FileTimes};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::durable::{read_text, remove, rename_new, system_time, write_new};
use super::transaction_error::TransactionError;
use crate::model::RunId;

/// Where a program may be cut off; tests kill it at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// The marker is there, nothing else has changed.
    Marked,
    /// The older backup is out of the way.
    OlderAside,
    /// The backup is written.
    BackedUp,
    /// The new lock file lies beside the old one.
    Written,
    /// flake.lock is the new one.
    Replaced,
    /// The old lock file lies beside the new one.
    OldWritten,
    /// flake.lock is the old one again.
    PutBack,
    /// The older backup is the backup again.
    OlderBack,
    /// The marker is gone.
    Ended,
}

/// Hears where the transaction is.
type Watch = fn(Point);

fn unwatched(_: Point) {}

/// What the marker holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    run: RunId,
    actor: String,
    process: u32,
    began: Timestamp,
    /// flake.lock before; `None` when there was none.
    old: Option<OldLock>,
    new: String,
    had_backup: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OldLock {
    text: String,
    mode: u32,
    /// When it was last changed, in seconds since 1970 and nanoseconds.
    changed: (i64, i64),
}

/// The lock file of a flake and what lies beside it.
#[derive(Clone, Debug)]
pub(crate) struct FlakeLock {
    lock: PathBuf,
    backup: PathBuf,
    marker: PathBuf,
    watch: Watch,
}

/// An update that a program began and did not end.
#[derive(Debug)]
pub(crate) struct Unfinished {
    files: FlakeLock,
    record: Record,
    /// Held, so that nobody else puts it back at the same time.
    marker: File,
}

/// What putting back an unfinished update came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// The run that was cut off.
    pub(crate) run: RunId,
    /// Who had begun it.
    pub(crate) actor: String,
    /// When.
    pub(crate) began: Timestamp,
    /// What was found, and so what was done.
    pub(crate) found: Found,
}

/// In which state an unfinished update had left flake.lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Found {
    /// It was not changed yet.
    Untouched,
    /// It was changed, and is what it was before.
    Updated,
    /// Somebody has changed it since: it is left as it is, and the backup too.
    Foreign,
}

/// A change of flake.lock that has not ended: dropped, it is taken back.
#[derive(Debug)]
pub(crate) struct LockUpdate {
    files: FlakeLock,
    record: Record,
    /// Locked as long as this lives.
    marker: File,
    open: bool,
}

impl FlakeLock {
    /// The lock file of the flake in a folder; it need not be there.
    pub(crate) fn of(flake_dir: &Path) -> Self {
        let lock = flake_dir.join("flake.lock");
        // A link is followed, so that the rename replaces the file and not the link.
        let lock = fs::canonicalize(&lock).unwrap_or(lock);
        let beside = |suffix: &str| {
            let mut name = lock.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { backup: beside(".backup"), marker: beside(".updating"), lock, watch: unwatched }
    }

    /// flake.lock.
    pub(crate) fn path(&self) -> &Path {
        &self.lock
    }

    /// Its content; `None` when there is no such file.
    pub(crate) fn read(&self) -> Result<Option<String>, TransactionError> {
        read_text(&self.lock)
    }

    /// What the newest update replaced; the inner `None` says that there was no
    /// lock file before it.
    pub(crate) fn read_backup(&self) -> Result<Option<String>, TransactionError> {
        match read_text(&self.backup)? {
            None => Err(TransactionError::NoBackup { path: self.backup.clone() }),
            Some(text) => Ok((!text.is_empty()).then_some(text)),
        }
    }

    /// The update that was begun here and has not ended, if its program is gone.
    pub(crate) fn unfinished(&self) -> Result<Option<Unfinished>, TransactionError> {
        loop {
            let mut marker = match File::open(&self.marker) {
                Ok(marker) => marker,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(TransactionError::io("read", &self.marker)(error)),
            };
            let held = flock(&marker, FlockOperation::NonBlockingLockExclusive);
            if held == Err(rustix::io::Errno::WOULDBLOCK) {
                return Err(TransactionError::Busy { who: self.holder(&mut marker) });
            }
            held.map_err(|error| TransactionError::io("lock", &self.marker)(error.into()))?;
            // Whoever held it may have ended the update just now.
            if self.is_marker(&marker) {
                let record = self.record(&mut marker)?;
                return Ok(Some(Unfinished { files: self.clone(), record, marker }));
            }
        }
    }

    /// Replaces flake.lock. What was there comes back when the change is
    /// dropped without [`LockUpdate::keep`]. An unfinished update is put back
    /// first: ask [`Self::unfinished`] before, to be able to say so.
    pub(crate) fn replace(&self, new: &str, run: &RunId, actor: &str) -> Result<LockUpdate, TransactionError> {
        loop {
            let record = Record {
                run: run.clone(),
                actor: actor.to_owned(),
                process: std::process::id(),
                began: Timestamp::now(),
                old: self.old()?,
                new: new.to_owned(),
                had_backup: self.backup.exists(),
            };
            if let Some(marker) = self.mark(&record)? {
                let update = LockUpdate { files: self.clone(), record, marker, open: true };
                // From here on an error takes back what was done: the update is dropped.
                update.apply()?;
                return Ok(update);
            }
        }
    }

    fn old(&self) -> Result<Option<OldLock>, TransactionError> {
        let Some(text) = self.read()? else { return Ok(None) };
        let found = fs::metadata(&self.lock).map_err(TransactionError::io("read", &self.lock))?;
        Ok(Some(OldLock { text, mode: found.mode() & 0o7777, changed: (found.mtime(), found.mtime_nsec()) }))
    }

    /// Puts up the marker, whole and locked at once; `None` when another one
    /// had to be taken away first.
    fn mark(&self, record: &Record) -> Result<Option<File>, TransactionError> {
        let failed = || TransactionError::io("write", &self.marker);
        let text = serde_json::to_vec(record).map_err(|error| failed()(error.into()))?;
        let own = self.aside("marker", &record.run);
        let marker = write_new(&own, &text, 0o644)?;
        flock(&marker, FlockOperation::NonBlockingLockExclusive).map_err(|error| failed()(error.into()))?;
        if let Err(error) = rename_new(&own, &self.marker) {
            remove(&own)?;
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(failed()(error));
            }
            if let Some(unfinished) = self.unfinished()? {
                unfinished.put_back()?;
            }
            return Ok(None);
        }
        self.sync_folder();
        self.sweep(&record.run);
        (self.watch)(Point::Marked);
        Ok(Some(marker))
    }

    /// Removes what a program that was killed right after its update left; what is called
    /// otherwise is a person's own.
    fn sweep(&self, run: &RunId) {
        let (Some(folder), Some(name)) = (self.lock.parent(), self.lock.file_name()) else { return };
        let name = name.to_string_lossy();
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.filter_map(Result::ok) {
            let found = entry.file_name().to_string_lossy().into_owned();
            let is_ours = ["backup", "new", "old", "marker"].iter().any(|kind| {
                let id = found.strip_prefix(&format!("{name}.{kind}."));
                id.is_some_and(|id| id != run.as_str() && RunId::is_generated(id))
            });
            if is_ours {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// A file of a run that is gone when the run's update has ended.
    fn aside(&self, kind: &str, run: &RunId) -> PathBuf {
        let mut name = self.lock.clone().into_os_string();
        name.push(format!(".{kind}.{run}"));
        PathBuf::from(name)
    }

    fn record(&self, marker: &mut File) -> Result<Record, TransactionError> {
        let mut text = String::new();
        marker.read_to_string(&mut text).map_err(TransactionError::io("read", &self.marker))?;
        serde_json::from_str(&text)
            .map_err(|error| TransactionError::Marker { path: self.marker.clone(), detail: error.to_string() })
    }

    fn holder(&self, marker: &mut File) -> String {
        match self.record(marker) {
            Ok(Record { run, actor, process, began, .. }) => {
                format!(
                    "run {run} of {actor}, process {process}, since {}",
                    began.strftime("%Y-%m-%d %H:%M:%SZ")
                )
            }
            Err(_) => "its marker cannot be read".to_owned(),
        }
    }

    /// Whether the opened file is what the marker's name leads to.
    fn is_marker(&self, marker: &File) -> bool {
        match (marker.metadata(), fs::metadata(&self.marker)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    /// Puts back what was before an update. The marker is held, and goes last.
    fn take_back(&self, record: &Record) -> Result<Found, TransactionError> {
        let now = self.read()?;
        let old = record.old.as_ref().map(|old| old.text.as_str());
        let found = match now.as_deref() {
            now if now == old => Found::Untouched,
            Some(now) if now == record.new => Found::Updated,
            _ => Found::Foreign,
        };
        if found == Found::Updated {
            match &record.old {
                Some(old) => self.put_back(old, &record.run)?,
                None => remove(&self.lock)?,
            }
            self.sync_folder();
            (self.watch)(Point::PutBack);
        }
        let older = self.aside("backup", &record.run);
        match found {
            // The backup is all there is of what was: it stays, and is the newest.
            Found::Foreign if read_text(&self.backup)?.as_deref() == Some(old.unwrap_or_default()) => {
                remove(&older)?;
            }
            _ if older.exists() => {
                fs::rename(&older, &self.backup).map_err(TransactionError::io("write", &self.backup))?;
            }
            Found::Untouched | Found::Updated if !record.had_backup => remove(&self.backup)?,
            _ => {}
        }
        (self.watch)(Point::OlderBack);
        remove(&self.aside("new", &record.run))?;
        remove(&self.aside("old", &record.run))?;
        remove(&self.marker)?;
        self.sync_folder();
        (self.watch)(Point::Ended);
        Ok(found)
    }

    fn put_back(&self, old: &OldLock, run: &RunId) -> Result<(), TransactionError> {
        let beside = self.aside("old", run);
        remove(&beside)?;
        let file = write_new(&beside, old.text.as_bytes(), old.mode)?;
        let (seconds, nanoseconds) = old.changed;
        if let Some(changed) = system_time(seconds, nanoseconds) {
            // Its age is a courtesy; the content is what counts.
            let _ = file.set_times(FileTimes::new().set_modified(changed));
        }
        (self.watch)(Point::OldWritten);
        fs::rename(&beside, &self.lock).map_err(TransactionError::io("write", &self.lock))
    }

    /// Makes names last; some file systems refuse to, and do it all the same.
    fn sync_folder(&self) {
        if let Some(folder) = self.lock.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
    }
}

impl LockUpdate {
    fn apply(&self) -> Result<(), TransactionError> {
        let Self { files, record, .. } = self;
        let mode = record.old.as_ref().map_or(0o644, |old| old.mode);
        if record.had_backup {
            let aside = files.aside("backup", &record.run);
            fs::rename(&files.backup, aside).map_err(TransactionError::io("rename", &files.backup))?;
        }
        (files.watch)(Point::OlderAside);
        let old = record.old.as_ref().map_or("", |old| old.text.as_str());
        let beside = files.aside("old", &record.run);
        write_new(&beside, old.as_bytes(), mode)?;
        fs::rename(&beside, &files.backup).map_err(TransactionError::io("write", &files.backup))?;
        files.sync_folder();
        (files.watch)(Point::BackedUp);
        let beside = files.aside("new", &record.run);
        write_new(&beside, record.new.as_bytes(), mode)?;
        (files.watch)(Point::Written);
        fs::rename(&beside, &files.lock).map_err(TransactionError::io("write", &files.lock))?;
        files.sync_folder();
        (files.watch)(Point::Replaced);
        Ok(())
    }

    /// The update has ended well: the new lock file stays, and so does the backup.
    pub(crate) fn keep(mut self) -> Result<(), TransactionError> {
        remove(&self.files.marker)?;
        self.open = false;
        self.files.sync_folder();
        (self.files.watch)(Point::Ended);
        // What is left now is swept by the next update.
        let _ = fs::remove_file(self.files.aside("backup", &self.record.run));
        let _ = &self.marker;
        Ok(())
    }

    /// Puts flake.lock back as it was, and the backup that was there before.
    pub(crate) fn restore(mut self) -> Result<(), TransactionError> {
        self.open = false;
        match self.files.take_back(&self.record)? {
            Found::Foreign => Err(TransactionError::Foreign { path: self.files.lock.clone() }),
            Found::Untouched | Found::Updated => Ok(()),
        }
    }
}

impl Drop for LockUpdate {
    fn drop(&mut self) {
        if self.open
            && let Err(error) = self.files.take_back(&self.record)
        {
            // The marker stays, and the next update says so.
            tracing::error!(%error, "flake.lock is not put back");
        }
    }
}

impl Unfinished {
    /// Puts back what was before it.
    pub(crate) fn put_back(self) -> Result<Recovered, TransactionError> {
        let found = self.files.take_back(&self.record)?;
        let _ = &self.marker;
        let Record { run, actor, began, .. } = self.record;
        Ok(Recovered { run, actor, began, found })
    }

    /// Whether it had been the first lock file of the flake.
    pub(crate) fn is_first(&self) -> bool {
        self.record.old.is_none()
    }
}

#[cfg(test)]
mod tests;
