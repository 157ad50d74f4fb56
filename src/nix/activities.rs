//! What Nix is doing right now, kept up to date line by line.
//!
//! Invariant: what is done never goes back within one call, whatever Nix reports.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{StorePath, text};

use super::log::{self, ActivityKind, ActivityResult, LogLine, NixMessage};

/// How far a call of Nix is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NixProgress {
    /// What it is doing, a short fragment: `building nginx-1.26.1`.
    pub(crate) doing: String,
    /// Builds or paths done, when they are counted.
    pub(crate) done: Option<u64>,
    /// Builds or paths expected, when known.
    pub(crate) expected: Option<u64>,
}

/// What a line of the log gives to read.
#[derive(Debug, PartialEq)]
pub(super) enum Spoken {
    /// A message of Nix.
    Message(NixMessage),
    /// A line that a builder printed.
    BuildLine { derivation: String, line: String },
    /// A line that is not of the log's format, from ssh for example.
    Plain(String),
    /// What a call without that format says it does.
    Doing(String),
}

/// The state machine behind the progress line.
#[derive(Debug)]
pub(super) struct Activities {
    /// What is said while nothing particular goes on.
    idle: &'static str,
    running: BTreeMap<u64, Running>,
    /// Lines of JSON that were cut because they are too long for one line.
    partial: String,
    builds: Count,
    paths: Count,
    bytes: Count,
    /// Paths whose copy or download began.
    copied: BTreeSet<String>,
    /// The path that a call in words says it copies.
    in_words: Option<String>,
    /// Derivations whose build began.
    built: BTreeSet<String>,
    /// Counts every real advance: bytes, paths, builds, lines of builders.
    advances: u64,
}

#[derive(Debug)]
struct Running {
    kind: ActivityKind,
    /// The derivation or path, or what Nix says it does.
    subject: String,
    phase: Option<String>,
    /// Bytes, for copies and transfers.
    bytes: Count,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    done: u64,
    expected: u64,
}

/// Longer pieces of cut-off JSON are dropped, in bytes.
const LONGEST_PARTIAL: usize = 16 << 20;

impl Activities {
    pub(super) fn new(idle: &'static str) -> Self {
        Self {
            idle,
            running: BTreeMap::new(),
            partial: String::new(),
            builds: Count::default(),
            paths: Count::default(),
            bytes: Count::default(),
            copied: BTreeSet::new(),
            in_words: None,
            built: BTreeSet::new(),
            advances: 0,
        }
    }

    /// Takes one line of standard error.
    pub(super) fn take(&mut self, line: &str) -> Option<Spoken> {
        let parsed = if self.partial.is_empty() {
            log::parse(line)
        } else {
            self.partial.push_str(line);
            log::parse(&self.partial)
        };
        if parsed == LogLine::Partial && self.partial.len() < LONGEST_PARTIAL {
            if self.partial.is_empty() {
                self.partial.push_str(line);
            }
            return None;
        }
        self.partial.clear();
        match parsed {
            LogLine::Start { id, kind, text, fields } => {
                self.start(id, kind, text, &fields);
                None
            }
            LogLine::Stop { id } => {
                self.stop(id);
                None
            }
            LogLine::Result { id, result } => self.result(id, result),
            LogLine::Message(message) => Some(Spoken::Message(message)),
            LogLine::Plain(line) if line.is_empty() => None,
            LogLine::Plain(line) if self.take_words(&line) => Some(Spoken::Doing(line)),
            LogLine::Plain(line) => Some(Spoken::Plain(line)),
            LogLine::Partial | LogLine::Unknown => None,
        }
    }

    /// Takes a line of a copy in words; says whether it is one. The next path
    /// begins when the one before is done.
    fn take_words(&mut self, line: &str) -> bool {
        let Some(what) = line.strip_prefix("copying ") else { return false };
        if let Some(path) = what.strip_prefix("path '").and_then(|rest| rest.split('\'').next()) {
            let is_new = self.copied.insert(path.to_owned());
            self.advances += u64::from(is_new);
            self.paths.done = (self.copied.len() as u64).saturating_sub(1);
            self.in_words = Some(path.to_owned());
            return true;
        }
        let count = what.strip_suffix(" paths...").and_then(|count| count.parse().ok());
        self.paths.expect(count.unwrap_or(0));
        count.is_some()
    }

    /// The bytes that were moved so far, for a call that does not say it.
    pub(super) fn set_moved(&mut self, bytes: u64) {
        self.bytes.done = self.bytes.done.max(bytes);
    }

    fn start(&mut self, id: u64, kind: ActivityKind, text: String, fields: &[Value]) {
        let field = fields.first().and_then(Value::as_str);
        match kind {
            ActivityKind::CopyPath => {
                if let Some(path) = field
                    && self.copied.insert(path.to_owned())
                {
                    self.advances += 1;
                }
            }
            // Nix 2.8 counts only in words: "copying 5 paths".
            ActivityKind::CopyPaths => {
                let count = text.split_whitespace().find_map(|word| word.parse().ok());
                self.paths.expect(count.unwrap_or(0));
            }
            ActivityKind::Build => {
                self.advances += 1;
                self.built.extend(field.map(str::to_owned));
            }
            _ => {}
        }
        let subject = field.map_or(text, str::to_owned);
        self.running.insert(id, Running { kind, subject, phase: None, bytes: Count::default() });
    }

    fn stop(&mut self, id: u64) {
        let Some(stopped) = self.running.remove(&id) else { return };
        if stopped.kind == ActivityKind::CopyPath {
            self.paths.done += 1;
            // Nix does not report the last bytes of a path.
            self.bytes.done += stopped.bytes.expected.saturating_sub(stopped.bytes.done);
            self.advances += 1;
        }
    }

    fn result(&mut self, id: u64, result: ActivityResult) -> Option<Spoken> {
        let activity = self.running.get_mut(&id)?;
        match result {
            ActivityResult::BuildLogLine(line) => {
                self.advances += 1;
                return Some(Spoken::BuildLine { derivation: activity.subject.clone(), line });
            }
            ActivityResult::Phase(phase) => activity.phase = Some(phase),
            ActivityResult::Progress { done, expected } => match activity.kind {
                ActivityKind::Builds => {
                    if done > self.builds.done {
                        self.advances += 1;
                    }
                    self.builds.reach(done, expected);
                }
                ActivityKind::CopyPaths => self.paths.expect(expected),
                ActivityKind::CopyPath | ActivityKind::FileTransfer if done > activity.bytes.done => {
                    // A download is also the copy it serves: only copies are summed.
                    if activity.kind == ActivityKind::CopyPath {
                        self.bytes.done += done - activity.bytes.done;
                    }
                    activity.bytes = Count { done, expected };
                    self.advances += 1;
                }
                _ => {}
            },
            ActivityResult::Expected { kind: ActivityKind::CopyPath, expected } => self.bytes.expect(expected),
            ActivityResult::Expected { .. } | ActivityResult::Other => {}
        }
        None
    }

    /// Rises with every real advance and stays while Nix only talks.
    pub(super) fn advances(&self) -> u64 {
        self.advances
    }

    /// The paths whose copy began.
    pub(super) fn copied(&self) -> impl Iterator<Item = StorePath> {
        self.copied.iter().filter_map(|path| StorePath::new(path.as_str()).ok())
    }

    /// The derivations whose build began.
    pub(super) fn built(&self) -> impl Iterator<Item = StorePath> {
        self.built.iter().filter_map(|path| StorePath::new(path.as_str()).ok())
    }

    /// What to show.
    pub(super) fn progress(&self) -> NixProgress {
        if let Some(path) = &self.in_words {
            let (paths, bytes) = (self.paths.shown(), self.bytes.shown_bytes());
            return self.counted(self.paths, format!("copying {paths}{bytes}, {}", short(path)));
        }
        if let Some(build) = self.newest(ActivityKind::Build) {
            let others = self.running.values().filter(|other| other.kind == ActivityKind::Build).count() - 1;
            let phase = build.phase.as_deref().map(|phase| format!(" ({phase})")).unwrap_or_default();
            let others = if others > 0 { format!(" and {others} more") } else { String::new() };
            return self.counted(self.builds, format!("building {}{phase}{others}", short(&build.subject)));
        }
        let fetches = self.newest(ActivityKind::Substitute).is_some();
        if fetches || self.newest(ActivityKind::CopyPath).is_some() {
            let verb = if fetches { "downloading" } else { "copying" };
            return self
                .counted(self.paths, format!("{verb} {}{}", self.paths.shown(), self.bytes.shown_bytes()));
        }
        if let Some(waiting) = self.newest(ActivityKind::BuildWaiting) {
            return self.counted(self.builds, waiting.subject.clone());
        }
        let doing = match self.newest(ActivityKind::FileTransfer) {
            Some(transfer) => format!("downloading {}", transfer.subject),
            None => self
                .newest_where(|other| other.kind == ActivityKind::Other && !other.subject.is_empty())
                .map_or_else(|| self.idle.to_owned(), |other| other.subject.clone()),
        };
        self.counted(self.builds, doing)
    }

    fn counted(&self, count: Count, doing: String) -> NixProgress {
        let known = count.expected > 0;
        NixProgress { doing, done: known.then_some(count.done), expected: known.then_some(count.expected) }
    }

    fn newest(&self, kind: ActivityKind) -> Option<&Running> {
        self.newest_where(|running| running.kind == kind)
    }

    fn newest_where(&self, wanted: impl Fn(&Running) -> bool) -> Option<&Running> {
        // Ids of one process rise.
        self.running.values().rev().find(|running| wanted(running))
    }
}

impl Count {
    fn expect(&mut self, expected: u64) {
        self.expected = self.expected.max(expected);
    }

    /// Nix lowers what it expects when it finds a goal done already.
    fn reach(&mut self, done: u64, expected: u64) {
        self.done = self.done.max(done);
        self.expected = expected.max(self.done);
    }

    fn shown(self) -> String {
        format!("{}/{}", self.done.min(self.expected), self.expected)
    }

    fn shown_bytes(self) -> String {
        if self.done == 0 { String::new() } else { format!(" ({})", text::bytes(self.done)) }
    }
}

/// `nginx-1.26.1` of a derivation's or output's path.
pub(super) fn short(path: &str) -> String {
    match StorePath::new(path) {
        Ok(path) => path.name().trim_end_matches(".drv").to_owned(),
        Err(_) => text::clean_line(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(log: &str, mut look: impl FnMut(&Activities)) -> (Activities, Vec<Spoken>) {
        let mut activities = Activities::new("working");
        let mut spoken = Vec::new();
        for line in log.lines() {
            spoken.extend(activities.take(line));
            look(&activities);
        }
        (activities, spoken)
    }

    #[test]
    fn a_build_shows_the_derivation_and_counts() {
        for log in [
            include_str!("../../tests/fixtures/nix/2.8/build-success.log"),
            include_str!("../../tests/fixtures/nix/2.26/build-success.log"),
            include_str!("../../tests/fixtures/nix/2.34/build-success.log"),
        ] {
            let mut seen = Vec::new();
            let (activities, spoken) = replay(log, |activities| {
                let progress = activities.progress();
                if seen.last() != Some(&progress) {
                    seen.push(progress);
                }
            });
            let building = |name: &str, done, expected| NixProgress {
                doing: format!("building {name}"),
                done: Some(done),
                expected: Some(expected),
            };
            assert!(seen.contains(&building("t-1.0", 0, 2)), "{seen:?}");
            assert!(seen.contains(&building("nixos-system-trace-25.05", 1, 2)), "{seen:?}");
            assert_eq!(activities.progress().doing, "working");
            let line = Spoken::BuildLine {
                derivation: "/nix/store/sbvvjdskpkx1qirpg1xx830x70zd9gbb-nixos-system-trace-25.05.drv"
                    .to_owned(),
                line: "building trace".to_owned(),
            };
            assert!(spoken.contains(&line), "{spoken:?}");
        }
    }

    #[test]
    fn a_copy_in_words_counts_paths_and_shows_what_was_moved() {
        for log in [
            include_str!("../../tests/fixtures/nix/2.8/copy-words.log"),
            include_str!("../../tests/fixtures/nix/2.26/copy-words.log"),
        ] {
            let (mut activities, spoken) = replay(log, |_| {});
            assert_eq!((activities.copied().count(), activities.advances()), (5, 5));
            assert!(spoken.iter().all(|spoken| matches!(spoken, Spoken::Doing(_))), "{spoken:?}");
            activities.set_moved(3 << 20);
            let NixProgress { doing, done, expected } = activities.progress();
            assert!(doing.starts_with("copying 4/5 (3.0 MiB), "), "{doing}");
            assert_eq!((done, expected), (Some(4), Some(5)));
        }
        let (activities, spoken) = replay("copying is hard\nsh: copying: not found", |_| {});
        assert_eq!((activities.copied().count(), spoken.len()), (0, 2));
        assert!(spoken.iter().all(|spoken| matches!(spoken, Spoken::Plain(_))), "{spoken:?}");
    }

    #[test]
    fn a_copy_counts_paths_in_every_version_and_bytes_where_nix_tells() {
        for (log, counts_bytes) in [
            (include_str!("../../tests/fixtures/nix/2.8/copy-success.log"), false),
            (include_str!("../../tests/fixtures/nix/2.26/copy-success.log"), true),
            (include_str!("../../tests/fixtures/nix/2.34/copy-success.log"), true),
        ] {
            let mut last = NixProgress::default();
            let (activities, _) = replay(log, |activities| {
                if activities.progress().doing.starts_with("copying") {
                    last = activities.progress();
                }
            });
            assert_eq!(activities.copied().count(), 5);
            assert_eq!((activities.paths.done, activities.paths.expected), (5, 5));
            let shown = if counts_bytes { "copying 4/5 (11.4 MiB)" } else { "copying 4/5" };
            assert_eq!(last.doing, shown);
        }
    }

    #[test]
    fn talk_is_no_advance() {
        let mut activities = Activities::new("copying");
        activities.take("@nix {\"action\":\"start\",\"id\":1,\"type\":100,\"fields\":[\"/nix/store/x\"]}");
        let before = activities.advances();
        activities.take("@nix {\"action\":\"msg\",\"level\":1,\"msg\":\"warning: retrying\"}");
        activities.take("@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[0,9,0,0]}");
        activities.take("ssh: debug");
        assert_eq!(activities.advances(), before);
        activities.take("@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[4,9,0,0]}");
        assert!(activities.advances() > before);
    }

    #[test]
    fn an_error_longer_than_a_line_is_put_together_again() {
        let line = "@nix {\"action\":\"msg\",\"level\":0,\"msg\":\"error: deep\",\"raw_msg\":\"deep\"}";
        let mut activities = Activities::new("evaluating");
        assert_eq!(activities.take(&line[..30]), None);
        let Some(Spoken::Message(message)) = activities.take(&line[30..]) else { panic!() };
        assert_eq!(message.error.unwrap().message, "deep");
        assert_eq!(activities.take("after"), Some(Spoken::Plain("after".to_owned())));
    }

    #[test]
    fn several_builds_at_once_are_told() {
        let mut activities = Activities::new("building");
        for (id, name) in [(1, "a-1.0"), (2, "b-2.0")] {
            activities.take(&format!(
                "@nix {{\"action\":\"start\",\"id\":{id},\"type\":105,\"fields\":[\"/nix/store/0gi8y8lh5qbfbiazn2w9z2sgcyp0bppc-{name}.drv\"]}}"
            ));
        }
        activities.take("@nix {\"action\":\"result\",\"id\":2,\"type\":104,\"fields\":[\"checkPhase\"]}");
        assert_eq!(activities.progress().doing, "building b-2.0 (checkPhase) and 1 more");
    }
}
