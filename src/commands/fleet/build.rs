//! `fleet build`: builds what is in the queue.

use std::time::Duration;

use super::jobs::{Signals, failed};
use super::{Desk, print_json};
use crate::cli::BuildArgs;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::jobs::build::{self, BuildJob, End, Settled, Tally, Word};
use crate::model::FailureClass;
use crate::model::text::{clean_line, duration, plural};
use crate::nix::Nix;

/// Builds until nothing is left, or until it is told to stop. Exit code 4 when
/// something failed, 130 when it was stopped.
pub(super) async fn build(desk: &Desk, asked: &BuildArgs) -> Result<ExitCode, CommandError> {
    // A database that cannot be used is said at once, not again and again.
    desk.open().await?.close().await;
    let signals = Signals::listen()?;
    let (address, source) = (desk.address()?, desk.source());
    let job = BuildJob {
        address: &address,
        source: &source,
        hosts: &desk.settings.hosts,
        workers: usize::from(asked.workers),
        once: asked.once,
        poll: asked.poll.max(Duration::from_millis(100)),
        retry_after: asked.retry_after,
        cache: asked.cache.as_deref(),
    };
    let json = desk.json(asked.json);
    if asked.retry_failed {
        let forgiven = build::forgive(&job).await.map_err(failed)?;
        desk.say(&match forgiven {
            0 => "nothing had failed".to_owned(),
            count => format!(
                "{} that failed: tried again",
                plural(usize::try_from(count).unwrap_or(usize::MAX), "derivation")
            ),
        });
    }
    let tell = |word: &Word<'_>| tell(desk, json, word);
    if !asked.once && !json {
        desk.say(&format!("{} waiting for work; Ctrl-C ends", plural(job.workers, "worker")));
    }
    let nix = Nix::new();
    let tally: Tally = tokio::select! {
        result = build::build(&job, &nix, signals.stop.clone(), &tell) => result.map_err(failed)?,
        () = signals.leave.cancelled() => {
            return Err(CommandError::new(FailureClass::Interrupted, "interrupted")
                .hint("what was being built is open again in five minutes"));
        }
    };
    if !json {
        desk.say(&format!("{} built, {} failed", plural(tally.built, "derivation"), tally.failed));
    }
    Ok(match (signals.stop.is_cancelled(), tally.failed) {
        (true, _) => exit::INTERRUPTED,
        (false, 0) => exit::OK,
        (false, _) => exit::BUILD,
    })
}

fn tell(desk: &Desk, json: bool, word: &Word<'_>) {
    match word {
        Word::Begun(claimed) if !json => {
            desk.say(&format!("building {} …", what(claimed.is_system, &claimed.name, &claimed.host)));
        }
        Word::Begun(_) => {}
        Word::Settled(settled) if json => {
            // A reader that is gone wants no more; the work goes on.
            let _ = print_json([settled]);
        }
        Word::Settled(settled) => {
            let is_fine = matches!(settled.outcome, End::Built | End::CachePushed) && settled.error.is_none();
            if !(desk.is_quiet() && is_fine) {
                let _ = print(line(settled).as_bytes());
            }
        }
        Word::TakenBack(workers) => {
            desk.say(&format!("took back what {} held: not heard of for five minutes", workers.join(", ")));
        }
        Word::Trouble(error) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(next) = cause {
                text = format!("{text}: {next}");
                cause = next.source();
            }
            desk.warn(&format!("{text}; it is tried again"));
        }
    }
}

fn line(settled: &Settled<'_>) -> String {
    let took = duration(Duration::from_millis(settled.duration_ms));
    let commit: String = settled.commit_hash.chars().take(8).collect();
    let name = what(settled.derivation_type == "nixos", settled.derivation_name, settled.hostname);
    // The builder's last lines stand in the record.
    let why = settled.error.as_deref().and_then(|error| error.lines().next());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let attempts = match settled.outcome {
        End::Failed => format!(" (attempt {} of 5)", settled.attempts),
        _ => String::new(),
    };
    clean_line(&format!("{:<10}  {commit}  {took:>6}  {name}{attempts}{why}", settled.outcome.as_str())) + "\n"
}

fn what(is_system: bool, name: &str, host: &str) -> String {
    if is_system { format!("the system of {host}") } else { format!("{name} for {host}") }
}
