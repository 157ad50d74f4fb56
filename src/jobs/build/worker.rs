//! One worker: claims, builds, says that it lives, settles, waits.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::futures::Notified;

use super::store::{self, Attempt};
use super::{Crew, End, Settled, Word};
use crate::fleet::queue::{self, Claimed, HEARTBEAT, Outcome, SILENCE, Wanted};
use crate::fleet::{self, Database, FlakeIdentity, FleetError, shared};
use crate::jobs::JobError;
use crate::model::StorePath;

/// How long a worker that was told to stop tries to write that it stops.
const GOODBYE: Duration = Duration::from_secs(10);
/// How long it waits before it tries to write again.
const PAUSE: Duration = Duration::from_secs(1);

/// One worker.
pub(super) struct Worker<'a> {
    crew: &'a Crew<'a>,
    identity: &'a FlakeIdentity,
    /// What the database knows it by.
    id: String,
    connection: Option<Database>,
    /// The flake's row, once something of it is recorded.
    flake_id: Option<i64>,
    /// What cannot be built here, and when that was found out.
    not_here: Vec<(i64, Instant)>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(crew: &'a Crew<'a>, identity: &'a FlakeIdentity, number: usize) -> Self {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let id = format!("{}:{}:{number}:{}", crew.job.source.machine, std::process::id(), &unique[..8]);
        Self { crew, identity, id, connection: None, flake_id: None, not_here: Vec::new() }
    }

    /// Works until it is told to stop, or, once, until nothing is left.
    pub(super) async fn work(&mut self) -> Result<(), JobError> {
        while !self.crew.stop.is_cancelled() {
            // What is settled while this worker looks is not missed.
            let settled = self.crew.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            // Whoever looks may find something: the others wait for it.
            self.crew.busy.fetch_add(1, Ordering::SeqCst);
            let taken = self.take().await;
            let goes_on = match taken {
                Ok(Some(claimed)) => {
                    self.handle(&claimed).await;
                    self.crew.busy.fetch_sub(1, Ordering::SeqCst);
                    self.crew.settled.notify_waiters();
                    true
                }
                Ok(None) => {
                    self.rest();
                    self.wait(settled).await
                }
                Err(error) => {
                    self.rest();
                    if self.crew.job.once {
                        return Err(error.into());
                    }
                    (self.crew.tell)(&Word::Trouble(&error.into()));
                    self.connection = None;
                    self.wait(settled).await
                }
            };
            if !goes_on {
                break;
            }
        }
        if let Some(database) = self.connection.take() {
            database.close().await;
        }
        Ok(())
    }

    /// Has found nothing. Who waits for the end hears of it when nobody is left
    /// who could find something; anything more would wake the others for nothing.
    fn rest(&self) {
        let was_last = self.crew.busy.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && self.crew.job.once {
            self.crew.settled.notify_waiters();
        }
    }

    /// Waits until more may be ready; false when nothing will be.
    async fn wait(&self, settled: Pin<&mut Notified<'_>>) -> bool {
        let once = self.crew.job.once;
        if once && self.crew.busy.load(Ordering::SeqCst) == 0 {
            return false;
        }
        tokio::select! {
            () = settled => {}
            () = tokio::time::sleep(self.crew.job.poll), if !once => {}
            () = self.crew.stop.cancelled() => {}
        }
        true
    }

    /// Claims what is next; what dead workers hold is taken back first, every now
    /// and then and before it is said that there is nothing.
    async fn take(&mut self) -> Result<Option<Claimed>, FleetError> {
        let crew = self.crew;
        let retry_after = crew.job.retry_after;
        if !crew.job.once {
            self.not_here.retain(|(_, since)| since.elapsed() < retry_after);
        }
        let except: Vec<i64> = self.not_here.iter().map(|(id, _)| *id).collect();
        let _turn = crew.turn().await;
        let database = connected(&mut self.connection, crew).await?;
        let swept = crew.sweep_is_due();
        if swept {
            take_back(database, crew).await?;
        }
        if self.flake_id.is_none() {
            self.flake_id = shared::find_flake(database, self.identity).await?;
        }
        let Some(flake_id) = self.flake_id else { return Ok(None) };
        let wanted = Wanted { flake_id, retry_after, except: &except };
        if let Some(claimed) = queue::claim(database, &self.id, &wanted, &crew.ahead).await? {
            return Ok(Some(claimed));
        }
        let taken_back = !swept && take_back(database, crew).await?;
        match queue::reopen_left(database, flake_id).await? {
            0 if !taken_back => Ok(None),
            _ => queue::claim(database, &self.id, &wanted, &crew.ahead).await,
        }
    }

    /// Builds what was claimed and settles it.
    async fn handle(&mut self, claimed: &Claimed) {
        (self.crew.tell)(&Word::Begun(claimed));
        let started = Instant::now();
        let crew = self.crew;
        let attempt = tokio::select! {
            attempt = store::attempt(crew.job, crew.nix, claimed) => Some(attempt),
            () = keep(&mut self.connection, crew, &self.id, claimed, started) => {
                // Others build it now; what is written is their affair.
                self.tell(claimed, End::Lost, started, None, None);
                return;
            }
            () = crew.stop.cancelled() => None,
        };
        let elapsed = started.elapsed();
        // Whoever stops us may have ended the builders, too.
        let attempt =
            attempt.filter(|attempt| matches!(attempt, Attempt::Built { .. }) || !crew.stop.is_cancelled());
        match attempt {
            None => {
                let held = self.settle(claimed, &Outcome::GivenBack).await;
                self.tell(claimed, if held { End::GivenBack } else { End::Lost }, started, None, None);
            }
            Some(Attempt::NotHere(why)) => {
                self.not_here.push((claimed.id, Instant::now()));
                self.settle(claimed, &Outcome::GivenBack).await;
                crew.failed.fetch_add(1, Ordering::SeqCst);
                self.tell(claimed, End::NotHere, started, None, Some(why));
            }
            Some(Attempt::Failed(error)) => {
                let held = self.settle(claimed, &Outcome::Failed { error: &error, elapsed }).await;
                if held {
                    crew.failed.fetch_add(1, Ordering::SeqCst);
                }
                self.tell(claimed, if held { End::Failed } else { End::Lost }, started, None, Some(error));
            }
            Some(Attempt::Built { store_path, pushed, problem }) => {
                let store_path = store_path.as_ref();
                let outcome = Outcome::Built { store_path, pushed, problem: problem.as_deref(), elapsed };
                let end = match (self.settle(claimed, &outcome).await, pushed) {
                    (false, _) => End::Lost,
                    (true, true) => End::CachePushed,
                    (true, false) => End::Built,
                };
                if end != End::Lost {
                    crew.built.fetch_add(1, Ordering::SeqCst);
                    crew.failed.fetch_add(usize::from(problem.is_some()), Ordering::SeqCst);
                }
                self.tell(claimed, end, started, store_path, problem);
            }
        }
    }

    /// Writes what became of it, for as long as the reservation can hold; false
    /// when it was lost.
    async fn settle(&mut self, claimed: &Claimed, outcome: &Outcome<'_>) -> bool {
        let begun = Instant::now();
        loop {
            let turn = self.crew.turn().await;
            let settled = match connected(&mut self.connection, self.crew).await {
                Ok(database) => queue::settle(database, &self.id, claimed, outcome).await,
                Err(error) => Err(error),
            };
            drop(turn);
            let error = match settled {
                Ok(held) => return held,
                Err(error) => error,
            };
            self.connection = None;
            let patience = if self.crew.stop.is_cancelled() { GOODBYE } else { SILENCE };
            (self.crew.tell)(&Word::Trouble(&error.into()));
            if begun.elapsed() >= patience {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn tell(
        &self,
        claimed: &Claimed,
        outcome: End,
        started: Instant,
        store_path: Option<&StorePath>,
        error: Option<String>,
    ) {
        let settled = Settled {
            derivation_id: claimed.id,
            derivation_type: if claimed.is_system { "nixos" } else { "package" },
            derivation_name: &claimed.name,
            hostname: &claimed.host,
            commit_hash: &claimed.commit_hash,
            outcome,
            store_path: store_path.map(ToString::to_string),
            attempts: claimed.attempts + i64::from(outcome == End::Failed),
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            error,
            worker_id: &self.id,
        };
        (self.crew.tell)(&Word::Settled(&settled));
    }
}

/// Takes back what dead workers hold; whether there was anything.
async fn take_back(database: &mut Database, crew: &Crew<'_>) -> Result<bool, FleetError> {
    let silent = queue::take_back(database).await?;
    if !silent.is_empty() {
        (crew.tell)(&Word::TakenBack(&silent));
    }
    Ok(!silent.is_empty())
}

/// The connection; made when there is none.
async fn connected<'c>(
    connection: &'c mut Option<Database>,
    crew: &Crew<'_>,
) -> Result<&'c mut Database, FleetError> {
    match connection {
        Some(database) => Ok(database),
        None => Ok(connection.insert(fleet::open(crew.job.address).await?)),
    }
}

/// Says every half minute that the worker lives. Ends when the reservation is
/// not its own any more.
async fn keep(
    connection: &mut Option<Database>,
    crew: &Crew<'_>,
    id: &str,
    claimed: &Claimed,
    started: Instant,
) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let alive = match connected(connection, crew).await {
            Ok(database) => queue::heartbeat(database, id, claimed.id, started.elapsed()).await,
            Err(error) => Err(error),
        };
        match alive {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // The next one may get through; there is time for nine more.
                (crew.tell)(&Word::Trouble(&error.into()));
                *connection = None;
            }
        }
    }
}
