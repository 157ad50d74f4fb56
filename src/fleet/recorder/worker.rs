//! The recorder's thread: reads the journal, writes the database, asks for
//! hosts, and looks after what earlier runs left.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::RecorderOptions;
use super::claims::{self, ClaimAnswer, Claimant, Claims};
use super::run::{RecordedRun, folders, is_marked};
use crate::fleet::database::{Database, Dialect, Patience};
use crate::fleet::error::FleetError;
use crate::fleet::{migrate, partitions};
use crate::model::HostName;

/// How long events are gathered before they are written.
const GATHER: Duration = Duration::from_millis(40);
/// How long the end of a run goes on with what earlier runs left; less than it is waited for.
const LEFTOVERS: Duration = Duration::from_millis(100);
/// How often the thread looks whether there is something to do.
const TICK: Duration = Duration::from_millis(200);
/// How often hosts that others hold are asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often the end of what is held is moved on; several times before it comes.
const REFRESH: Duration = Duration::from_secs(15);
/// How long to wait before a database that failed is tried again; doubled each time up to the last.
const RETRY: Duration = Duration::from_secs(1);
const SLOWEST_RETRY: Duration = Duration::from_secs(30);

/// What the thread is told.
pub(super) enum Order {
    /// The journal has something new.
    Wake,
    /// A host is asked for.
    Claim { host: HostName, machine_id: String },
    /// The run is over.
    Finish,
}

struct Worker<'a> {
    options: RecorderOptions,
    run: RecordedRun,
    database: Option<Database>,
    next_try: Instant,
    retry: Duration,
    tell: &'a Sender<String>,
    told: bool,
    claims: &'a Claims,
    /// Hosts that were asked for, with their machine ids, and whether they are ours.
    asked: BTreeMap<HostName, (String, bool)>,
    refreshed: Instant,
    asked_at: Instant,
    leftovers: Option<VecDeque<PathBuf>>,
    /// Whether earlier runs may have left more.
    is_behind: bool,
}

/// Works until the run is over.
pub(super) fn work(
    options: RecorderOptions,
    mut orders: UnboundedReceiver<Order>,
    tell: &Sender<String>,
    claims: &Claims,
) {
    let Some(run) = RecordedRun::new(&options.run_dir) else { return };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = tell.send(format!("this run is recorded by the next one: {error}"));
            return;
        }
    };
    let now = Instant::now();
    let mut worker = Worker {
        options,
        run,
        database: None,
        next_try: now,
        retry: RETRY,
        tell,
        told: false,
        claims,
        asked: BTreeMap::new(),
        refreshed: now,
        asked_at: now,
        leftovers: None,
        is_behind: false,
    };
    runtime.block_on(async {
        let mut due = Some(Instant::now());
        loop {
            let wake = due.unwrap_or_else(|| Instant::now() + TICK);
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Wake) => drop(due.get_or_insert_with(|| Instant::now() + GATHER)),
                    Some(Order::Claim { host, machine_id }) => worker.ask(host, machine_id).await,
                    Some(Order::Finish) | None => break,
                },
                () = tokio::time::sleep_until(wake) => {
                    worker.turn().await;
                    // What earlier runs left is recorded one by one, between what this run has to say.
                    due = worker.is_behind.then(Instant::now);
                }
            }
        }
        worker.end().await;
    });
    // A connection that does not answer must not keep the program.
    runtime.shutdown_background();
}

impl Worker<'_> {
    fn claimant(&self) -> Claimant<'_> {
        Claimant { run: self.run.id().as_str(), actor: &self.options.actor, owner: &self.options.owner }
    }

    /// One look at everything there is to do.
    async fn turn(&mut self) {
        self.is_behind = false;
        self.connect().await;
        let Some(mut database) = self.database.take() else { return };
        match self.work_with(&mut database).await {
            Ok(()) => {
                self.retry = RETRY;
                self.database = Some(database);
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn work_with(&mut self, database: &mut Database) -> Result<(), FleetError> {
        self.run.catch_up(database).await?;
        let now = Instant::now();
        if now >= self.refreshed + REFRESH {
            self.refreshed = now;
            claims::refresh(database, self.run.id().as_str()).await?;
        }
        if now >= self.asked_at + ASK_AGAIN {
            self.asked_at = now;
            let waiting: Vec<(HostName, String)> = self
                .asked
                .iter()
                .filter(|(_, (_, ours))| !ours)
                .map(|(host, (machine_id, _))| (host.clone(), machine_id.clone()))
                .collect();
            for (host, machine_id) in waiting {
                self.claim_one(database, host, machine_id).await?;
            }
        }
        self.is_behind = self.one_leftover(database).await?;
        Ok(())
    }

    /// Asks for a host at once: somebody may wait for it.
    async fn ask(&mut self, host: HostName, machine_id: String) {
        self.connect().await;
        self.asked.insert(host.clone(), (machine_id.clone(), false));
        let Some(mut database) = self.database.take() else {
            return self.claims.answer(&host, ClaimAnswer::Unanswered("it cannot be reached".to_owned()));
        };
        match self.claim_one(&mut database, host.clone(), machine_id).await {
            Ok(()) => self.database = Some(database),
            Err(error) => self.failed(&error),
        }
    }

    async fn claim_one(
        &mut self,
        database: &mut Database,
        host: HostName,
        machine_id: String,
    ) -> Result<(), FleetError> {
        let answer = claims::claim(database, &self.claimant(), &host, &machine_id).await?;
        let ours = answer == ClaimAnswer::Granted;
        self.claims.answer(&host, answer);
        self.asked.insert(host, (machine_id, ours));
        Ok(())
    }

    /// Opens the database, unless it has just failed.
    async fn connect(&mut self) {
        if self.database.is_some() || Instant::now() < self.next_try {
            return;
        }
        let opened = async {
            let mut database = migrate::open(&self.options.address, Patience::RECORDER).await?;
            if database.dialect() == Dialect::Sqlite {
                // A run that is marked as recorded has to survive a power cut.
                database.script("prepare", "PRAGMA synchronous = FULL").await?;
            }
            partitions::prepare(&mut database, jiff::Timestamp::now()).await?;
            Ok(database)
        };
        match opened.await {
            Ok(database) => self.database = Some(database),
            Err(error) => self.failed(&error),
        }
    }

    /// The connection is dropped, and tried again after a while. Said once.
    fn failed(&mut self, error: &FleetError) {
        tracing::debug!(error = error.in_short(), "the fleet database");
        self.next_try = Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(SLOWEST_RETRY);
        for (host, (_, ours)) in &self.asked {
            if !ours {
                self.claims.answer(host, ClaimAnswer::Unanswered(error.in_short()));
            }
        }
        if !self.told {
            self.told = true;
            // Nobody listens any more once the run is over.
            let _ = self.tell.send(format!("{}; what is missing is recorded later", error.in_short()));
        }
    }

    /// Records one run that an earlier program left, so that this one is never
    /// kept waiting by all of them. Returns whether there was one.
    async fn one_leftover(&mut self, database: &mut Database) -> Result<bool, FleetError> {
        let own = &self.options.run_dir;
        let leftovers = self.leftovers.get_or_insert_with(|| {
            let others = folders(&self.options.state_dir).into_iter();
            others.filter(|folder| folder != own && !is_marked(folder)).collect()
        });
        let Some(folder) = leftovers.pop_front() else { return Ok(false) };
        let Some(mut run) = RecordedRun::new(&folder) else { return Ok(true) };
        match run.record(database).await {
            Ok(_) => {}
            // `fleet flush` names it.
            Err(error @ (FleetError::Journal { .. } | FleetError::Line { .. })) => {
                tracing::debug!(%error, "a journal that cannot be read");
            }
            Err(error) => {
                leftovers.push_front(folder);
                return Err(error);
            }
        }
        Ok(true)
    }

    /// The last of it: the journal is complete now. What earlier runs left comes
    /// after it, as far as the time reaches that the end of a run waits.
    async fn end(&mut self) {
        // One that has just failed is given the chance of this last moment.
        self.next_try = Instant::now();
        self.connect().await;
        let Some(mut database) = self.database.take() else { return };
        let until = Instant::now() + LEFTOVERS;
        let ended = async {
            self.run.catch_up(&mut database).await?;
            claims::release(&mut database, self.run.id().as_str()).await?;
            self.run.record(&mut database).await?;
            while Instant::now() < until && self.one_leftover(&mut database).await? {}
            Ok(())
        };
        if let Err(error) = ended.await {
            return self.failed(&error);
        }
        database.close().await;
    }
}
