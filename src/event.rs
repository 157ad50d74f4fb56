//! The only language to the screen and the record.
//!
//! Steps and engine say what happens by sending an [`Event`]; reporters and
//! the journal receive every one of them, in order, as an [`Envelope`].
//! Questions travel the same way with a channel for the answer.
//!
//! Invariant: an event that was sent is delivered before the run ends, and a
//! reporter that is slow delays nobody (the channel has no limit).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::model::{
    Action, ActivationState, Changes, Finding, Goal, HostFacts, HostName, HostReport, IssueReport,
    LockFileState, Mode, Observed, Reboot, Recovery, RiskAssessment, Rollout, RunId, SourceState, StepId,
    StepOutcome, StorePath, Target, UnitPlan, UpdateCheck, UpdateDecision, UpdateOffer, UpdatePreview,
};

/// Version of the event format; it rises when a field changes meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins; always the first event.
    RunStarted {
        /// This tool's version.
        tool_version: String,
        /// Who runs it, `user@machine`.
        actor: String,
        /// How careful.
        mode: Mode,
        /// What to do.
        action: Action,
        /// The flake reference.
        flake: String,
        /// The selected hosts.
        hosts: Vec<HostName>,
        /// The folder of the journal and the logs.
        run_dir: String,
        /// What was asked for: `deploy` or `rollback`.
        #[serde(default = "deploy")]
        command: String,
        /// The issue of the configuration's repository that it is for.
        #[serde(default)]
        issue: Option<u64>,
        /// How it spreads over its hosts; journals of before do not say.
        #[serde(default)]
        rollout: Option<Box<Rollout>>,
        /// The waves of the hosts, in order.
        #[serde(default)]
        waves: Vec<Vec<HostName>>,
        /// Those that have to be well before any other one is changed; journals of
        /// before do not say.
        #[serde(default)]
        canaries: Vec<HostName>,
        /// Whether it is an update: flake.lock is changed first.
        #[serde(default)]
        updates: bool,
        /// Which hosts are rebooted.
        #[serde(default)]
        reboot: Reboot,
        /// Rules whose findings were let pass.
        #[serde(default)]
        allow: Vec<String>,
        /// The interrupted run that is taken up.
        #[serde(default)]
        resumes: Option<RunId>,
        /// The failed run whose hosts are taken back.
        #[serde(default)]
        takes_back: Option<RunId>,
    },
    /// The first host of a wave begins to change.
    WaveStarted {
        /// Which wave, counted from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// Its hosts.
        hosts: Vec<HostName>,
    },
    /// The state of the configuration's repository.
    Source {
        /// Revision, branch, dirty and untracked files.
        source: SourceState,
    },
    /// A step of a host begins.
    StepStarted {
        /// Which host.
        host: HostName,
        /// Which step.
        step: StepId,
    },
    /// A step says how far it is; only the newest counts.
    StepProgress {
        /// Which host.
        host: HostName,
        /// Which step.
        step: StepId,
        /// What it is doing, a short fragment.
        doing: String,
        /// Units done, when they can be counted.
        done: Option<u64>,
        /// Units expected, when known.
        expected: Option<u64>,
    },
    /// A step of a host ended.
    StepFinished {
        /// Which host.
        host: HostName,
        /// Which step.
        step: StepId,
        /// How it ended.
        outcome: StepOutcome,
        /// How long it took.
        elapsed_ms: u64,
        /// A few words for the report; may be empty.
        summary: String,
    },
    /// The host answered the first questions.
    Facts {
        /// Which host.
        host: HostName,
        /// What it answered.
        facts: Box<HostFacts>,
    },
    /// A host's configuration was evaluated.
    Evaluated {
        /// Which host.
        host: HostName,
        /// The derivation.
        drv_path: StorePath,
        /// The toplevel it builds.
        out_path: StorePath,
    },
    /// A host goes back to a system it has.
    Target {
        /// Which host.
        host: HostName,
        /// Which system.
        target: Box<Target>,
    },
    /// What was built for a host beside its system.
    Built {
        /// Which host.
        host: HostName,
        /// The derivations, each once.
        derivations: Vec<StorePath>,
    },
    /// What the deploy would change.
    Changes {
        /// Which host.
        host: HostName,
        /// Files, packages, size, reboot.
        changes: Box<Changes>,
    },
    /// What the host says it would do with its units.
    UnitPlan {
        /// Which host.
        host: HostName,
        /// Units by what happens to them.
        plan: UnitPlan,
    },
    /// The supervisor on the host moved on.
    Activation {
        /// Which host.
        host: HostName,
        /// Its state.
        state: ActivationState,
    },
    /// A check of the configuration or of the built system found something.
    Finding {
        /// Which host it was found for.
        host: HostName,
        /// What; set as suppressed when a flag lets it pass in this run.
        finding: Box<Finding>,
    },
    /// The configuration was checked without a deploy.
    Checked {
        /// How many files were judged.
        files: usize,
        /// What was found; set as suppressed when a flag lets it pass in this run.
        findings: Vec<Finding>,
    },
    /// Something usual went wrong and was tried to be set right.
    Recovery {
        /// The hosts that it concerns.
        hosts: Vec<HostName>,
        /// The step that it serves.
        step: StepId,
        /// What was tried, why, and what came of it.
        recovery: Box<Recovery>,
    },
    /// A check of an update says how far it is; the first time it begins.
    UpdateCheckProgress {
        /// Which check.
        check: UpdateCheck,
        /// What it is doing, a short fragment.
        doing: String,
    },
    /// A check of an update ended.
    UpdateCheckFinished {
        /// Which check.
        check: UpdateCheck,
        /// How it ended.
        outcome: StepOutcome,
        /// How long it took.
        elapsed_ms: u64,
        /// What it found, in a few words.
        summary: String,
    },
    /// What an update would bring: inputs before and after, hosts.
    UpdatePreview {
        /// All of it.
        preview: Box<UpdatePreview>,
    },
    /// Known issues of what a host runs or would run.
    KnownIssues {
        /// What is known.
        report: Box<IssueReport>,
        /// Whether it is about what was installed by this update.
        afterwards: bool,
    },
    /// What the checks of an update come to.
    Risk {
        /// The level and its reasons.
        risk: Box<RiskAssessment>,
    },
    /// What can be done about what stands in the way of an update.
    UpdateOffer {
        /// What.
        offer: Box<UpdateOffer>,
    },
    /// It was decided about an update.
    UpdateDecided {
        /// What, by whom and why.
        decision: Box<UpdateDecision>,
    },
    /// Packages that an update has made available.
    NewPackages {
        /// Which host.
        host: HostName,
        /// Their attributes.
        packages: Vec<String>,
    },
    /// flake.lock was changed, kept or put back.
    LockFile {
        /// Where it stands now.
        state: LockFileState,
        /// The file.
        path: String,
        /// What to know about it, a sentence; may be empty.
        remark: String,
    },
    /// What was measured before and after the activation.
    Observed {
        /// Which host.
        host: HostName,
        /// Resources, memory of services, errors of the journal.
        observed: Box<Observed>,
    },
    /// A line that Nix, the host's activation or a script printed.
    Log {
        /// Which host; `None` when it belongs to all.
        host: Option<HostName>,
        /// Where it comes from.
        step: StepId,
        /// The line, without control characters.
        line: String,
    },
    /// Something deserves a look.
    Warning {
        /// Which host; `None` when it belongs to all.
        host: Option<HostName>,
        /// What.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A person was asked.
    Asked {
        /// The question.
        question: String,
    },
    /// A question was answered.
    Answered {
        /// The question.
        question: String,
        /// Yes or no.
        yes: bool,
        /// Whether a person did it, or a flag.
        by_person: bool,
    },
    /// The run was asked to stop.
    Interrupted {
        /// Whether it leaves at once (second Ctrl-C).
        at_once: bool,
    },
    /// A host's run ended.
    HostFinished {
        /// Which host.
        host: HostName,
        /// How, with everything the end report shows.
        report: Box<HostReport>,
    },
    /// The run ended; always the last event.
    RunFinished {
        /// The exit code of the process.
        exit_code: u8,
        /// What it means.
        meaning: String,
        /// How long the run took.
        elapsed_ms: u64,
    },
}

/// The command of journals that do not name one.
fn deploy() -> String {
    Goal::default().command().to_owned()
}

/// An event with its place and time, as it is written to the journal and to
/// `--output json`, one per line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`SCHEMA_VERSION`] of the writer.
    pub v: u32,
    /// The run.
    pub run: RunId,
    /// Counts from 1 without gaps within a run.
    pub seq: u64,
    /// When, in UTC.
    pub time: Timestamp,
    /// What.
    pub event: Event,
}

/// A question to the person.
#[derive(Debug)]
pub enum Question {
    /// Yes or no.
    Confirm {
        /// The text, for example "Continue with deployment?".
        text: String,
        /// What Enter alone says.
        default: bool,
        /// Takes the answer; a dropped channel means nobody can answer.
        reply: oneshot::Sender<bool>,
    },
    /// A password, for example for sudo; it is never an event.
    Password {
        /// The text, for example "sudo password for deploy@p620".
        text: String,
        /// Takes the answer; a dropped channel means nobody can answer.
        reply: oneshot::Sender<crate::model::Secret>,
    },
}

/// What travels to the hub of reporters.
#[derive(Debug)]
pub enum Message {
    /// Something happened.
    Event(Box<Envelope>),
    /// Somebody is asked.
    Question(Question),
}

/// Where steps send what happens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventSink {
    run: RunId,
    sequence: Arc<AtomicU64>,
    sender: mpsc::UnboundedSender<Message>,
}

impl EventSink {
    /// A sink for a run and the end where its messages arrive.
    pub fn new(run: RunId) -> (Self, mpsc::UnboundedReceiver<Message>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { run, sequence: Arc::new(AtomicU64::new(0)), sender }, receiver)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        let envelope = Envelope {
            v: SCHEMA_VERSION,
            run: self.run.clone(),
            seq: self.sequence.fetch_add(1, Ordering::SeqCst) + 1,
            time: Timestamp::now(),
            event,
        };
        // A hub that is gone has already ended the run: there is no one left to tell.
        let _ = self.sender.send(Message::Event(Box::new(envelope)));
    }

    /// Sends a warning.
    pub fn warn(&self, host: Option<&HostName>, message: impl Into<String>, hint: Option<String>) {
        self.send(Event::Warning { host: host.cloned(), message: message.into(), hint });
    }

    /// Asks for yes or no, and Enter is a yes; `None` when nobody can answer.
    pub async fn confirm(&self, text: impl Into<String>) -> Option<bool> {
        self.ask(text.into(), true).await
    }

    /// Asks for yes or no, and Enter is a no; `None` when nobody can answer.
    pub async fn confirm_expressly(&self, text: impl Into<String>) -> Option<bool> {
        self.ask(text.into(), false).await
    }

    async fn ask(&self, text: String, default: bool) -> Option<bool> {
        let (reply, answer) = oneshot::channel();
        let question = Question::Confirm { text, default, reply };
        self.sender.send(Message::Question(question)).ok()?;
        answer.await.ok()
    }

    /// Asks for a password; `None` when nobody can answer.
    pub async fn password(&self, text: impl Into<String>) -> Option<crate::model::Secret> {
        let (reply, answer) = oneshot::channel();
        let question = Question::Password { text: text.into(), reply };
        self.sender.send(Message::Question(question)).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_are_numbered_without_gaps_and_round_trip_as_json() {
        let (sink, mut receiver) = EventSink::new(RunId::generate());
        sink.warn(None, "first", None);
        sink.send(Event::Interrupted { at_once: false });
        drop(sink);
        let mut sequence = 0;
        while let Some(Message::Event(envelope)) = receiver.recv().await {
            sequence += 1;
            assert_eq!(envelope.seq, sequence);
            let line = serde_json::to_string(&envelope).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Envelope>(&line).unwrap(), *envelope);
        }
        assert_eq!(sequence, 2);
    }

    #[tokio::test]
    async fn a_question_nobody_takes_is_no_answer() {
        let (sink, receiver) = EventSink::new(RunId::generate());
        drop(receiver);
        assert_eq!(sink.confirm("Continue?").await, None);
    }
}
