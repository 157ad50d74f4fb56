//! Runs one call of Nix: reads its log while it comes, keeps what was said,
//! and tells about progress.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::exec::{Activity, Command, ExecError, Output, Stream};

use super::activities::{Activities, NixProgress, Spoken};
use super::log::{ErrorInfo, NixMessage};
use super::transcript::Transcript;

/// Hears how far a call of Nix is, at most ten times a second.
pub(crate) type ProgressFn<'a> = &'a (dyn Fn(NixProgress) + Send + Sync);

/// The least time between two tellings.
const PAUSE: Duration = Duration::from_millis(100);
/// How many messages of each sort are kept in memory; the log has all.
const KEPT: usize = 200;

/// What a call left behind.
pub(super) struct Call {
    /// Its output, or why there is none.
    pub(super) output: Result<Output, ExecError>,
    /// What was said.
    pub(super) said: Said,
    /// What it did.
    pub(super) activities: Activities,
    /// Its log.
    pub(super) transcript: Transcript,
}

/// What was said, for the judgement of a failure.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Errors, in order; the last one ended the call.
    pub(super) errors: Vec<NixMessage>,
    /// Warnings, without the word "warning".
    pub(super) warnings: Vec<String>,
    /// Lines that are not of Nix, from ssh for example.
    pub(super) plain: Vec<String>,
}

impl Said {
    /// Everything, line by line or message by message.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let errors = self.errors.iter().map(|error| error.text.as_str());
        let words = self.warnings.iter().chain(&self.plain).map(String::as_str);
        errors.chain(words)
    }

    /// Whether an error or its trace holds this text.
    pub(super) fn mentions(&self, text: &str) -> bool {
        let in_parts = |error: &ErrorInfo| error.trace.iter().any(|line| line.contains(text));
        self.errors.iter().any(|said| said.text.contains(text) || said.error.as_ref().is_some_and(in_parts))
    }
}

struct Heard {
    activities: Activities,
    transcript: Transcript,
    said: Said,
    told: NixProgress,
    told_at: Option<Instant>,
}

/// Runs a command whose standard error is Nix' internal-json log, or words.
/// `idle` is what is told while nothing particular goes on.
pub(super) async fn run(
    command: Command,
    idle: &'static str,
    log_file: &Path,
    progress: ProgressFn<'_>,
) -> Call {
    run_counting(command, idle, log_file, progress, None).await
}

/// The same, for a command that counts the bytes it has written into `written`.
pub(super) async fn run_counting(
    command: Command,
    idle: &'static str,
    log_file: &Path,
    progress: ProgressFn<'_>,
    written: Option<Arc<AtomicU64>>,
) -> Call {
    let command = match &written {
        Some(written) => command.count_written(written.clone()),
        None => command,
    };
    let heard = Mutex::new(Heard {
        activities: Activities::new(idle),
        transcript: Transcript::open(log_file),
        said: Said::default(),
        told: NixProgress::default(),
        told_at: None,
    });
    let output = {
        let running = command.output_with(|stream, line| match stream {
            Stream::Stdout => Activity::Idle,
            Stream::Stderr => {
                let mut heard = lock(&heard);
                let activity = heard.hear(line);
                heard.tell(progress, PAUSE);
                activity
            }
        });
        tokio::pin!(running);
        let mut ticks = tokio::time::interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                output = &mut running => break output,
                // What came too soon after the last telling is told now: the
                // next line may be an hour away.
                _ = ticks.tick() => {
                    let mut heard = lock(&heard);
                    if let Some(written) = &written {
                        heard.activities.set_moved(written.load(Ordering::Relaxed));
                    }
                    heard.tell(progress, PAUSE);
                }
            }
        }
    };
    let mut heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    heard.tell(progress, Duration::ZERO);
    Call { output, said: heard.said, activities: heard.activities, transcript: heard.transcript }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heard {
    fn hear(&mut self, line: &str) -> Activity {
        let before = self.activities.advances();
        if let Some(spoken) = self.activities.take(line) {
            self.transcript.write(&spoken);
            self.said.add(spoken);
        }
        if self.activities.advances() > before { Activity::Progress } else { Activity::Idle }
    }

    fn tell(&mut self, progress: ProgressFn<'_>, pause: Duration) {
        if self.told_at.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        let now = self.activities.progress();
        if now != self.told {
            progress(now.clone());
            self.told = now;
            self.told_at = Some(Instant::now());
        }
    }
}

impl Said {
    fn add(&mut self, spoken: Spoken) {
        match spoken {
            Spoken::Message(message) if is_error(&message) => keep(&mut self.errors, message),
            Spoken::Message(message) => {
                if let Some(warning) = message.text.strip_prefix("warning: ") {
                    keep(&mut self.warnings, warning.to_owned());
                }
            }
            Spoken::Plain(line) if line.starts_with("warning: ") => {
                keep(&mut self.warnings, line["warning: ".len()..].to_owned());
            }
            Spoken::Plain(line) => keep(&mut self.plain, line),
            Spoken::BuildLine { .. } | Spoken::Doing(_) => {}
        }
    }

    /// What a captured log says.
    #[cfg(test)]
    pub(super) fn of_log(log: &str) -> Self {
        let mut activities = Activities::new("testing");
        let mut said = Self::default();
        log.lines().filter_map(|line| activities.take(line)).for_each(|spoken| said.add(spoken));
        said
    }
}

/// Errors of this process come with their parts; those that a daemon passes on
/// are only text. Warnings of the newest versions have level 0 too.
fn is_error(message: &NixMessage) -> bool {
    message.level == 0 && (message.error.is_some() || message.text.starts_with("error:"))
}

/// The newest are kept: the last error is the one that ended the call.
fn keep<T>(kept: &mut Vec<T>, new: T) {
    if kept.len() == KEPT {
        kept.remove(0);
    }
    kept.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_read_told_and_logged() {
        let directory = tempfile::tempdir().unwrap();
        let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/nix/2.26/build-failure.log");
        let command = Command::new("/bin/sh").args(["-c", "cat \"$1\" >&2; exit 100", "sh", capture]);
        let told = Mutex::new(Vec::new());
        let log = directory.path().join("build.log");
        let call = run(command, "building", &log, &|progress| told.lock().unwrap().push(progress.doing)).await;
        assert_eq!(call.output.unwrap().code, Some(100));
        assert_eq!(call.said.errors.len(), 4);
        assert!(!told.lock().unwrap().is_empty());
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("broken-3.0> compiling part 30\n"));
        assert!(log.contains("error: builder for"));
        assert!(!log.contains("@nix"));
    }

    #[tokio::test]
    async fn the_last_state_before_a_silence_is_told() {
        let script = "echo '@nix {\"action\":\"start\",\"id\":1,\"type\":0,\"text\":\"first\"}' >&2; \
             echo '@nix {\"action\":\"start\",\"id\":2,\"type\":0,\"text\":\"second\"}' >&2; exec tail -f /dev/null";
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let command = Command::new("/bin/sh").args(["-c", script]);
        let tell = move |progress: NixProgress| {
            let _ = sender.send(progress.doing);
        };
        let call = run(command.deadline(Duration::from_secs(20)), "idle", &log, &tell);
        tokio::pin!(call);
        let mut seen = Vec::new();
        while seen.last().map(String::as_str) != Some("second") {
            tokio::select! {
                doing = told.recv() => seen.push(doing.unwrap()),
                _ = &mut call => panic!("ended before it was told: {seen:?}"),
            }
        }
    }
}
