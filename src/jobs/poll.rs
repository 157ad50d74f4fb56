//! Asks hosts what they run and writes it down.
//!
//! A host that cannot be reached is not at fault: it sleeps, travels, or the
//! network is away. One that answers wrongly is.

use std::path::Path;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use serde::Serialize;

use super::JobError;
use crate::fleet::reports::{self, Noted};
use crate::fleet::shared::{ChangeReason, Report};
use crate::fleet::{Database, partitions};
use crate::host::{HostError, Link, sighting};
use crate::model::{HostName, HostSpec};

/// What came of asking a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Something is not as it was, or this is its first report.
    Changed,
    /// It runs what it ran.
    Same,
    /// It could not be reached.
    Unreachable,
    /// It gave no answer that can be used.
    Failed,
}

impl Outcome {
    /// The word for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
        }
    }
}

/// A host's answer; its keys are those of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Answer {
    /// The host.
    pub(crate) hostname: HostName,
    /// What came of asking it.
    pub(crate) outcome: Outcome,
    /// What it runs.
    pub(crate) store_path: Option<String>,
    /// Its version of NixOS.
    pub(crate) nixos_version: Option<String>,
    /// Its kernel's release.
    pub(crate) kernel: Option<String>,
    /// Seconds since boot.
    pub(crate) uptime_secs: Option<u64>,
    /// Its address.
    pub(crate) ip_address: Option<String>,
    /// When it was asked.
    pub(crate) asked_at: Timestamp,
    /// Why there is no answer.
    pub(crate) error: Option<String>,
}

/// Asks hosts, at most `at_once` at a time, and writes down each answer as it
/// comes. Answers are in the order of the hosts.
pub(crate) async fn poll(
    database: &mut Database,
    hosts: &[HostSpec],
    at_once: usize,
    state_dir: &Path,
) -> Result<Vec<Answer>, JobError> {
    partitions::prepare(database, Timestamp::now()).await?;
    let mut coming = stream::iter(hosts.iter().enumerate())
        .map(|(index, host)| async move { (index, ask(host, state_dir).await) })
        .buffer_unordered(at_once.max(1));
    let mut answers: Vec<(usize, Answer)> = Vec::with_capacity(hosts.len());
    while let Some((index, mut answer)) = coming.next().await {
        note(database, &mut answer).await?;
        answers.push((index, answer));
    }
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn ask(host: &HostSpec, state_dir: &Path) -> Answer {
    let mut answer = Answer {
        hostname: host.name.clone(),
        outcome: Outcome::Failed,
        store_path: None,
        nixos_version: None,
        kernel: None,
        uptime_secs: None,
        ip_address: None,
        // From before the question: a deploy that ends meanwhile knows better.
        asked_at: Timestamp::now(),
        error: None,
    };
    let sighting = match Link::new(host) {
        Ok(link) => sighting::ask(&link, host).await,
        Err(error) => Err(error),
    };
    match sighting {
        Err(error) => {
            if is_unreachable(&error) {
                answer.outcome = Outcome::Unreachable;
            }
            let failure = error.failure();
            answer.error =
                Some(std::iter::once(failure.message).chain(failure.causes).collect::<Vec<_>>().join(": "));
        }
        Ok(sighting) => {
            answer.error = match (&sighting.current_system, other_machine(host, state_dir, &sighting)) {
                (_, Some(other)) => Some(other),
                (None, None) => Some("it runs no NixOS system: /run/current-system is not there".to_owned()),
                (Some(_), None) => None,
            };
            answer.store_path = sighting.current_system.map(String::from);
            answer.nixos_version = sighting.nixos_version;
            answer.kernel = sighting.kernel;
            answer.uptime_secs = sighting.uptime;
            answer.ip_address = sighting.address;
        }
    }
    answer
}

/// Whether nothing is wrong but that the host is not there.
fn is_unreachable(error: &HostError) -> bool {
    matches!(
        error,
        HostError::Unreachable { .. }
            | HostError::Unresolved { .. }
            | HostError::Lost { .. }
            | HostError::Deadline { .. }
    )
}

/// Says when a machine answers that is not the one a deploy has seen under this
/// name: what it runs says nothing of the host.
fn other_machine(host: &HostSpec, state_dir: &Path, sighting: &sighting::Sighting) -> Option<String> {
    let file = state_dir.join("hosts").join(format!("{}.machine-id", host.name));
    let known = std::fs::read_to_string(file).ok()?;
    let found = sighting.machine_id.as_deref()?;
    (known.trim() != found).then(|| {
        format!("another machine answers: its machine-id is {found}, the one on record is {}", known.trim())
    })
}

async fn note(database: &mut Database, answer: &mut Answer) -> Result<(), JobError> {
    if answer.error.is_some() {
        return Ok(());
    }
    let Some(store_path) =
        answer.store_path.as_deref().and_then(|path| crate::model::StorePath::new(path).ok())
    else {
        return Ok(());
    };
    let report = Report {
        hostname: answer.hostname.as_str(),
        store_path: &store_path,
        reason: ChangeReason::StateDelta,
        time: answer.asked_at,
        uptime: answer.uptime_secs,
        nixos_version: answer.nixos_version.as_deref(),
        kernel: answer.kernel.as_deref(),
        address: answer.ip_address.as_deref(),
    };
    answer.outcome = match reports::note(database, &report, env!("CARGO_PKG_VERSION")).await? {
        Noted::Changed => Outcome::Changed,
        Noted::Same => Outcome::Same,
    };
    Ok(())
}
