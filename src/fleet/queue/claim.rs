//! Which derivation a worker gets.
//!
//! Looking at the whole queue costs as much as the queue is long, so whoever
//! looks remembers some more than it takes, for all workers of its process
//! ([`Ahead`]). Each is asked for once more, by its row alone, in the transaction
//! that reserves it: what others took meanwhile is passed over.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Claimed, MOST_ATTEMPTS, Wanted, in_deploy, is_older};
use crate::fleet::database::{Database, Dialect};
use crate::fleet::error::FleetError;
use crate::fleet::query::places;
use crate::fleet::value::{Cell, Value, values};
use crate::model::StorePath;

/// How often the queue is looked at when others were quicker with all of it.
const TRIES: usize = 20;
/// How many derivations are remembered.
const LENGTH: usize = 64;
/// How long they are: what was evaluated since then comes first.
const FRESH: Duration = Duration::from_secs(2);

/// A derivation with the system that needs it; both are rows.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    id: i64,
    system_id: i64,
}

/// What is next, as somebody saw it a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    seen: Mutex<(Option<Instant>, VecDeque<Candidate>)>,
}

impl Ahead {
    fn seen(&self) -> MutexGuard<'_, (Option<Instant>, VecDeque<Candidate>)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Candidate> {
        let mut seen = self.seen();
        match seen.0 {
            Some(at) if at.elapsed() < FRESH => seen.1.pop_front(),
            _ => None,
        }
    }

    fn put(&self, candidates: VecDeque<Candidate>) {
        *self.seen() = (Some(Instant::now()), candidates);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.seen().1.len()
    }
}

/// Claims the next derivation for a worker; `None` when there is nothing that
/// it could build now.
pub(crate) async fn claim(
    database: &mut Database,
    worker: &str,
    wanted: &Wanted<'_>,
    ahead: &Ahead,
) -> Result<Option<Claimed>, FleetError> {
    for _ in 0..TRIES {
        while let Some(candidate) = ahead.take() {
            let claimed = database
                .transaction(async |database| match still_open(database, wanted, candidate).await? {
                    Some(claimed) => reserve(database, worker, claimed, candidate.system_id).await,
                    None => Ok(None),
                })
                .await?;
            if claimed.is_some() {
                return Ok(claimed);
            }
        }
        let candidates = look(database, wanted).await?;
        if candidates.is_empty() {
            return Ok(None);
        }
        ahead.put(candidates);
    }
    Ok(None)
}

/// What must hold of a derivation `d`, needed by a system `s` of a commit `c`;
/// its values are `$1` to `$3` and, from `$first` on, those left out.
fn is_open(dialect: Dialect, wanted: &Wanted<'_>, first: usize) -> String {
    let except = match wanted.except.len() {
        0 => String::new(),
        count => format!(" AND d.id NOT IN ({})", places(first - 1, count)),
    };
    format!(
        "c.flake_id = $1 AND d.status_id IN (5, 12) AND d.attempt_count < $3 \
         AND d.derivation_path LIKE '/nix/store/%.drv' \
         AND (d.status_id = 5 OR d.completed_at IS NULL OR {}) \
         AND NOT EXISTS (SELECT 1 FROM build_reservations w JOIN derivations x ON x.id = w.derivation_id \
                         WHERE x.derivation_path = d.derivation_path) \
         AND NOT EXISTS (SELECT 1 FROM derivation_dependencies p JOIN derivations n ON n.id = p.depends_on_id \
                         WHERE p.derivation_id = d.id AND n.derivation_type = 'package' \
                         AND n.status_id NOT IN (10, 11, 14)) \
         AND NOT {}{except}",
        is_older(dialect, "d.completed_at", 2),
        in_deploy("s"),
    )
}

fn values_of(wanted: &Wanted<'_>) -> Vec<Value> {
    let retry_after = i64::try_from(wanted.retry_after.as_secs()).unwrap_or(i64::MAX);
    values![wanted.flake_id, retry_after, MOST_ATTEMPTS]
}

fn left_out(wanted: &Wanted<'_>) -> impl Iterator<Item = Value> {
    wanted.except.iter().map(|id| Value::from(*id))
}

/// What is next in the order of the queue.
async fn look(database: &mut Database, wanted: &Wanted<'_>) -> Result<VecDeque<Candidate>, FleetError> {
    let sql = format!(
        "SELECT q.id, q.nixos_id FROM view_nixos_derivation_build_queue q \
         JOIN derivations d ON d.id = q.id JOIN derivations s ON s.id = q.nixos_id \
         JOIN commits c ON c.id = s.commit_id WHERE {} \
         ORDER BY q.nixos_commit_ts DESC, q.nixos_id, q.group_order, q.pname NULLS LAST, q.id LIMIT {LENGTH}",
        is_open(database.dialect(), wanted, 4),
    );
    let mut values = values_of(wanted);
    values.extend(left_out(wanted));
    let rows = database.rows("look for what is built next", &sql, &values).await?;
    let candidate = |cells: &Vec<Cell>| {
        Some(Candidate { id: cells.first()?.integer()?, system_id: cells.get(1)?.integer()? })
    };
    Ok(rows.iter().filter_map(candidate).collect())
}

/// A derivation, unless somebody else has it or it is not to be built any more.
async fn still_open(
    database: &mut Database,
    wanted: &Wanted<'_>,
    candidate: Candidate,
) -> Result<Option<Claimed>, FleetError> {
    let dialect = database.dialect();
    let lock = if dialect == Dialect::Postgres { " FOR UPDATE OF d SKIP LOCKED" } else { "" };
    let sql = format!(
        "SELECT d.id, d.derivation_type, d.derivation_name, d.derivation_path, d.store_path, s.derivation_name, \
         c.git_commit_hash, d.attempt_count \
         FROM derivations d JOIN derivations s ON s.id = $5 JOIN commits c ON c.id = s.commit_id \
         WHERE d.id = $4 AND s.status_id IN (5, 12) AND {}{lock}",
        is_open(dialect, wanted, 6),
    );
    let mut values = values_of(wanted);
    values.extend([Value::from(candidate.id), Value::from(candidate.system_id)]);
    values.extend(left_out(wanted));
    let row = database.row("look whether it is still to be built", &sql, &values).await?;
    let Some(cells) = row else { return Ok(None) };
    claimed(&cells).map(Some).ok_or_else(|| FleetError::Value {
        what: format!(
            "derivation {} of the build queue is no derivation",
            cells.get(3).and_then(Cell::text).unwrap_or_default()
        ),
    })
}

fn claimed(cells: &[Cell]) -> Option<Claimed> {
    let text = |index: usize| cells.get(index).and_then(Cell::text);
    Some(Claimed {
        id: cells.first()?.integer()?,
        is_system: text(1)? == "nixos",
        name: text(2)?.to_owned(),
        drv_path: StorePath::new(text(3)?).ok().filter(StorePath::is_derivation)?,
        store_path: text(4).and_then(|path| StorePath::new(path).ok()).filter(|path| !path.is_derivation()),
        host: text(5)?.to_owned(),
        commit_hash: text(6)?.to_owned(),
        attempts: cells.get(7)?.integer()?,
    })
}

/// Reserves it; `None` when somebody reserved the same `.drv` meanwhile.
async fn reserve(
    database: &mut Database,
    worker: &str,
    claimed: Claimed,
    system_id: i64,
) -> Result<Option<Claimed>, FleetError> {
    let drv_path = claimed.drv_path.as_str();
    if database.dialect() == Dialect::Postgres {
        // Two workers may hold the rows of two commits with the same derivation.
        let sql = "SELECT pg_advisory_xact_lock(hashtext($1))::text";
        database.rows("wait for who claims the same", sql, &values![drv_path]).await?;
        let sql = "SELECT count(*) FROM build_reservations w JOIN derivations x ON x.id = w.derivation_id \
                   WHERE x.derivation_path = $1";
        let row = database.row("look for who claimed the same", sql, &values![drv_path]).await?;
        if row.and_then(|cells| cells.first()?.integer()) != Some(0) {
            return Ok(None);
        }
    }
    let sql = "INSERT INTO build_reservations \
               (worker_id, derivation_id, nixos_derivation_id, reserved_at, heartbeat_at) \
               SELECT $1, $2, $3, k.at, k.at FROM fleet_clock k WHERE true \
               ON CONFLICT (derivation_id) DO NOTHING";
    let reserved =
        database.execute("reserve a derivation", sql, &values![worker, claimed.id, system_id]).await?;
    if reserved == 0 {
        return Ok(None);
    }
    let sql = "UPDATE derivations SET status_id = 8, started_at = (SELECT at FROM fleet_clock), \
               build_last_heartbeat = (SELECT at FROM fleet_clock), build_elapsed_seconds = 0, \
               build_current_target = $2 WHERE id = $1";
    let name = claimed.drv_path.name().trim_end_matches(".drv");
    database.execute("write that it is being built", sql, &values![claimed.id, name]).await?;
    Ok(Some(claimed))
}
