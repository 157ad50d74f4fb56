//! A check is a run as well: what was found when, by whom and in which commit is
//! recorded like a deploy, journal first, database second.
//!
//! Without a hosts.toml there is no record. Hooks (`--staged`), `--watch`, `--diff` and
//! `--write-baseline` are no runs: they come at every commit or judge nothing that stays.
//!
//! Invariant: the record never changes what a check says or how it ends; what stands
//! in its way is a warning.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::Job;
use crate::check::Judged;
use crate::commands::deploy;
use crate::event::{Envelope, Event, EventSink};
use crate::exit::ExitCode;
use crate::git::GitError;
use crate::model::{Action, Finding, Mode, Reboot, RunId, SourceState, Suppression};
use crate::prompt::FixedAsker;
use crate::report::{self, Journal, Recording, Reporter};
use crate::settings::Output;

/// How long git is waited for once everything is said; the record lacks the commit then.
const PATIENCE: Duration = Duration::from_secs(1);

/// A check that is being recorded.
pub(super) struct Recorded {
    sink: EventSink,
    hub: JoinHandle<()>,
    /// The repository of what is judged.
    repository: Option<PathBuf>,
    /// Its state, asked for while files are judged, unless they are mended first.
    source: Option<JoinHandle<Result<Option<SourceState>, GitError>>>,
    begun: Instant,
}

impl Recorded {
    /// Begins the record; `None` where there is none.
    pub(super) fn begin(job: &Job<'_>) -> Option<Self> {
        let settings = job.settings.as_ref()?;
        let id = RunId::generate();
        let run_dir = settings.state_dir.join("runs").join(id.as_str());
        let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
        match Journal::create(&run_dir) {
            Ok(journal) => reporters.push(Box::new(journal)),
            Err(error) => {
                job.say(&format!("warning: this check is not recorded: {error}"));
                return None;
            }
        }
        let run = (settings.state_dir.as_path(), run_dir.as_path());
        match deploy::recorder(&settings.database_url, run, &settings.actor, &deploy::owner()) {
            Ok(recorder) => reporters.push(Box::new(Recording::new(recorder, false))),
            Err(why) => job.say(&format!("warning: this check is recorded by a later run: {why}")),
        }
        if job.screen.output != Output::Quiet {
            reporters.push(Box::new(Troubles));
        }
        if job.screen.verbosity > 0 {
            job.say(&format!("recorded as run {id}"));
        }
        let (sink, messages) = EventSink::new(id);
        let hub = tokio::spawn(report::run_hub(messages, reporters, Box::new(FixedAsker::nobody())));
        sink.send(Event::RunStarted {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            actor: settings.actor.clone(),
            mode: Mode::default(),
            action: Action::default(),
            flake: settings.flake.clone(),
            hosts: Vec::new(),
            run_dir: run_dir.display().to_string(),
            command: "check".to_owned(),
            issue: None,
            rollout: None,
            waves: Vec::new(),
            canaries: Vec::new(),
            updates: false,
            reboot: Reboot::default(),
            allow: job.lint.allow.clone(),
            resumes: None,
            takes_back: None,
        });
        // Files of another folder belong to no commit of the flake.
        let repository = settings.flake_dir.clone().filter(|folder| *folder == job.root);
        let source = repository.clone().filter(|_| !job.arguments.fix).map(ask);
        Some(Self { sink, hub, repository, source, begun: Instant::now() })
    }

    /// What the files hold.
    pub(super) fn found(&self, judged: &Judged) {
        // What a comment or the baseline suppresses was decided before this run.
        let in_this_run =
            |finding: &&Finding| matches!(finding.suppressed, None | Some(Suppression::Flag { .. }));
        let findings = judged.findings.iter().filter(in_this_run).cloned().collect();
        self.sink.send(Event::Checked { files: judged.files, findings });
    }

    /// Ends the record with the commit that was checked, and how.
    pub(super) async fn end(self, code: ExitCode) {
        let source = self.source.or_else(|| self.repository.map(ask));
        if let Some(source) = source
            && let Ok(Ok(Ok(Some(source)))) = tokio::time::timeout(PATIENCE, source).await
        {
            self.sink.send(Event::Source { source });
        }
        let elapsed_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.sink.send(Event::RunFinished {
            exit_code: code.code,
            meaning: code.meaning.to_owned(),
            elapsed_ms,
        });
        // The hub ends when the last sender is gone.
        drop(self.sink);
        if let Err(error) = self.hub.await {
            tracing::debug!(%error, "the record of this check broke");
        }
    }
}

fn ask(folder: PathBuf) -> JoinHandle<Result<Option<SourceState>, GitError>> {
    tokio::spawn(async move { crate::git::source_state(&folder).await })
}

/// Says what stands in the way of the record.
struct Troubles;

impl Reporter for Troubles {
    fn event(&mut self, _envelope: &Envelope) {}

    fn notice(&mut self, text: &str) {
        super::say(&format!("warning: {text}"));
    }
}
