//! Evaluates hosts at commits: their derivations, and what has to be built for
//! them.
//!
//! A commit that does not evaluate is recorded with its error and holds up no
//! other. Who is killed leaves it open for the next run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::{FlakeSource, JobError, private_folder};
use crate::fleet::commits::{self, RecordedCommit, Standing};
use crate::fleet::shared::{self, CommitStage, DerivationFacts, DerivationKey, DerivationKind, Status};
use crate::fleet::{Database, FleetError, packages};
use crate::model::{Failure, FailureClass, HostName, HostSpec, text};
use crate::nix::{Ask, ChunkPolicy, EvalError, EvalRequest, Evaluated, Nix};

/// How much of an error is recorded, in characters.
pub(super) const LONGEST_ERROR: usize = 10_000;

/// What to evaluate.
pub(crate) struct Evaluation<'a> {
    /// The flake.
    pub(crate) source: &'a FlakeSource,
    /// Its row.
    pub(crate) flake_id: i64,
    /// Which hosts.
    pub(crate) hosts: &'a [HostSpec],
    /// The commits that are looked at, newest first, as git has them: a branch
    /// that was deployed from can hold newer ones.
    pub(crate) commits: &'a [String],
}

/// How a host's configuration at a commit turned out; its keys are those of
/// `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Configuration {
    /// The commit.
    pub(crate) commit_hash: String,
    /// The host.
    pub(crate) hostname: HostName,
    /// Whether it evaluates.
    pub(crate) evaluated: bool,
    /// Its derivation.
    pub(crate) derivation_path: Option<String>,
    /// What it builds.
    pub(crate) store_path: Option<String>,
    /// How many packages have to be built before it.
    pub(crate) packages: usize,
    /// How long the evaluation took, of all hosts of the commit together.
    pub(crate) duration_ms: u64,
    /// Why it does not evaluate.
    pub(crate) error: Option<String>,
}

/// What an evaluation found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// What was evaluated now.
    pub(crate) configurations: Vec<Configuration>,
    /// Commits of which everything was evaluated before.
    pub(crate) known: usize,
    /// Configurations that failed too often to be tried again.
    pub(crate) given_up: usize,
    /// Newer commits that the clone here does not have.
    pub(crate) missing: Vec<String>,
    /// What went wrong beside.
    pub(crate) warnings: Vec<String>,
}

/// Evaluates what is not evaluated of the newest commits, newest first. `tell`
/// hears which commit is next.
pub(crate) async fn evaluate(
    database: &mut Database,
    nix: &Nix,
    evaluation: &Evaluation<'_>,
    tell: impl Fn(&str, usize),
) -> Result<Found, JobError> {
    let mut found = Found::default();
    for commit in commits::newest(database, evaluation.flake_id, evaluation.commits.len() as u64).await? {
        if !evaluation.commits.contains(&commit.hash) && !evaluation.source.has(&commit.hash).await {
            found.missing.push(commit.hash);
        }
    }
    for commit in commits::of_hashes(database, evaluation.flake_id, evaluation.commits).await? {
        let standings = commits::standings(database, commit.id).await?;
        let standing = |host: &&HostSpec| standings.get(host.name.as_str()).copied().unwrap_or(Standing::Open);
        let open: Vec<&HostSpec> =
            evaluation.hosts.iter().filter(|host| standing(host) == Standing::Open).collect();
        found.given_up += evaluation.hosts.iter().filter(|host| standing(host) == Standing::GivenUp).count();
        if open.is_empty() {
            found.known += 1;
        } else {
            tell(&commit.hash, open.len());
            evaluate_commit(database, nix, evaluation.source, &commit, &open, &mut found).await?;
        }
    }
    Ok(found)
}

async fn evaluate_commit(
    database: &mut Database,
    nix: &Nix,
    source: &FlakeSource,
    commit: &RecordedCommit,
    hosts: &[&HostSpec],
    found: &mut Found,
) -> Result<(), JobError> {
    begin(database, commit.id, hosts).await?;
    let started = Instant::now();
    let mut answers = evaluate_hosts(nix, source, &commit.hash, hosts).await?;
    let elapsed = started.elapsed();
    let drv_paths: Vec<_> = answers.values().flatten().map(|evaluated| &evaluated.drv_path).collect();
    let unbuilt = match drv_paths.is_empty() {
        true => Default::default(),
        // Without the packages the systems can still be built.
        false => nix.unbuilt(&drv_paths).await.unwrap_or_else(|error| {
            found.warnings.push(format!("what is to be built for {} is not known: {error}", commit.hash));
            Default::default()
        }),
    };
    for host in hosts {
        let Some(answer) = answers.remove(&host.name) else { continue };
        let needs = answer.as_ref().map(|evaluated| unbuilt.below(&evaluated.drv_path)).unwrap_or_default();
        let error = answer.as_ref().err().map(explained);
        let outcome = Settled {
            commit_id: commit.id,
            host: host.name.as_str(),
            evaluated: answer.as_ref().ok(),
            needs: &needs,
            error: error.as_deref(),
            elapsed,
        };
        settle(database, &outcome).await?;
        found.configurations.push(Configuration {
            commit_hash: commit.hash.clone(),
            hostname: host.name.clone(),
            evaluated: answer.is_ok(),
            derivation_path: answer.as_ref().ok().map(|evaluated| evaluated.drv_path.to_string()),
            store_path: answer.as_ref().ok().map(|evaluated| evaluated.out_path.to_string()),
            packages: needs.len(),
            duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            error,
        });
    }
    Ok(())
}

/// Evaluates hosts at a commit.
pub(super) async fn evaluate_hosts(
    nix: &Nix,
    source: &FlakeSource,
    hash: &str,
    hosts: &[&HostSpec],
) -> Result<BTreeMap<HostName, Result<Evaluated, EvalError>>, JobError> {
    let folder = source.state_dir.join("evaluations");
    private_folder(&folder)?;
    let log_file: PathBuf = folder.join(format!("{hash}.log"));
    // One of an earlier attempt.
    let _ = std::fs::remove_file(&log_file);
    let flake = source.at(hash);
    let request = EvalRequest {
        flake: &flake,
        flake_dir: source.folder.as_deref(),
        attributes: hosts.iter().map(|host| (host.name.clone(), host.attribute.clone())).collect(),
        deadline: hosts.iter().map(|host| host.timeouts.evaluate).max().unwrap_or_default(),
        log_file: &log_file,
        ask: Ask::Paths,
        chunks: ChunkPolicy::of_this_machine(),
        lock: None,
    };
    let answers = nix.evaluate(&request, &|_| {}).await;
    if answers.values().all(Result::is_ok) {
        // Nobody will look at it.
        let _ = std::fs::remove_file(&log_file);
    }
    Ok(answers)
}

/// Why it does not evaluate, as text for the record.
fn explained(error: &EvalError) -> String {
    let failure = Failure::from_error(FailureClass::Build, error);
    let lines = std::iter::once(failure.message).chain(failure.causes).chain(error.trace().iter().cloned());
    text::clean(&lines.collect::<Vec<_>>().join("\n")).chars().take(LONGEST_ERROR).collect()
}

async fn begin(database: &mut Database, commit_id: i64, hosts: &[&HostSpec]) -> Result<(), FleetError> {
    let now = Timestamp::now();
    database
        .transaction(async |database| {
            shared::commit_stage(database, commit_id, CommitStage::Begun, now).await?;
            for host in hosts {
                let key = key(commit_id, host.name.as_str());
                let facts = DerivationFacts::default();
                shared::derivation(database, key, Status::DryRunPending, &facts, now).await?;
                shared::derivation(database, key, Status::DryRunInProgress, &facts, now).await?;
            }
            Ok(())
        })
        .await
}

fn key(commit_id: i64, host: &str) -> DerivationKey<'_> {
    DerivationKey { commit_id: Some(commit_id), kind: DerivationKind::Nixos, name: host }
}

/// How a host's configuration turned out, for the record.
struct Settled<'a> {
    commit_id: i64,
    host: &'a str,
    evaluated: Option<&'a Evaluated>,
    needs: &'a packages::Needs,
    error: Option<&'a str>,
    elapsed: Duration,
}

async fn settle(database: &mut Database, settled: &Settled<'_>) -> Result<(), FleetError> {
    let now = Timestamp::now();
    let commit_id = settled.commit_id;
    let facts = DerivationFacts {
        drv_path: settled.evaluated.map(|evaluated| &evaluated.drv_path),
        store_path: settled.evaluated.map(|evaluated| &evaluated.out_path),
        evaluation_ms: Some(u64::try_from(settled.elapsed.as_millis()).unwrap_or(u64::MAX)),
        error: settled.error,
        ..DerivationFacts::default()
    };
    database
        .transaction(async |database| {
            let status = if settled.error.is_none() { Status::DryRunComplete } else { Status::DryRunFailed };
            let id = shared::derivation(database, key(commit_id, settled.host), status, &facts, now).await?;
            let stage = match settled.error {
                None => CommitStage::Complete,
                Some(error) => CommitStage::Failed(error),
            };
            shared::commit_stage(database, commit_id, stage, now).await?;
            if settled.error.is_none() {
                commits::forget_attempts(database, id).await?;
                packages::record(database, commit_id, id, settled.needs, now).await?;
            }
            Ok(())
        })
        .await
}
