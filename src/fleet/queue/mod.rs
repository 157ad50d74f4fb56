//! The build queue: who builds what, and what became of it.
//!
//! The order is that of `view_nixos_derivation_build_queue`: newest commit first,
//! packages before their system. A worker claims a derivation by a row in
//! `build_reservations` and says every half minute that it lives; who was not
//! heard of for [`SILENCE`] loses the reservation, and the derivation is open
//! again.
//!
//! Invariants: a derivation has one reservation at most, and so have all rows
//! with the same `.drv`. What became of a build is only written by who holds the
//! reservation then. The database's clock judges ages, never that of a worker.

mod claim;

use std::time::Duration;

use super::database::{Database, Dialect};
use super::error::FleetError;
use super::query::places;
use super::value::{Value, values};
use crate::model::StorePath;

pub(crate) use claim::{Ahead, claim};

/// How often a derivation may fail.
pub(crate) const MOST_ATTEMPTS: i64 = 5;
/// How often a worker says that it lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(30);
/// A reservation that was not heard of for so long is taken back.
pub(crate) const SILENCE: Duration = Duration::from_secs(5 * 60);

/// What a worker may take.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// Only of this flake.
    pub(crate) flake_id: i64,
    /// How long after a failure it is tried again.
    pub(crate) retry_after: Duration,
    /// Derivations that cannot be built by this worker.
    pub(crate) except: &'a [i64],
}

/// A derivation that a worker has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// Its row.
    pub(crate) id: i64,
    /// Whether it is a system; else it is a package.
    pub(crate) is_system: bool,
    /// Its name; for a system the host's.
    pub(crate) name: String,
    /// The `.drv`.
    pub(crate) drv_path: StorePath,
    /// What it builds, where the evaluation said so.
    pub(crate) store_path: Option<StorePath>,
    /// The host whose system needs it.
    pub(crate) host: String,
    /// The commit it belongs to.
    pub(crate) commit_hash: String,
    /// How often it has failed.
    pub(crate) attempts: i64,
}

/// What became of a build.
#[derive(Clone, Debug)]
pub(crate) enum Outcome<'a> {
    /// It is built.
    Built {
        /// What it built.
        store_path: Option<&'a StorePath>,
        /// Whether it is in the binary cache, too.
        pushed: bool,
        /// Why it is not, although it should be.
        problem: Option<&'a str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// It cannot be built.
    Failed {
        /// Why.
        error: &'a str,
        /// How long it took.
        elapsed: Duration,
    },
    /// Nobody knows: the worker stops, or cannot build it.
    GivenBack,
}

/// `column <= now - $place seconds`, in the words of the database.
fn is_older(dialect: Dialect, column: &str, place: usize) -> String {
    match dialect {
        Dialect::Sqlite => {
            format!("{column} <= strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-' || ${place} || ' seconds')")
        }
        Dialect::Postgres => format!("{column} <= now() - ${place} * interval '1 second'"),
    }
}

/// A live deploy is about to build this system itself.
fn in_deploy(system: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM deployment_events e, fleet_clock k \
         WHERE e.hostname = {system}.derivation_name AND e.status = 'in_progress' \
         AND e.derivation_id = {system}.id AND (e.lock_expires_at IS NULL OR e.lock_expires_at > k.at))"
    )
}

/// Says that the worker lives; false when the reservation was taken back.
pub(crate) async fn heartbeat(
    database: &mut Database,
    worker: &str,
    derivation_id: i64,
    elapsed: Duration,
) -> Result<bool, FleetError> {
    let sql = "UPDATE build_reservations SET heartbeat_at = (SELECT at FROM fleet_clock) \
               WHERE worker_id = $1 AND derivation_id = $2";
    if database.execute("keep a reservation", sql, &values![worker, derivation_id]).await? == 0 {
        return Ok(false);
    }
    let sql = "UPDATE derivations SET build_last_heartbeat = (SELECT at FROM fleet_clock), \
               build_elapsed_seconds = $2 WHERE id = $1 AND status_id = 8";
    let values = values![derivation_id, elapsed.as_secs()];
    database.execute("write how far the build is", sql, &values).await?;
    Ok(true)
}

/// Writes what became of a build and lets the reservation go; false when the
/// reservation was taken back, and then nothing is written.
pub(crate) async fn settle(
    database: &mut Database,
    worker: &str,
    claimed: &Claimed,
    outcome: &Outcome<'_>,
) -> Result<bool, FleetError> {
    database
        .transaction(async |database| {
            let sql = "DELETE FROM build_reservations WHERE worker_id = $1 AND derivation_id = $2";
            let held = database.execute("let a reservation go", sql, &values![worker, claimed.id]).await?;
            if held == 0 {
                return Ok(false);
            }
            match outcome {
                Outcome::Built { store_path, pushed, problem, elapsed } => {
                    let status: i64 = if *pushed { 14 } else { 10 };
                    let path = store_path.map(StorePath::as_str);
                    let built = "UPDATE derivations SET status_id = $1, store_path = coalesce($2, store_path), \
                                 error_message = $3, completed_at = (SELECT at FROM fleet_clock), \
                                 build_elapsed_seconds = $4, build_current_target = NULL WHERE";
                    let seconds = elapsed.as_secs();
                    let sql = format!("{built} id = $5");
                    let values = values![status, path, *problem, seconds, claimed.id];
                    database.execute("write that it is built", &sql, &values).await?;
                    // So are the rows of other commits with the same derivation.
                    let sql = format!("{built} derivation_path = $5 AND status_id IN (5, 7, 12)");
                    let values = values![status, path, *problem, seconds, claimed.drv_path.as_str()];
                    database.execute("write that it is built elsewhere", &sql, &values).await?;
                }
                Outcome::Failed { error, elapsed } => failed(database, claimed, error, *elapsed).await?,
                Outcome::GivenBack => reopen(database, &[claimed.id]).await?,
            }
            Ok(true)
        })
        .await
}

async fn failed(
    database: &mut Database,
    claimed: &Claimed,
    error: &str,
    elapsed: Duration,
) -> Result<(), FleetError> {
    let sql = "UPDATE derivations SET status_id = 12, error_message = $2, attempt_count = attempt_count + 1, \
               completed_at = (SELECT at FROM fleet_clock), build_elapsed_seconds = $3, \
               build_current_target = NULL WHERE id = $1";
    database.execute("write that it failed", sql, &values![claimed.id, error, elapsed.as_secs()]).await?;
    // The rows of other commits with the same derivation would fail in the same way.
    let drv_path = claimed.drv_path.as_str();
    let sql = "UPDATE derivations SET status_id = 12, error_message = $2, \
               attempt_count = (SELECT d.attempt_count FROM derivations d WHERE d.id = $1), \
               completed_at = (SELECT at FROM fleet_clock) \
               WHERE derivation_path = $3 AND status_id IN (5, 7, 12) AND id <> $1";
    database.execute("write that it failed elsewhere", sql, &values![claimed.id, error, drv_path]).await?;
    if claimed.attempts + 1 < MOST_ATTEMPTS {
        return Ok(());
    }
    // What needs it cannot be built either, and says why.
    let message = format!("it needs {}, which failed {MOST_ATTEMPTS} times", claimed.name);
    let sql = "WITH RECURSIVE above (id) AS (\
               SELECT p.derivation_id FROM derivation_dependencies p JOIN derivations d ON d.id = p.depends_on_id \
               WHERE d.derivation_path = $1 AND d.status_id = 12 \
               UNION SELECT p.derivation_id FROM derivation_dependencies p JOIN above a ON p.depends_on_id = a.id) \
               UPDATE derivations SET status_id = 12, error_message = $2, \
               completed_at = (SELECT at FROM fleet_clock) \
               WHERE status_id IN (5, 7) AND id IN (SELECT id FROM above)";
    database.execute("write what cannot be built", sql, &values![drv_path, message]).await?;
    Ok(())
}

/// Lets derivations be claimed again; what failed before has failed before.
async fn reopen(database: &mut Database, ids: &[i64]) -> Result<(), FleetError> {
    let sql = format!(
        "UPDATE derivations SET status_id = CASE WHEN attempt_count > 0 THEN 12 ELSE 5 END, \
         build_current_target = NULL WHERE status_id = 8 AND id IN ({})",
        places(0, ids.len())
    );
    let values: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    database.execute("give a derivation back", &sql, &values).await?;
    Ok(())
}

/// Lets what failed in the flake's newest commit that was evaluated be tried
/// again as if it were new; says how many derivations that are.
pub(crate) async fn forgive(database: &mut Database, flake_id: i64) -> Result<u64, FleetError> {
    let sql = "UPDATE derivations SET status_id = 5, attempt_count = 0, error_message = NULL \
               WHERE status_id = 12 AND derivation_path IS NOT NULL AND commit_id = (\
               SELECT c.id FROM commits c WHERE c.flake_id = $1 AND EXISTS (\
               SELECT 1 FROM derivations d WHERE d.commit_id = c.id AND d.derivation_type = 'nixos') \
               ORDER BY c.commit_timestamp DESC, c.id DESC LIMIT 1)";
    database.execute("let failed derivations be tried again", sql, &values![flake_id]).await
}

/// Takes reservations back whose workers were not heard of any more, and gives
/// the names of those workers.
pub(crate) async fn take_back(database: &mut Database) -> Result<Vec<String>, FleetError> {
    let dialect = database.dialect();
    let seconds = SILENCE.as_secs();
    // Asked first without a transaction: there is hardly ever one.
    let is_silent = is_older(dialect, "heartbeat_at", 1);
    let sql = format!("SELECT count(*) FROM build_reservations WHERE {is_silent}");
    let row = database.row("look for silent workers", &sql, &values![seconds]).await?;
    if row.and_then(|cells| cells.first()?.integer()) == Some(0) {
        return Ok(Vec::new());
    }
    database
        .transaction(async |database| {
            let sql =
                format!("DELETE FROM build_reservations WHERE {is_silent} RETURNING worker_id, derivation_id");
            let rows = database.rows("take reservations back", &sql, &values![seconds]).await?;
            let ids: Vec<i64> = rows.iter().filter_map(|cells| cells.get(1)?.integer()).collect();
            reopen(database, &ids).await?;
            Ok(rows.iter().filter_map(|cells| Some(cells.first()?.text()?.to_owned())).collect())
        })
        .await
}

/// Opens systems again that a deploy was about to build when it died: nobody
/// builds them any more.
pub(crate) async fn reopen_left(database: &mut Database, flake_id: i64) -> Result<u64, FleetError> {
    let is_old = is_older(database.dialect(), "coalesce(d.started_at, d.scheduled_at)", 2);
    let sql = format!(
        "UPDATE derivations SET status_id = 5 WHERE id IN (SELECT d.id FROM derivations d \
         JOIN commits c ON c.id = d.commit_id WHERE c.flake_id = $1 AND d.derivation_type = 'nixos' \
         AND d.status_id IN (7, 8) AND d.derivation_path IS NOT NULL AND {is_old} AND NOT {} \
         AND NOT EXISTS (SELECT 1 FROM build_reservations w WHERE w.derivation_id = d.id))",
        in_deploy("d")
    );
    database.execute("open what a deploy left", &sql, &values![flake_id, SILENCE.as_secs()]).await
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::migrate;
    use crate::fleet::url::Address;

    /// Two commits with a system each and one package, which is the same
    /// derivation in both; rows 1 and 2 are those of the older commit.
    async fn queue() -> (TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        let drv = |letter: char, name: &str| {
            format!("'/nix/store/{}-{name}.drv'", std::iter::repeat_n(letter, 32).collect::<String>())
        };
        let (old, new, hello) = (drv('a', "nixos"), drv('b', "nixos"), drv('h', "hello"));
        let sql = format!(
            "INSERT INTO flakes (id, name, repo_url) VALUES (1, 'x', 'x');
             INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp) VALUES
             (1, 1, 'c1', '2025-11-20T10:00:00.000000Z'), (2, 1, 'c2', '2025-11-21T10:00:00.000000Z');
             INSERT INTO derivations (id, commit_id, derivation_type, derivation_name, derivation_path, status_id)
             VALUES (1, 1, 'nixos', 'p620', {old}, 5), (2, 1, 'package', 'hello', {hello}, 5),
             (3, 2, 'nixos', 'p620', {new}, 5), (4, 2, 'package', 'hello', {hello}, 5),
             (5, 2, 'nixos', 'odd', 'not a path', 5);
             INSERT INTO derivation_dependencies VALUES (1, 2), (3, 4);"
        );
        database.script("test", &sql).await.unwrap();
        (folder, database)
    }

    const WANTED: Wanted<'_> = Wanted { flake_id: 1, retry_after: Duration::ZERO, except: &[] };
    const BUILT: Outcome<'_> =
        Outcome::Built { store_path: None, pushed: false, problem: None, elapsed: Duration::ZERO };
    const FAILED: Outcome<'_> = Outcome::Failed { error: "out of order", elapsed: Duration::ZERO };

    async fn take(database: &mut Database, worker: &str) -> Option<Claimed> {
        next(database, worker, &WANTED).await
    }

    async fn next(database: &mut Database, worker: &str, wanted: &Wanted<'_>) -> Option<Claimed> {
        claim(database, worker, wanted, &Ahead::default()).await.unwrap()
    }

    async fn statuses(database: &mut Database) -> Vec<(i64, i64)> {
        let sql = "SELECT status_id, attempt_count FROM derivations ORDER BY id LIMIT 4";
        let rows = database.rows("test", sql, &[]).await.unwrap();
        rows.iter().map(|cells| (cells[0].integer().unwrap(), cells[1].integer().unwrap())).collect()
    }

    #[tokio::test]
    async fn packages_come_first_and_one_derivation_of_two_commits_is_built_once() {
        let (_folder, mut database) = queue().await;
        let package = take(&mut database, "one").await.unwrap();
        assert_eq!((package.id, package.host.as_str(), package.commit_hash.as_str()), (4, "p620", "c2"));
        assert_eq!(take(&mut database, "two").await, None, "all else waits for it");
        assert!(settle(&mut database, "one", &package, &BUILT).await.unwrap());
        assert_eq!(statuses(&mut database).await, [(5, 0), (10, 0), (5, 0), (10, 0)]);
        assert_eq!(take(&mut database, "one").await.unwrap().id, 3);
        let other = take(&mut database, "two").await.unwrap();
        assert!(other.is_system && other.id == 1);
        assert!(settle(&mut database, "two", &other, &Outcome::GivenBack).await.unwrap());
        assert_eq!(take(&mut database, "two").await.unwrap().id, 1);
        let except = Wanted { except: &[1, 3], ..WANTED };
        assert_eq!(next(&mut database, "three", &except).await, None);
    }

    #[tokio::test]
    async fn what_one_worker_saw_the_others_take_unless_it_was_taken_meanwhile() {
        let (_folder, mut database) = queue().await;
        let sql = "DELETE FROM derivation_dependencies; UPDATE derivations SET derivation_type = 'package' WHERE id = 2;
                   UPDATE derivations SET status_id = 10 WHERE id IN (2, 4)";
        database.script("test", sql).await.unwrap();
        let ahead = Ahead::default();
        let first = claim(&mut database, "one", &WANTED, &ahead).await.unwrap().unwrap();
        assert_eq!((first.id, ahead.len()), (3, 1));
        // Another process, which saw nothing of that, takes what was next.
        assert_eq!(take(&mut database, "other").await.unwrap().id, 1);
        assert_eq!(claim(&mut database, "two", &WANTED, &ahead).await.unwrap(), None);
        assert!(settle(&mut database, "one", &first, &Outcome::GivenBack).await.unwrap());
        assert_eq!(claim(&mut database, "two", &WANTED, &ahead).await.unwrap().unwrap().id, 3);
    }

    #[tokio::test]
    async fn who_was_not_heard_of_has_lost_it_and_writes_nothing() {
        let (_folder, mut database) = queue().await;
        let claimed = take(&mut database, "one").await.unwrap();
        assert!(heartbeat(&mut database, "one", claimed.id, Duration::from_secs(30)).await.unwrap());
        assert!(take_back(&mut database).await.unwrap().is_empty());
        let sql = "UPDATE build_reservations SET heartbeat_at = '2025-01-01T00:00:00.000000Z'";
        database.execute("test", sql, &[]).await.unwrap();
        assert_eq!(take_back(&mut database).await.unwrap(), ["one"]);
        assert_eq!(take(&mut database, "two").await.unwrap(), claimed);
        assert!(!heartbeat(&mut database, "one", claimed.id, Duration::ZERO).await.unwrap());
        assert!(!settle(&mut database, "one", &claimed, &FAILED).await.unwrap());
        assert_eq!(statuses(&mut database).await[3], (8, 0));
        assert!(settle(&mut database, "two", &claimed, &BUILT).await.unwrap());
    }

    #[tokio::test]
    async fn a_failure_is_tried_again_after_a_while_and_five_times_in_all() {
        let (_folder, mut database) = queue().await;
        for attempt in 1..=MOST_ATTEMPTS {
            let claimed = take(&mut database, "one").await.unwrap();
            assert_eq!(claimed.attempts, attempt - 1);
            assert!(settle(&mut database, "one", &claimed, &FAILED).await.unwrap());
            let patient = Wanted { retry_after: Duration::from_secs(60), ..WANTED };
            assert_eq!(next(&mut database, "one", &patient).await, None, "{attempt}");
        }
        assert_eq!(take(&mut database, "one").await, None);
        assert_eq!(statuses(&mut database).await, [(12, 0), (12, 5), (12, 0), (12, 5)]);
        let row = database.row("test", "SELECT error_message FROM derivations WHERE id = 1", &[]).await;
        let cells = row.unwrap().unwrap();
        assert_eq!(cells[0].text(), Some("it needs hello, which failed 5 times"));
        // Both of the newest commit, and nothing of the older one.
        assert_eq!(forgive(&mut database, 1).await.unwrap(), 2);
        assert_eq!(statuses(&mut database).await, [(12, 0), (12, 5), (5, 0), (5, 0)]);
        assert_eq!(take(&mut database, "one").await.unwrap().id, 4);
        assert_eq!(forgive(&mut database, 2).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_a_live_deploy_builds_is_left_to_it_and_what_a_dead_one_left_is_not() {
        let (_folder, mut database) = queue().await;
        let sql = "UPDATE derivations SET status_id = 10 WHERE id IN (2, 4);
                   UPDATE derivations SET status_id = 8, started_at = '2025-01-01T00:00:00.000000Z' WHERE id = 3;
                   INSERT INTO deployment_events (hostname, derivation_id, lock_expires_at)
                   VALUES ('p620', 3, '2125-01-01T00:00:00.000000Z'), ('p620', 1, '2125-01-01T00:00:00.000000Z');";
        database.script("test", sql).await.unwrap();
        assert_eq!(take(&mut database, "one").await, None);
        assert_eq!(reopen_left(&mut database, 1).await.unwrap(), 0);
        let sql = "UPDATE deployment_events SET lock_expires_at = '2025-01-01T00:00:00.000000Z'";
        database.execute("test", sql, &[]).await.unwrap();
        assert_eq!(reopen_left(&mut database, 1).await.unwrap(), 1);
        assert_eq!(take(&mut database, "one").await.unwrap().id, 3);
        assert_eq!(take(&mut database, "two").await.unwrap().id, 1);
    }
}
