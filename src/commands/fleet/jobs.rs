//! What the subcommands that bring facts in share: which hosts, which flake, and
//! being told to stop.

use std::io::Write;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::error::CommandError;
use crate::jobs::{FlakeSource, JobError};
use crate::model::text::clean_line;
use crate::model::{Failure, FailureClass, HostSpec};
use crate::plan;
use crate::settings::Output;

impl Desk {
    /// The flake as a repository with a history.
    pub(super) fn source(&self) -> FlakeSource {
        FlakeSource {
            flake: self.settings.flake.clone(),
            folder: self.settings.flake_dir.clone(),
            machine: self.machine.clone(),
            state_dir: self.settings.state_dir.clone(),
        }
    }

    /// The hosts of hosts.toml that are asked for; all without a word.
    pub(super) fn hosts(&self, asked: &[String]) -> Result<Vec<HostSpec>, CommandError> {
        if asked.is_empty() {
            return Ok(self.settings.hosts.clone());
        }
        let selected = plan::select(&self.settings.hosts, asked).map_err(Failure::from)?;
        Ok(self.settings.hosts.iter().filter(|host| selected.contains(&host.name)).cloned().collect())
    }

    /// Says what somebody should look at, also when it should be quiet.
    pub(super) fn warn(&self, text: &str) {
        // Standard error that is gone has no reader left.
        let _ = writeln!(std::io::stderr().lock(), "warning: {}", clean_line(text));
    }

    /// Whether standard output shows results for people.
    pub(super) fn is_quiet(&self) -> bool {
        self.screen.output == Output::Quiet
    }
}

/// A job that could not be done, as a failure.
pub(super) fn failed(error: JobError) -> CommandError {
    match error {
        JobError::Fleet(error) => super::fail(error),
        JobError::Source(error) => error.failure().into(),
        JobError::Folder { .. } => CommandError::from_error(FailureClass::Usage, &error),
    }
}

/// Somebody who wants the program to end: the first signal, and a second one.
pub(super) struct Signals {
    /// It should stop in good order.
    pub(super) stop: CancellationToken,
    /// It should leave at once.
    pub(super) leave: CancellationToken,
}

impl Signals {
    /// Listens to Ctrl-C, SIGTERM and SIGHUP from here on.
    pub(super) fn listen() -> Result<Self, CommandError> {
        let signals = Self { stop: CancellationToken::new(), leave: CancellationToken::new() };
        let open =
            |kind| signal(kind).map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error));
        let mut interrupts = open(SignalKind::interrupt())?;
        let mut terminates = open(SignalKind::terminate())?;
        let mut hangups = open(SignalKind::hangup())?;
        let (stop, leave) = (signals.stop.clone(), signals.leave.clone());
        tokio::spawn(async move {
            for token in [stop, leave] {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminates.recv() => {}
                    _ = hangups.recv() => {}
                }
                token.cancel();
            }
        });
        Ok(signals)
    }
}

/// Does a job to its end, or ends it, and the programs it has started, when
/// somebody wants that.
pub(super) async fn unless_stopped<T>(
    job: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let signals = Signals::listen()?;
    tokio::select! {
        result = job => result,
        () = signals.stop.cancelled() => {
            Err(CommandError::new(FailureClass::Interrupted, "interrupted").hint("run it again: it goes on where it was"))
        }
    }
}
