//! Reads the journal of a run, from where it was read last.
//!
//! Only whole lines count: what is behind the last line end is still being
//! written, or was cut off by the end of its program.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::event::{Event, SCHEMA_VERSION};
use crate::fleet::error::FleetError;

/// The journal's name in the folder of a run.
const FILE_NAME: &str = "events.jsonl";
/// How much is read at a time, in bytes; a line may be longer.
const AT_A_TIME: u64 = 4 << 20;

/// One line of a journal. An event that this version does not know is passed
/// by, and counted.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) time: Timestamp,
    pub(super) event: Option<Event>,
}

#[derive(Deserialize)]
struct RawLine {
    v: u32,
    seq: u64,
    time: Timestamp,
    event: serde_json::Value,
}

/// What was read, and where reading goes on.
pub(super) struct Part {
    pub(super) lines: Vec<Line>,
    pub(super) offset: u64,
    /// Whether there may be more to read at once.
    pub(super) more: bool,
}

/// The file in the folder of a run.
pub(super) fn path(run_dir: &Path) -> PathBuf {
    run_dir.join(FILE_NAME)
}

/// Reads whole lines from an offset on.
pub(super) fn read(run_dir: &Path, offset: u64) -> Result<Part, FleetError> {
    let path = path(run_dir);
    let failed = |source| FleetError::Journal { path: path.clone(), source };
    let mut file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Part { lines: Vec::new(), offset, more: false });
        }
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut wanted = AT_A_TIME;
    let end = loop {
        (&mut file).take(wanted).read_to_end(&mut bytes).map_err(failed)?;
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(index) => break index + 1,
            // A single line that is longer than what was read.
            None if offset + (bytes.len() as u64) < length => wanted = AT_A_TIME,
            None => break 0,
        }
    };
    let text = bytes.get(..end).unwrap_or_default();
    let mut lines = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if !line.is_empty() {
            lines.push(parse(line).map_err(|reason| FleetError::Line {
                place: path.display().to_string(),
                line: index + 1,
                reason,
            })?);
        }
    }
    let offset = offset + end as u64;
    Ok(Part { lines, offset, more: end > 0 && offset < length })
}

fn parse(line: &[u8]) -> Result<Line, String> {
    let raw: RawLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if raw.v > SCHEMA_VERSION {
        return Err(format!("it was written by a newer nix-deploy (format {})", raw.v));
    }
    Ok(Line { seq: raw.seq, time: raw.time, event: serde_json::from_value(raw.event).ok() })
}

/// Whether the program that wrote into this journal is gone: it holds a lock on
/// it for as long as it lives (`report/journal.rs`).
pub(super) fn is_abandoned(run_dir: &Path) -> bool {
    use rustix::fs::{FlockOperation, flock};
    let Ok(file) = std::fs::File::open(path(run_dir)) else { return false };
    // Closing the file gives the lock back.
    flock(&file, FlockOperation::NonBlockingLockShared).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"v":1,"run":"r","seq":1,"time":"2025-11-21T12:00:00Z","event":{"type":"interrupted","at_once":false}}"#;
    const UNKNOWN: &str =
        r#"{"v":1,"run":"r","seq":2,"time":"2025-11-21T12:00:01Z","event":{"type":"of-tomorrow"}}"#;

    #[test]
    fn only_whole_lines_are_read_and_reading_goes_on_behind_them() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), 0).unwrap().lines.is_empty());
        let half = &UNKNOWN[..40];
        std::fs::write(path(folder.path()), format!("{FIRST}\n{half}")).unwrap();
        let part = read(folder.path(), 0).unwrap();
        assert_eq!(part.lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [1]);
        std::fs::write(path(folder.path()), format!("{FIRST}\n{UNKNOWN}\n")).unwrap();
        let part = read(folder.path(), part.offset).unwrap();
        assert_eq!((part.lines.len(), part.lines[0].seq, part.lines[0].event.is_none()), (1, 2, true));
        assert!(read(folder.path(), part.offset).unwrap().lines.is_empty());
    }

    #[test]
    fn what_is_no_journal_or_a_newer_one_says_so() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(path(folder.path()), "x\n").unwrap();
        assert!(read(folder.path(), 0).err().unwrap().to_string().starts_with("line 1 of "));
        std::fs::write(path(folder.path()), FIRST.replace("\"v\":1", "\"v\":7") + "\n").unwrap();
        assert!(read(folder.path(), 0).err().unwrap().to_string().contains("by a newer nix-deploy"));
    }
}
