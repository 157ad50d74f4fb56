//! The journal of a run: every event as a JSON line in `events.jsonl`.
//!
//! Owns the file and what to do when it cannot be written. Each event is
//! handed to the system at once, so that a killed process loses none; it is
//! forced to the disk where a power cut would lose what cannot be told again.
//!
//! Invariants: lines are written whole and in order: what a full disk refuses
//! stays in memory and goes first when there is room again. A trouble is told
//! once and never stops the run.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Reporter;
use crate::event::{Envelope, Event};
use crate::model::text::plural;

/// The file's name in the folder of the run.
pub(super) const FILE_NAME: &str = "events.jsonl";
/// How much a disk may refuse before events are dropped, in bytes.
const MOST_PENDING: usize = 16 << 20;
/// How long the end of a run waits for the disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there can be no journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// The folder of the run is missing and cannot be made.
    #[error("create the folder {}", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("create the journal {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A file that can be forced to the disk; tests give their own.
trait Durable: Write + Send {
    fn sync(&mut self) -> io::Result<()>;
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Writes events to the folder of the run.
pub(crate) struct Journal {
    file: Box<dyn Durable>,
    path: PathBuf,
    pending: Vec<u8>,
    pending_events: usize,
    dropped: usize,
    trouble: Option<String>,
    told: bool,
}

impl Journal {
    /// Opens the journal in `run_dir`, which is made when it is missing. Only
    /// this user may read it: logs can hold what a configuration holds.
    pub(crate) fn create(run_dir: &Path) -> Result<Self, JournalError> {
        let folder = |source| JournalError::Folder { path: run_dir.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(run_dir).map_err(folder)?;
        let path = run_dir.join(FILE_NAME);
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let file = opened.map_err(|source| JournalError::File { path: path.clone(), source })?;
        // It says that this program lives, and the system takes it back when it does not. A file
        // system that has no locks only lets a later run look at this one earlier.
        let _ = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        // Some file systems refuse to sync a folder; the file is there all the same.
        let _ = File::open(run_dir).and_then(|folder| folder.sync_all());
        Ok(Self::over(Box::new(file), path))
    }

    fn over(file: Box<dyn Durable>, path: PathBuf) -> Self {
        Self { file, path, pending: Vec::new(), pending_events: 0, dropped: 0, trouble: None, told: false }
    }

    fn push(&mut self, envelope: &Envelope) {
        if self.pending.len() > MOST_PENDING {
            self.dropped += 1;
            return;
        }
        let before = self.pending.len();
        match serde_json::to_writer(&mut self.pending, envelope) {
            Ok(()) => {
                self.pending.push(b'\n');
                self.pending_events += 1;
            }
            Err(error) => {
                self.pending.truncate(before);
                self.tell(&error.to_string());
            }
        }
    }

    /// Hands over what is pending; what was taken before an error is forgotten.
    fn write(&mut self) -> io::Result<()> {
        let mut taken = 0;
        let result = loop {
            if taken == self.pending.len() {
                break Ok(());
            }
            match self.file.write(&self.pending[taken..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.pending.drain(..taken);
        if self.pending.is_empty() {
            self.pending_events = 0;
        }
        result
    }

    fn tell(&mut self, why: &str) {
        if !self.told {
            self.told = true;
            let path = self.path.display();
            self.trouble = Some(format!("the run goes on, but its journal {path} cannot be written: {why}"));
        }
    }
}

/// Whether an event must survive a power cut: it says what was found on or
/// done to a host.
fn must_last(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted { .. }
            | Event::Facts { .. }
            | Event::Activation { .. }
            | Event::HostFinished { .. }
            | Event::RunFinished { .. }
    )
}

impl Reporter for Journal {
    fn event(&mut self, envelope: &Envelope) {
        self.push(envelope);
        let written = self.write().and_then(|()| match must_last(&envelope.event) {
            true => self.file.sync(),
            false => Ok(()),
        });
        if let Err(error) = written {
            self.tell(&error.to_string());
        }
    }

    fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    fn finish(&mut self) {
        let written = self.write().and_then(|()| self.file.sync());
        let missing = self.dropped + if written.is_err() { self.pending_events } else { 0 };
        if missing > 0 {
            let path = self.path.display();
            self.trouble = Some(format!("{} are missing in {path}", plural(missing, "event")));
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;

    use super::*;
    use crate::event::SCHEMA_VERSION;
    use crate::model::RunId;

    fn envelope(seq: u64, event: Event) -> Envelope {
        let run = RunId::new("20251121-120000-abcdef").unwrap();
        Envelope { v: SCHEMA_VERSION, run, seq, time: Timestamp::UNIX_EPOCH, event }
    }

    fn warning(seq: u64) -> Envelope {
        envelope(seq, Event::Warning { host: None, message: format!("warning {seq}\nsecond line"), hint: None })
    }

    fn read(text: &str) -> Vec<Envelope> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[derive(Default)]
    struct Disk {
        text: Vec<u8>,
        room: usize,
        syncs: usize,
    }

    #[derive(Clone, Default)]
    struct SmallDisk(Arc<Mutex<Disk>>);

    impl Write for SmallDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            let count = bytes.len().min(disk.room);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.room -= count;
            disk.text.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Durable for SmallDisk {
        fn sync(&mut self) -> io::Result<()> {
            self.0.lock().unwrap().syncs += 1;
            Ok(())
        }
    }

    #[test]
    fn events_are_read_back_as_they_were_and_only_by_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = folder.path().join("runs/1");
        let mut journal = Journal::create(&run_dir).unwrap();
        let events = [warning(1), envelope(2, Event::Interrupted { at_once: false })];
        for event in &events {
            journal.event(event);
        }
        // Nothing waits in memory: a killed process loses nothing.
        let path = run_dir.join("events.jsonl");
        assert_eq!(read(&std::fs::read_to_string(&path).unwrap()), events);
        journal.finish();
        assert_eq!(journal.trouble(), None);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&run_dir).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_full_disk_is_told_once_and_nothing_is_lost_when_room_returns() {
        let disk = SmallDisk::default();
        disk.0.lock().unwrap().room = 250;
        let mut journal = Journal::over(Box::new(disk.clone()), "/run/events.jsonl".into());
        let events: Vec<_> = (1..=4).map(warning).collect();
        journal.event(&events[0]);
        assert_eq!(journal.trouble(), None);
        journal.event(&events[1]);
        let trouble = journal.trouble().unwrap();
        assert!(trouble.starts_with("the run goes on, but its journal /run/events.jsonl"), "{trouble}");
        journal.event(&events[2]);
        assert_eq!(journal.trouble(), None);
        disk.0.lock().unwrap().room = 10_000;
        journal.event(&events[3]);
        journal.finish();
        assert_eq!(journal.trouble(), None);
        assert_eq!(read(std::str::from_utf8(&disk.0.lock().unwrap().text).unwrap()), events);
    }

    #[test]
    fn the_end_says_how_many_events_a_full_disk_cost() {
        let disk = SmallDisk::default();
        let mut journal = Journal::over(Box::new(disk), "/run/events.jsonl".into());
        journal.event(&warning(1));
        journal.event(&warning(2));
        journal.trouble();
        journal.finish();
        assert_eq!(journal.trouble().unwrap(), "2 events are missing in /run/events.jsonl");
    }

    #[test]
    fn only_what_cannot_be_told_again_is_forced_to_the_disk() {
        let disk = SmallDisk::default();
        disk.0.lock().unwrap().room = 10_000;
        let mut journal = Journal::over(Box::new(disk.clone()), "/run/events.jsonl".into());
        journal.event(&warning(1));
        assert_eq!(disk.0.lock().unwrap().syncs, 0);
        let finished = Event::RunFinished { exit_code: 0, meaning: String::new(), elapsed_ms: 1 };
        journal.event(&envelope(2, finished));
        assert_eq!(disk.0.lock().unwrap().syncs, 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = Journal::create(Path::new("/dev/null/run")).err().unwrap();
        assert_eq!(error.to_string(), "create the folder /dev/null/run");
    }
}
