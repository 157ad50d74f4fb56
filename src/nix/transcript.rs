//! The readable log of one call: what Nix and its builders said, as text.
//!
//! A builder's line is written as `LABEL> line`, where the label belongs to one
//! derivation only, so that the log of a derivation can be taken out again.
//! A log is a courtesy: a full disk never fails the call.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, LineWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::model::StorePath;

use super::activities::{Spoken, short};

/// How many lines of a failing builder's log are shown.
const TAIL_LINES: usize = 20;

/// Writes the log while the call runs.
pub(super) struct Transcript {
    path: PathBuf,
    file: Option<LineWriter<File>>,
    /// By derivation.
    labels: BTreeMap<String, String>,
}

/// What a builder printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BuilderLog {
    /// The last lines.
    pub(super) tail: Vec<String>,
    /// Where all of it is.
    pub(super) file: Option<PathBuf>,
}

impl Transcript {
    /// Appends to the file at `path`.
    pub(super) fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        if let Err(error) = &file {
            tracing::debug!(?path, %error, "no log of this call");
        }
        Self { path: path.to_owned(), file: file.ok().map(LineWriter::new), labels: BTreeMap::new() }
    }

    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what was said.
    pub(super) fn write(&mut self, spoken: &Spoken) {
        match spoken {
            Spoken::Message(message) => self.write_lines("", &message.text),
            Spoken::Plain(line) | Spoken::Doing(line) => self.write_lines("", line),
            Spoken::BuildLine { derivation, line } => {
                let prefix = format!("{}> ", self.label(derivation));
                self.write_lines(&prefix, line);
            }
        }
    }

    fn write_lines(&mut self, prefix: &str, text: &str) {
        let Some(file) = &mut self.file else { return };
        for line in text.split('\n') {
            if writeln!(file, "{prefix}{line}").is_err() {
                self.file = None;
                return;
            }
        }
    }

    /// The derivation's name, with its hash when another one has the same.
    fn label(&mut self, derivation: &str) -> &str {
        if !self.labels.contains_key(derivation) {
            let name = short(derivation);
            let taken = self.labels.values().any(|label| *label == name);
            let label = match StorePath::new(derivation) {
                Ok(path) if taken => format!("{}-{name}", path.hash()),
                _ => name,
            };
            self.labels.insert(derivation.to_owned(), label);
        }
        &self.labels[derivation]
    }

    /// Copies what one derivation's builder printed into a file of its own
    /// beside this log.
    pub(super) fn take_out(&mut self, derivation: &StorePath) -> BuilderLog {
        let Some(label) = self.labels.get(derivation.as_str()) else { return BuilderLog::default() };
        let target = self.file_of(label);
        if let Some(file) = &mut self.file {
            let _ = file.flush();
        }
        match copy_lines(&self.path, &format!("{label}> "), &target) {
            Ok(tail) => BuilderLog { tail, file: Some(target) },
            Err(error) => {
                tracing::debug!(?target, %error, "no log of the derivation");
                BuilderLog::default()
            }
        }
    }

    /// Writes a log that came from elsewhere into the derivation's file.
    pub(super) fn put(&mut self, derivation: &StorePath, text: &str) -> BuilderLog {
        let target = self.file_of(&short(derivation.as_str()));
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec();
        let written = std::fs::write(&target, text).is_ok();
        BuilderLog { tail, file: written.then_some(target) }
    }

    fn file_of(&self, label: &str) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{stem}-{label}.log"))
    }
}

/// Copies the lines that begin with `prefix`, without it; gives the last ones.
fn copy_lines(from: &Path, prefix: &str, to: &Path) -> io::Result<Vec<String>> {
    let mut target =
        BufWriter::new(OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(to)?);
    let mut tail = VecDeque::with_capacity(TAIL_LINES);
    for line in BufReader::new(File::open(from)?).lines() {
        let line = line?;
        let Some(line) = line.strip_prefix(prefix) else { continue };
        writeln!(target, "{line}")?;
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line.to_owned());
    }
    target.flush()?;
    Ok(tail.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build_line(derivation: &str, line: &str) -> Spoken {
        Spoken::BuildLine { derivation: derivation.to_owned(), line: line.to_owned() }
    }

    #[test]
    fn the_log_of_one_derivation_can_be_taken_out_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut transcript = Transcript::open(&directory.path().join("build.log"));
        let first = "/nix/store/rbh1z00a3b6li9xwzcc4kcxd19nqln5w-x-1.0.drv";
        let second = "/nix/store/z3h7smpddk3v8xapypdi4lmmdhmgpjpq-x-1.0.drv";
        for number in 1..=30 {
            transcript.write(&build_line(first, &format!("part {number}")));
            transcript.write(&build_line(second, "x-1.0> forged\nagain"));
        }
        let log = transcript.take_out(&StorePath::new(first).unwrap());
        assert_eq!(log.tail.len(), TAIL_LINES);
        assert_eq!(log.tail.last().unwrap(), "part 30");
        let file = log.file.unwrap();
        assert!(file.ends_with("build-x-1.0.log"));
        assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 30);
        let other = transcript.take_out(&StorePath::new(second).unwrap());
        assert_eq!(other.tail.last().unwrap(), "again");
    }

    #[test]
    fn a_log_that_cannot_be_written_fails_nothing() {
        let mut transcript = Transcript::open(Path::new("/nonexistent/build.log"));
        let derivation = "/nix/store/rbh1z00a3b6li9xwzcc4kcxd19nqln5w-x-1.0.drv";
        transcript.write(&build_line(derivation, "line"));
        assert_eq!(transcript.take_out(&StorePath::new(derivation).unwrap()), BuilderLog::default());
    }
}
