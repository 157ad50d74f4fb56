//! The commits of a flake: their order, and what of them is not evaluated yet.
//!
//! Invariant: after [`record`] no commit of the history is as old as one before
//! it. Git knows what follows what, the views of the model only know times: a
//! commit whose clock was wrong, or that was made in the same second as the one
//! before it (a rebase), gets the next microsecond.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::database::Database;
use super::error::FleetError;
use super::queue::MOST_ATTEMPTS;
use super::rows;
use super::value::{Cell, values};
use crate::model::Commit;

/// What [`record`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Commits that were not recorded before.
    pub(crate) new: usize,
    /// Commits that were recorded with a time that contradicts their order.
    pub(crate) moved: usize,
    /// Commits that were recorded as they are.
    pub(crate) known: usize,
}

/// A commit that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordedCommit {
    /// Its row.
    pub(crate) id: i64,
    /// Its hash.
    pub(crate) hash: String,
}

/// Records the history, oldest first, from the commit at `from` on, or from an
/// earlier one that is recorded already, so that no gap stays between what was
/// recorded before and what is new. What is recorded already stays.
pub(crate) async fn record(
    database: &mut Database,
    flake_id: i64,
    history: &[Commit],
    from: usize,
    now: Timestamp,
) -> Result<Recorded, FleetError> {
    database
        .transaction(async |database| {
            let known = known(database, flake_id).await?;
            let (older, _) = history.split_at(from.min(history.len()));
            // The oldest one: a deploy records its own commit alone, with a gap before it.
            let begin = older.iter().position(|commit| known.contains_key(&commit.hash)).unwrap_or(older.len());
            let history = history.get(begin..).unwrap_or_default();
            let mut recorded = Recorded::default();
            let mut new = Vec::new();
            let mut before: Option<Timestamp> = None;
            for commit in history {
                let known = known.get(&commit.hash);
                // A clock that was ahead must not make later commits older than this one.
                let own = known.map_or(commit.time.min(now), |(_, time)| *time);
                let time = before.filter(|before| own <= *before).map_or(own, next_microsecond);
                before = Some(time);
                match known {
                    None => new.push(values![flake_id, &commit.hash, time]),
                    Some((id, recorded_time)) if *recorded_time != time => {
                        let sql = "UPDATE commits SET commit_timestamp = $2 WHERE id = $1";
                        database.execute("write the order of commits", sql, &values![*id, time]).await?;
                        recorded.moved += 1;
                    }
                    Some(_) => recorded.known += 1,
                }
            }
            recorded.new = new.len();
            let columns = "flake_id, git_commit_hash, commit_timestamp";
            rows::insert(
                database,
                "commits",
                columns,
                new,
                "ON CONFLICT (flake_id, git_commit_hash) DO NOTHING",
            )
            .await?;
            Ok(recorded)
        })
        .await
}

fn next_microsecond(time: Timestamp) -> Timestamp {
    time.checked_add(SignedDuration::from_micros(1)).unwrap_or(time)
}

async fn known(
    database: &mut Database,
    flake_id: i64,
) -> Result<BTreeMap<String, (i64, Timestamp)>, FleetError> {
    let sql = "SELECT git_commit_hash, id, commit_timestamp FROM commits WHERE flake_id = $1";
    let rows = database.rows("read the commits", sql, &values![flake_id]).await?;
    let entry = |cells: Vec<Cell>| {
        Some((cells.first()?.text()?.to_owned(), (cells.get(1)?.integer()?, cells.get(2)?.time()?)))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

/// The newest commits of a flake, newest first.
pub(crate) async fn newest(
    database: &mut Database,
    flake_id: i64,
    count: u64,
) -> Result<Vec<RecordedCommit>, FleetError> {
    let sql = "SELECT id, git_commit_hash FROM commits WHERE flake_id = $1 \
               ORDER BY commit_timestamp DESC, id DESC LIMIT $2";
    let rows = database.rows("read the newest commits", sql, &values![flake_id, count]).await?;
    let commit = |cells: Vec<Cell>| {
        Some(RecordedCommit { id: cells.first()?.integer()?, hash: cells.get(1)?.text()?.to_owned() })
    };
    Ok(rows.into_iter().filter_map(commit).collect())
}

/// Those of these commits that are recorded, in their order.
pub(crate) async fn of_hashes(
    database: &mut Database,
    flake_id: i64,
    hashes: &[String],
) -> Result<Vec<RecordedCommit>, FleetError> {
    let known = known(database, flake_id).await?;
    let commit = |hash: &String| known.get(hash).map(|(id, _)| RecordedCommit { id: *id, hash: hash.clone() });
    Ok(hashes.iter().filter_map(commit).collect())
}

/// How a host's configuration at a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has evaluated it to the end.
    Open,
    /// It evaluates.
    Evaluated,
    /// It failed as often as is tried.
    GivenUp,
}

/// How the configurations at a commit stand, by host; hosts that are not there
/// are open.
pub(crate) async fn standings(
    database: &mut Database,
    commit_id: i64,
) -> Result<BTreeMap<String, Standing>, FleetError> {
    let sql = "SELECT derivation_name, status_id, attempt_count FROM derivations \
               WHERE commit_id = $1 AND derivation_type = 'nixos'";
    let rows = database.rows("read the commit's configurations", sql, &values![commit_id]).await?;
    let entry = |cells: Vec<Cell>| {
        let standing = match (cells.get(1)?.integer()?, cells.get(2)?.integer()?) {
            (5 | 7..=12 | 14, _) => Standing::Evaluated,
            (_, attempts) if attempts >= MOST_ATTEMPTS => Standing::GivenUp,
            _ => Standing::Open,
        };
        Some((cells.first()?.text()?.to_owned(), standing))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

/// Lets a derivation that evaluates at last have all its attempts for the build.
pub(crate) async fn forget_attempts(database: &mut Database, derivation_id: i64) -> Result<(), FleetError> {
    let sql = "UPDATE derivations SET attempt_count = 0 WHERE id = $1 AND status_id = 5";
    database.execute("write the derivation's attempts", sql, &values![derivation_id]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::migrate;
    use crate::fleet::url::Address;

    fn commit(hash: &str, second: i64) -> Commit {
        Commit { hash: hash.to_owned(), time: Timestamp::from_second(second).unwrap() }
    }

    async fn order(database: &mut Database) -> String {
        let newest = newest(database, 1, 10).await.unwrap();
        newest.iter().map(|commit| commit.hash.as_str()).collect()
    }

    #[tokio::test]
    async fn commits_are_in_the_order_of_git_whatever_their_clocks_said() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        database.execute("test", "INSERT INTO flakes (name, repo_url) VALUES ('x', 'x')", &[]).await.unwrap();
        let now = Timestamp::from_second(1_000).unwrap();
        // The deploy of c was recorded before the history was read; b and c are of one second, e of
        // tomorrow, and f of a machine whose clock stands still.
        let sql = "INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES (1, 'c', $1)";
        database.execute("test", sql, &values![Timestamp::from_second(200).unwrap()]).await.unwrap();
        let history =
            [("a", 100), ("b", 200), ("c", 200), ("d", 150), ("e", 9_000), ("f", 0)].map(|(h, s)| commit(h, s));
        let recorded = record(&mut database, 1, &history, 0, now).await.unwrap();
        assert_eq!(recorded, Recorded { new: 5, moved: 1, known: 0 });
        assert_eq!(order(&mut database).await, "fedcba");
        let again = record(&mut database, 1, &history, 0, now).await.unwrap();
        assert_eq!(again, Recorded { new: 0, moved: 0, known: 6 });
        let more = [history.as_slice(), &[commit("g", 1_001)]].concat();
        let recorded =
            record(&mut database, 1, &more[4..], 0, Timestamp::from_second(1_002).unwrap()).await.unwrap();
        assert_eq!(recorded, Recorded { new: 1, moved: 0, known: 2 });
        assert_eq!(order(&mut database).await, "gfedcba");
    }

    #[tokio::test]
    async fn the_newest_commits_are_recorded_with_all_that_follow_a_recorded_one() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        database.execute("test", "INSERT INTO flakes (name, repo_url) VALUES ('x', 'x')", &[]).await.unwrap();
        let now = Timestamp::from_second(9_000).unwrap();
        // The clock of whoever made f was behind.
        let history = [("a", 100), ("b", 200), ("c", 300), ("d", 400), ("e", 500), ("f", 50)]
            .map(|(hash, second)| commit(hash, second));
        // Nothing is recorded: older ones than asked for stay out.
        let recorded = record(&mut database, 1, &history[..3], 1, now).await.unwrap();
        assert_eq!(recorded, Recorded { new: 2, moved: 0, known: 0 });
        let recorded = record(&mut database, 1, &history, 5, now).await.unwrap();
        assert_eq!(recorded, Recorded { new: 3, moved: 0, known: 2 });
        assert_eq!(order(&mut database).await, "fedcb");
        // A deploy has recorded its own commit alone.
        let lone = "DELETE FROM commits WHERE git_commit_hash IN ('d', 'f')";
        database.execute("test", lone, &[]).await.unwrap();
        let recorded = record(&mut database, 1, &history, 5, now).await.unwrap();
        assert_eq!(recorded, Recorded { new: 2, moved: 0, known: 3 });
        assert_eq!(order(&mut database).await.len(), 5);
        let hashes = ["f".to_owned(), "nowhere".to_owned(), "b".to_owned()];
        let found = of_hashes(&mut database, 1, &hashes).await.unwrap();
        assert_eq!(found.iter().map(|commit| commit.hash.as_str()).collect::<String>(), "fb");
    }
}
