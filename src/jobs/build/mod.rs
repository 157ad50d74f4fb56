//! Builders: workers that take derivations from the queue one after the other,
//! build them with Nix and its remote builders, and write down what became of
//! them.
//!
//! Any number of workers, of any number of machines, share one queue
//! (`fleet::queue`). A worker that dies loses nothing: its reservation is taken
//! back by the others. One that is told to stop gives it back itself.

mod store;
mod worker;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::{MutexGuard, Notify};
use tokio_util::sync::CancellationToken;

use super::{FlakeSource, JobError, private_folder};
use crate::fleet::queue::{self, Ahead, Claimed};
use crate::fleet::{self, Address, shared};
use crate::model::HostSpec;
use crate::nix::Nix;
use worker::Worker;

/// How to build.
pub(crate) struct BuildJob<'a> {
    /// The fleet database; each worker has a connection of its own.
    pub(crate) address: &'a Address,
    /// The flake: only what belongs to it is built.
    pub(crate) source: &'a FlakeSource,
    /// Every host, for its deadlines and to evaluate it where a derivation is
    /// not in the store here.
    pub(crate) hosts: &'a [HostSpec],
    /// How many derivations at a time.
    pub(crate) workers: usize,
    /// Whether it ends when nothing is left that could be built now.
    pub(crate) once: bool,
    /// How often the queue is looked at while nothing is in it.
    pub(crate) poll: Duration,
    /// How long after a failure a derivation is tried again.
    pub(crate) retry_after: Duration,
    /// The binary cache that gets what was built, as `nix copy --to` takes it.
    pub(crate) cache: Option<&'a str>,
}

/// What happens, for whoever watches.
#[derive(Clone, Debug)]
pub(crate) enum Word<'a> {
    /// A worker begins with a derivation.
    Begun(&'a Claimed),
    /// A derivation is settled.
    Settled(&'a Settled<'a>),
    /// Reservations of workers that were not heard of any more were taken back.
    TakenBack(&'a [String]),
    /// The database does not answer; it is tried again.
    Trouble(&'a JobError),
}

/// What became of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// It is built.
    Built,
    /// It is built and in the binary cache.
    CachePushed,
    /// It failed.
    Failed,
    /// It cannot be built on this machine; another one may.
    NotHere,
    /// The worker was told to stop.
    GivenBack,
    /// The reservation was taken back meanwhile; nothing was written.
    Lost,
}

impl End {
    /// The word for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::CachePushed => "pushed",
            Self::Failed => "failed",
            Self::NotHere => "not here",
            Self::GivenBack => "given back",
            Self::Lost => "lost",
        }
    }
}

/// A derivation with what became of it; its keys are those of `--json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settled<'a> {
    /// Its row.
    pub(crate) derivation_id: i64,
    /// `nixos` or `package`.
    pub(crate) derivation_type: &'static str,
    /// Its name.
    pub(crate) derivation_name: &'a str,
    /// The host that needs it.
    pub(crate) hostname: &'a str,
    /// The commit it belongs to.
    pub(crate) commit_hash: &'a str,
    /// What became of it.
    pub(crate) outcome: End,
    /// What it built.
    pub(crate) store_path: Option<String>,
    /// How often it has failed by now.
    pub(crate) attempts: i64,
    /// How long it took.
    pub(crate) duration_ms: u64,
    /// Why it is not built or not in the cache.
    pub(crate) error: Option<String>,
    /// Who did it.
    pub(crate) worker_id: &'a str,
}

/// How many derivations ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Built, in the cache or not.
    pub(crate) built: usize,
    /// Failed, not in the cache although they should be, or impossible here.
    pub(crate) failed: usize,
}

/// What the workers of this process share.
struct Crew<'a> {
    job: &'a BuildJob<'a>,
    nix: &'a Nix,
    tell: &'a (dyn Fn(&Word<'_>) + Send + Sync),
    stop: CancellationToken,
    /// Workers that build, or are about to find out whether they can.
    busy: AtomicUsize,
    /// Something was settled, so that more may be ready.
    settled: Notify,
    /// What one of them saw of the queue, for all.
    ahead: Ahead,
    /// Who uses the database: a file has one writer at a time, and SQLite lets
    /// the others sleep longer than that one needs.
    turn: tokio::sync::Mutex<()>,
    /// When one of them last looked for dead workers.
    swept: Mutex<Option<Instant>>,
    built: AtomicUsize,
    failed: AtomicUsize,
}

/// How often dead workers are looked for while there is something to build.
const SWEEP: Duration = Duration::from_secs(10);

impl Crew<'_> {
    /// Waits for this process' turn to write into a file; a server has no turns.
    async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.job.address {
            Address::Sqlite(_) => Some(self.turn.lock().await),
            Address::Postgres(_) => None,
        }
    }

    /// Whether it is time to look for dead workers; says it to one of them.
    fn sweep_is_due(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = swept.is_none_or(|at| at.elapsed() >= SWEEP);
        if is_due {
            *swept = Some(Instant::now());
        }
        is_due
    }
}

/// Lets what failed in the newest commit that was evaluated be tried as often as
/// if it were new, and says how many derivations that are.
pub(crate) async fn forgive(job: &BuildJob<'_>) -> Result<u64, JobError> {
    let mut database = fleet::open(job.address).await?;
    let forgiven = match shared::find_flake(&mut database, &job.source.identity().await).await? {
        Some(flake_id) => queue::forgive(&mut database, flake_id).await?,
        None => 0,
    };
    database.close().await;
    Ok(forgiven)
}

/// Builds until nothing is left (`once`) or until `stop`.
pub(crate) async fn build(
    job: &BuildJob<'_>,
    nix: &Nix,
    stop: CancellationToken,
    tell: &(dyn Fn(&Word<'_>) + Send + Sync),
) -> Result<Tally, JobError> {
    private_folder(&store::logs(job.source))?;
    let crew = Crew {
        job,
        nix,
        tell,
        stop,
        busy: AtomicUsize::new(0),
        settled: Notify::new(),
        ahead: Ahead::default(),
        turn: tokio::sync::Mutex::new(()),
        swept: Mutex::new(None),
        built: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
    };
    let identity = job.source.identity().await;
    let workers = (1..=job.workers).map(|number| {
        let mut worker = Worker::new(&crew, &identity, number);
        let stop = crew.stop.clone();
        async move {
            let result = worker.work().await;
            if result.is_err() {
                // The others would meet the same; what they hold is given back.
                stop.cancel();
            }
            result
        }
    });
    join_all(workers).await.into_iter().collect::<Result<(), JobError>>()?;
    Ok(Tally { built: crew.built.load(Ordering::SeqCst), failed: crew.failed.load(Ordering::SeqCst) })
}
