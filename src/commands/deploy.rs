//! Deploys hosts: builds the real adapters, picks the reporters, runs.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::{DeployOptions, update};
use crate::engine::claims::{Claim, ClaimFuture, HostClaims};
use crate::engine::{self, Interrupt, Job};
use crate::error::CommandError;
use crate::event::{Event, EventSink};
use crate::exit::{self, ExitCode};
use crate::fleet::Address;
use crate::fleet::recorder::{ClaimAnswer, Claims, Recorder, RecorderOptions};
use crate::model::{Action, FailureClass, HostName, Questions, RunSpec, Secret};
use crate::prompt::{Asker, FixedAsker, TerminalAsker};
use crate::report::{self, Journal, OutputMode, Recording};
use crate::settings::{self, Output, Screen};

/// Deploys the hosts of a run; takes them back by a second one when that was
/// asked for and the first one failed.
pub(crate) async fn deploy(run_spec: RunSpec, options: DeployOptions) -> Result<ExitCode, CommandError> {
    forget_old_results(&run_spec);
    let engine::Ended { code, way_back } = run(run_spec, &options).await?;
    take_back(code, way_back, &options).await
}

/// Runs what has to follow a run that failed and was to take its hosts back then.
pub(super) async fn take_back(
    code: ExitCode,
    way_back: Option<RunSpec>,
    options: &DeployOptions,
) -> Result<ExitCode, CommandError> {
    let Some(way_back) = way_back else { return Ok(code) };
    settings::create_run_dir(&way_back)?;
    if matches!(options.screen.output, Output::Live | Output::Plain) {
        super::print(b"\n")?;
    }
    let options = DeployOptions { told: options.told.of_way_back(), ..options.clone() };
    let back = run(way_back, &options).await?;
    Ok(exit::worst([code, back.code]))
}

/// Runs one run with a journal, a record and a screen of its own.
async fn run(run_spec: RunSpec, options: &DeployOptions) -> Result<engine::Ended, CommandError> {
    let running = Running::start(&run_spec, options)?;
    let begun = engine::begin(&run_spec, &running.sink);
    put_back_cut_off_update(&run_spec, &running.sink).await;
    let ended = engine::deploy_hosts(running.job(run_spec)).await;
    engine::end(&running.sink, ended.code, begun);
    running.end().await?;
    Ok(ended)
}

/// An update that was cut off may have left a flake.lock that nobody has
/// decided to keep: it is put back before it is deployed.
async fn put_back_cut_off_update(run_spec: &RunSpec, sink: &EventSink) {
    let Some(flake_dir) = &run_spec.flake_dir else { return };
    match update::recover(flake_dir).await {
        Ok(None) => {}
        Ok(Some((state, remark))) => {
            let path = flake_dir.join("flake.lock").display().to_string();
            sink.send(Event::LockFile { state, path, remark });
        }
        Err(error) => {
            for failure in error.failures() {
                let hint = "flake.lock may be one that is taken back again".to_owned();
                sink.warn(None, failure.message.clone(), Some(hint));
            }
        }
    }
}

/// A run under way: its reporters, its record, and the signals that stop it.
pub(super) struct Running {
    /// Where events go.
    pub(super) sink: EventSink,
    /// How the run is stopped.
    pub(super) interrupt: Interrupt,
    owner: String,
    sudo_password: Option<Secret>,
    claims: Arc<dyn HostClaims>,
    hub: JoinHandle<()>,
    signals: JoinHandle<()>,
}

impl Running {
    /// Starts reporters and record.
    pub(super) fn start(run_spec: &RunSpec, options: &DeployOptions) -> Result<Self, CommandError> {
        let journal = Journal::create(&run_spec.run_dir)
            .map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
        let owner = owner();
        let (recording, claims) = record(run_spec, &options.database_url, &owner);
        // The recorder comes behind the journal: it records what the journal holds.
        let mut reporters = vec![Box::new(journal) as Box<dyn report::Reporter>];
        reporters.extend(recording.map(|recording| Box::new(recording) as Box<dyn report::Reporter>));
        reporters.extend(options.told.reporters()?);
        reporters.push(report::for_output(shown(options.screen)));
        let asker = asker(run_spec.questions)?;
        let (sink, messages) = EventSink::new(run_spec.id.clone());
        let hub = tokio::spawn(report::run_hub(messages, reporters, asker));
        for why in &options.told.untold {
            sink.warn(None, why.clone(), None);
        }
        let interrupt = Interrupt::new();
        let signals = tokio::spawn(listen(interrupt.clone(), sink.clone()));
        let sudo_password = options.sudo_password.clone();
        Ok(Self { sink, interrupt, owner, sudo_password, claims, hub, signals })
    }

    /// What the engine works with.
    pub(super) fn job(&self, spec: RunSpec) -> Job {
        Job {
            spec,
            sink: self.sink.clone(),
            owner: self.owner.clone(),
            interrupt: self.interrupt.clone(),
            sudo_password: self.sudo_password.clone(),
            claims: Arc::clone(&self.claims),
        }
    }

    /// Waits until everything is told and recorded. No other sink may be left.
    pub(super) async fn end(self) -> Result<(), CommandError> {
        // The hub ends when the last sender is gone; the listener holds one.
        drop(self.sink);
        self.signals.abort();
        let _ = self.signals.await;
        self.hub.await.map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))
    }
}

/// Starts recording into the fleet database. Without a recorder the run goes
/// on: the journal has everything, and a later run records it.
fn record(run_spec: &RunSpec, database_url: &Secret, owner: &str) -> (Option<Recording>, Arc<dyn HostClaims>) {
    let run = (run_spec.state_dir.as_path(), run_spec.run_dir.as_path());
    match recorder(database_url, run, &run_spec.actor, owner) {
        Ok(recorder) => {
            let claims = Arc::new(FleetClaims { claims: recorder.claims(), warned: AtomicBool::new(false) });
            let changes_hosts = run_spec.action != Action::DryActivate;
            (Some(Recording::new(recorder, changes_hosts)), claims)
        }
        Err(why) => (None, Arc::new(NoClaims { why, warned: AtomicBool::new(false) })),
    }
}

/// The recorder of a run whose folder is in this state folder, or why there is none.
pub(super) fn recorder(
    database_url: &Secret,
    (state_dir, run_dir): (&Path, &Path),
    actor: &str,
    owner: &str,
) -> Result<Recorder, String> {
    let address = Address::parse(database_url).map_err(|error| error.in_short())?;
    let options = RecorderOptions {
        address,
        state_dir: state_dir.to_owned(),
        run_dir: run_dir.to_owned(),
        actor: actor.to_owned(),
        owner: owner.to_owned(),
    };
    Recorder::start(options).map_err(|error| error.to_string())
}

/// Says once that other deployers cannot be seen.
fn unseen(warned: &AtomicBool, why: &str) -> Claim {
    let first = !warned.swap(true, Ordering::SeqCst);
    Claim::Unanswered(first.then(|| {
        format!(
            "the fleet database does not say whether somebody else deploys ({why}); the host's own lock does"
        )
    }))
}

/// The fleet database says who may change a host.
struct FleetClaims {
    claims: Claims,
    warned: AtomicBool,
}

impl HostClaims for FleetClaims {
    fn claim<'a>(&'a self, host: &'a HostName, patience: Duration) -> ClaimFuture<'a> {
        Box::pin(async move {
            match self.claims.wait(host, patience).await {
                ClaimAnswer::Granted => Claim::Granted,
                ClaimAnswer::Held { holder, run, since } => {
                    Claim::Held { holder, run, since: since.strftime("%Y-%m-%d %H:%M:%SZ").to_string() }
                }
                ClaimAnswer::Unanswered(why) => unseen(&self.warned, &why),
            }
        })
    }
}

/// There is no fleet database to ask.
struct NoClaims {
    why: String,
    warned: AtomicBool,
}

impl HostClaims for NoClaims {
    fn claim<'a>(&'a self, _host: &'a HostName, _patience: Duration) -> ClaimFuture<'a> {
        Box::pin(std::future::ready(unseen(&self.warned, &self.why)))
    }
}

/// The screen in the reporters' words.
pub(super) fn shown(screen: Screen) -> report::Output {
    let Screen { output, talk_color, data_color, unicode, verbosity } = screen;
    let mode = match output {
        Output::Live => OutputMode::Live,
        Output::Plain => OutputMode::Plain,
        Output::Json => OutputMode::Json,
        Output::Quiet => OutputMode::Quiet,
    };
    report::Output { mode, verbosity, talk_color, data_color, unicode }
}

fn asker(questions: Questions) -> Result<Box<dyn Asker>, CommandError> {
    Ok(match questions {
        Questions::Ask => {
            Box::new(TerminalAsker::new().map_err(|error| {
                CommandError::from_error(FailureClass::Unexpected, &error).hint("use --yes")
            })?)
        }
        // Yes answers no password: a person who is there is still asked for that.
        Questions::AssumeYes if std::io::stdin().is_terminal() => match TerminalAsker::new() {
            Ok(asker) => Box::new(asker),
            Err(_) => Box::new(FixedAsker::yes()),
        },
        Questions::AssumeYes => Box::new(FixedAsker::yes()),
        Questions::NonInteractive => Box::new(FixedAsker::nobody()),
    })
}

/// Lets go of what earlier runs built, but for the last few: the links keep it
/// in this machine's store. Journals and logs stay.
pub(super) fn forget_old_results(run_spec: &RunSpec) {
    const KEPT: usize = 10;
    let Ok(runs) = std::fs::read_dir(run_spec.state_dir.join("runs")) else { return };
    let mut folders: Vec<_> = runs.filter_map(Result::ok).map(|run| run.path().join("results")).collect();
    folders.retain(|folder| folder.is_dir());
    // Run ids sort by time.
    folders.sort();
    for folder in folders.iter().rev().skip(KEPT) {
        // A folder that stays costs room and nothing else.
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// Turns Ctrl-C, SIGTERM and SIGHUP into interruptions.
async fn listen(interrupt: Interrupt, sink: EventSink) {
    use tokio::signal::unix::{SignalKind, signal};
    let streams =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    let (Ok(mut interrupts), Ok(mut terminates), Ok(mut hangups)) = streams else {
        tracing::error!("signals cannot be listened to");
        return;
    };
    loop {
        tokio::select! {
            _ = interrupts.recv() => {}
            _ = terminates.recv() => {}
            _ = hangups.recv() => {}
        }
        let at_once = interrupt.ask();
        sink.send(Event::Interrupted { at_once });
    }
}

/// The namespace of process numbers that a machine boots with (PROC_PID_INIT_INO in
/// linux/proc_ns.h).
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Machine, boot and process of this program: a later run can tell by it
/// whether the one that left traces on a host still lives.
pub(super) fn owner() -> String {
    let read = |path: &str| {
        std::fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
    };
    let boot = read("/proc/sys/kernel/random/boot_id");
    // Containers of one image share its machine id, and those of one machine the id of its
    // boot: a process number means something in its own namespace only.
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default().display().to_string();
    let machine = match namespace == FIRST_PID_NAMESPACE {
        true => read("/etc/machine-id"),
        false => format!("{boot}-{}", namespace.replace(|sign: char| !sign.is_ascii_digit(), "")),
    };
    format!("{machine}:{boot}:{}", std::process::id())
}
