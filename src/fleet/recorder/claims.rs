//! One deploy at a time for a host, across machines.
//!
//! A row per host and machine id, with an end: a deployer that lives moves the
//! end on, one that is gone is forgotten with it, and at once when it ran on
//! this machine. The host has a lock of its own that nothing gets around; this
//! one says earlier, and says who.
//!
//! Answers are given to whoever waits for them. A database that is away gives
//! the answer that there is none.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::{Cell, values};
use crate::model::HostName;

/// How long a run waits for the first answer of a slow database.
const ANSWER: Duration = Duration::from_secs(2);

/// What became of asking for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClaimAnswer {
    /// The run may change it.
    Granted,
    /// Another one holds it.
    Held {
        /// Who, `user@machine`.
        holder: String,
        /// Its run.
        run: String,
        /// Since when.
        since: Timestamp,
    },
    /// The database did not answer; the text says why.
    Unanswered(String),
}

/// The answers so far, by host.
#[derive(Clone, Debug)]
pub(crate) struct Claims(Arc<watch::Sender<Answers>>);

#[derive(Clone, Debug, Default)]
struct Answers {
    hosts: BTreeMap<HostName, ClaimAnswer>,
    closed: bool,
}

impl Default for Claims {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Answers::default())))
    }
}

impl Claims {
    /// Waits for the host: for a first answer briefly, for another run to let
    /// go of it as long as `patience`.
    pub(crate) async fn wait(&self, host: &HostName, patience: Duration) -> ClaimAnswer {
        let mut answers = self.0.subscribe();
        let free = answers.wait_for(|answers| {
            answers.closed || matches!(answers.hosts.get(host), Some(answer) if !answer.is_held())
        });
        let first = {
            let mut answers = self.0.subscribe();
            let any = async move {
                let _ = answers.wait_for(|answers| answers.closed || answers.hosts.contains_key(host)).await;
            };
            tokio::time::timeout(ANSWER, any).await
        };
        if first.is_err() {
            return ClaimAnswer::Unanswered("it has not answered yet".to_owned());
        }
        // Held to the end is an answer, too.
        let _ = tokio::time::timeout(patience, free).await;
        let answer = self.0.borrow().hosts.get(host).cloned();
        answer.unwrap_or_else(|| ClaimAnswer::Unanswered("the recorder has ended".to_owned()))
    }

    /// Gives the answer for a host.
    pub(super) fn answer(&self, host: &HostName, answer: ClaimAnswer) {
        self.0.send_modify(|answers| {
            answers.hosts.insert(host.clone(), answer);
        });
    }

    /// No more answers come.
    pub(super) fn close(&self) {
        self.0.send_modify(|answers| answers.closed = true);
    }
}

impl ClaimAnswer {
    /// Whether another run holds the host.
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

/// Who asks.
pub(super) struct Claimant<'a> {
    pub(super) run: &'a str,
    pub(super) actor: &'a str,
    /// Machine, boot and process.
    pub(super) owner: &'a str,
}

/// Asks for a host, or moves the end of what this run holds already on.
pub(super) async fn claim(
    database: &mut Database,
    claimant: &Claimant<'_>,
    host: &HostName,
    machine_id: &str,
) -> Result<ClaimAnswer, FleetError> {
    // Twice, when the one that held it is found to be gone.
    for _ in 0..2 {
        let sql = "INSERT INTO deployment_locks (hostname, machine_id, run_id, holder, owner, since, expires_at) \
                   SELECT $1, $2, $3, $4, $5, k.at, k.lease_end FROM fleet_clock k WHERE true \
                   ON CONFLICT (hostname, machine_id) DO UPDATE SET run_id = excluded.run_id, \
                   holder = excluded.holder, owner = excluded.owner, since = excluded.since, \
                   expires_at = excluded.expires_at \
                   WHERE deployment_locks.expires_at <= excluded.since OR deployment_locks.run_id = excluded.run_id";
        let values = values![host.as_str(), machine_id, claimant.run, claimant.actor, claimant.owner];
        if database.execute("ask for the host", sql, &values).await? == 1 {
            return Ok(ClaimAnswer::Granted);
        }
        let sql =
            "SELECT holder, run_id, since, owner FROM deployment_locks WHERE hostname = $1 AND machine_id = $2";
        let Some(cells) = database.row("see who holds the host", sql, &values[..2]).await? else { continue };
        let text = |index: usize| cells.get(index).and_then(Cell::text).unwrap_or_default().to_owned();
        let (holder, run) = (text(0), text(1));
        if is_gone(&text(3), claimant.owner) {
            let sql = "DELETE FROM deployment_locks WHERE hostname = $1 AND machine_id = $2 AND run_id = $3";
            let values = values![host.as_str(), machine_id, &run];
            database.execute("forget who is gone", sql, &values).await?;
            continue;
        }
        let since = cells.get(2).and_then(Cell::time).unwrap_or_else(Timestamp::now);
        return Ok(ClaimAnswer::Held { holder, run, since });
    }
    Ok(ClaimAnswer::Unanswered("the host changes hands too quickly".to_owned()))
}

/// Moves the end of everything this run holds on.
pub(super) async fn refresh(database: &mut Database, run: &str) -> Result<(), FleetError> {
    let sql = "UPDATE deployment_locks SET expires_at = (SELECT lease_end FROM fleet_clock) WHERE run_id = $1";
    database.execute("keep the hosts", sql, &values![run]).await?;
    let sql = "UPDATE deployment_events SET lock_expires_at = (SELECT lease_end FROM fleet_clock) \
               WHERE run_id = $1 AND status = 'in_progress'";
    database.execute("keep the deploys", sql, &values![run]).await?;
    Ok(())
}

/// Lets go of everything this run holds.
pub(super) async fn release(database: &mut Database, run: &str) -> Result<(), FleetError> {
    let sql = "DELETE FROM deployment_locks WHERE run_id = $1";
    database.execute("let go of the hosts", sql, &values![run]).await?;
    Ok(())
}

/// Whether a program that ran on this machine lives no more. Of another
/// machine's nothing is known from here.
fn is_gone(owner: &str, ours: &str) -> bool {
    let parts = |owner: &str| -> Option<(String, String, String)> {
        let mut parts = owner.splitn(3, ':').map(str::to_owned);
        Some((parts.next()?, parts.next()?, parts.next()?))
    };
    let (Some((machine, boot, process)), Some((our_machine, our_boot, _))) = (parts(owner), parts(ours)) else {
        return false;
    };
    if machine != our_machine || machine == "unknown" {
        return false;
    }
    boot != our_boot || !Path::new("/proc").join(process).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::migrate;
    use crate::fleet::url::Address;

    #[test]
    fn only_a_program_of_this_machine_can_be_known_to_be_gone() {
        let alive = std::process::id();
        assert!(!is_gone(&format!("m:b:{alive}"), "m:b:1"));
        assert!(is_gone("m:b:999999999", "m:b:1"));
        assert!(is_gone(&format!("m:earlier:{alive}"), "m:b:1"));
        assert!(!is_gone("other:b:999999999", "m:b:1"));
        assert!(!is_gone("unknown:b:999999999", "unknown:b:1"));
        assert!(!is_gone("", "m:b:1"));
    }

    #[tokio::test]
    async fn a_host_has_one_holder_until_it_lets_go_is_gone_or_its_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        let host = HostName::new("p620").unwrap();
        let ada = Claimant { run: "1", actor: "ada@desk", owner: "far:b:1" };
        let bob = Claimant { run: "2", actor: "bob@lap", owner: "m:b:999999999" };
        let eve = Claimant { run: "3", actor: "eve@lap", owner: "m:b:1" };
        let mut ask = async |claimant: &Claimant<'_>, machine: &str| {
            claim(&mut database, claimant, &host, machine).await.unwrap()
        };
        assert_eq!(ask(&ada, "x").await, ClaimAnswer::Granted);
        assert_eq!(ask(&ada, "x").await, ClaimAnswer::Granted);
        let ClaimAnswer::Held { holder, run, .. } = ask(&bob, "x").await else { panic!("not held") };
        assert_eq!((holder.as_str(), run.as_str()), ("ada@desk", "1"));
        // Another machine of the same name is another host.
        assert_eq!(ask(&bob, "y").await, ClaimAnswer::Granted);
        // bob's program is not alive on the machine that eve asks from.
        assert_eq!(ask(&eve, "y").await, ClaimAnswer::Granted);
        database
            .execute("test", "UPDATE deployment_locks SET expires_at = since WHERE run_id = '1'", &[])
            .await
            .unwrap();
        assert_eq!(claim(&mut database, &bob, &host, "x").await.unwrap(), ClaimAnswer::Granted);
        release(&mut database, "2").await.unwrap();
        assert_eq!(claim(&mut database, &ada, &host, "x").await.unwrap(), ClaimAnswer::Granted);
    }

    #[tokio::test]
    async fn waiting_ends_with_the_answer_and_never_lasts_for_ever() {
        let claims = Claims::default();
        let host = HostName::new("p620").unwrap();
        let held = ClaimAnswer::Held { holder: "ada".into(), run: "1".into(), since: Timestamp::UNIX_EPOCH };
        claims.answer(&host, held.clone());
        assert_eq!(claims.wait(&host, Duration::from_millis(20)).await, held);
        let waiting = tokio::spawn({
            let (claims, host) = (claims.clone(), host.clone());
            async move { claims.wait(&host, Duration::from_secs(60)).await }
        });
        claims.answer(&host, ClaimAnswer::Granted);
        assert_eq!(waiting.await.unwrap(), ClaimAnswer::Granted);
        claims.close();
        let other = HostName::new("p510").unwrap();
        assert!(matches!(claims.wait(&other, Duration::ZERO).await, ClaimAnswer::Unanswered(_)));
    }
}
