//! Building one derivation with Nix here: from the `.drv` to the binary cache.
//!
//! A derivation that another machine evaluated is not in the store here: then
//! its system is evaluated here, which gives the same derivations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::BuildJob;
use crate::exec::ExecError;
use crate::fleet::queue::Claimed;
use crate::jobs::{FlakeSource, evaluate, private_folder};
use crate::model::{Failure, FailureClass, StorePath, Timeouts, text};
use crate::nix::{BuildError, Nix, PushRequest, Realise};

/// How long pushing to a cache may go without progress.
const STALL: Duration = Duration::from_secs(300);

/// How a build went.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It is built.
    Built {
        /// What it built.
        store_path: Option<StorePath>,
        /// Whether it is in the cache.
        pushed: bool,
        /// Why it is not in the cache.
        problem: Option<String>,
    },
    /// It failed.
    Failed(String),
    /// It cannot be built on this machine.
    NotHere(String),
}

/// Where the logs of builders are.
pub(super) fn logs(source: &FlakeSource) -> PathBuf {
    source.state_dir.join("builds").join("logs")
}

/// Builds a derivation.
pub(super) async fn attempt(job: &BuildJob<'_>, nix: &Nix, claimed: &Claimed) -> Attempt {
    let log_file = logs(job.source).join(format!("{}.log", claimed.id));
    // One of an earlier attempt.
    let _ = std::fs::remove_file(&log_file);
    let mut built = realise(job, nix, claimed, &log_file).await;
    if let Err(BuildError::Collected { .. }) = built {
        if let Err(why) = evaluate_here(job, nix, claimed).await {
            return Attempt::NotHere(why);
        }
        built = realise(job, nix, claimed, &log_file).await;
    }
    let store_path = match built {
        Ok(store_path) => store_path.or_else(|| claimed.store_path.clone()),
        Err(BuildError::Collected { .. }) => {
            let hash = &claimed.commit_hash;
            return Attempt::NotHere(format!(
                "evaluated here, {} at {hash} needs another derivation",
                claimed.host
            ));
        }
        Err(BuildError::Exec(error)) if matches!(*error, ExecError::NotFound { .. } | ExecError::Io { .. }) => {
            return Attempt::NotHere(error.to_string());
        }
        Err(error) if error.needs_other_machine() => return Attempt::NotHere(explained(&error)),
        Err(error) => return Attempt::Failed(explained(&error)),
    };
    let problem = match (job.cache, &store_path) {
        (Some(cache), Some(path)) => push(job, nix, claimed, (path, cache), &log_file).await.err(),
        _ => None,
    };
    if problem.is_none() {
        // Nobody will look at it.
        let _ = std::fs::remove_file(&log_file);
    }
    Attempt::Built {
        pushed: job.cache.is_some() && store_path.is_some() && problem.is_none(),
        store_path,
        problem,
    }
}

fn timeouts(job: &BuildJob<'_>, claimed: &Claimed) -> Timeouts {
    let host = job.hosts.iter().find(|host| host.name.as_str() == claimed.host);
    host.map(|host| host.timeouts.clone()).unwrap_or_default()
}

async fn realise(
    job: &BuildJob<'_>,
    nix: &Nix,
    claimed: &Claimed,
    log_file: &Path,
) -> Result<Option<StorePath>, BuildError> {
    // The newest system of each host is kept, and all that is in it.
    let gc_root_dir = match claimed.is_system && crate::model::HostName::new(claimed.name.as_str()).is_ok() {
        true => {
            let folder = job.source.state_dir.join("builds").join("results").join(&claimed.name);
            private_folder(&folder).ok().map(|()| folder)
        }
        false => None,
    };
    let request =
        Realise { drv_path: &claimed.drv_path, deadline: timeouts(job, claimed).build, log_file, gc_root_dir };
    nix.realise(&request, &|_| {}).await
}

/// Makes the derivations of the claimed one's system in the store here.
async fn evaluate_here(job: &BuildJob<'_>, nix: &Nix, claimed: &Claimed) -> Result<(), String> {
    let hash = &claimed.commit_hash;
    let Some(host) = job.hosts.iter().find(|host| host.name.as_str() == claimed.host) else {
        return Err(format!(
            "its derivation is not in the store here, and {} is no host of hosts.toml",
            claimed.host
        ));
    };
    if !job.source.has(hash).await {
        return Err(format!("its derivation is not in the store here, and commit {hash} is not in this clone"));
    }
    let answers = evaluate::evaluate_hosts(nix, job.source, hash, &[host]).await;
    let mut answers = answers.map_err(|error| error.to_string())?;
    match answers.remove(&host.name) {
        Some(Err(error)) => Err(format!("it does not evaluate here: {}", text::clean_line(&error.to_string()))),
        _ => Ok(()),
    }
}

async fn push(
    job: &BuildJob<'_>,
    nix: &Nix,
    claimed: &Claimed,
    (path, cache): (&StorePath, &str),
    log_file: &Path,
) -> Result<(), String> {
    let deadline = timeouts(job, claimed).build;
    let request = PushRequest { path, cache, stall: STALL, deadline, log_file };
    nix.push(&request).await.map_err(|error| {
        let failure = Failure::from_error(FailureClass::Build, &error);
        let said: Vec<String> = std::iter::once(failure.message).chain(failure.causes).collect();
        format!("it is built, but not in the binary cache: {}", text::clean_line(&said.join(": ")))
    })
}

/// Why it failed, with the last lines of the builder's log, for the record.
fn explained(error: &BuildError) -> String {
    let failure = Failure::from_error(FailureClass::Build, error);
    let lines = std::iter::once(failure.message).chain(failure.causes).chain(error.evidence());
    let text = text::clean(&lines.collect::<Vec<_>>().join("\n"));
    text.chars().take(evaluate::LONGEST_ERROR).collect()
}
