//! Closures from the database of the local store: 20 ms where the command
//! takes 160 to 400.
//!
//! Only read, and only where that is allowed: the database writes ahead, and
//! who may not write its index file cannot open it. Then, and when a path is
//! not in it (the store in use is another one), the caller asks the command.
//! What the database says of a path is right whichever store is in use: a path
//! has the same references and size everywhere.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::Semaphore;

use super::Closure;
use crate::model::StorePath;

/// Where Nix keeps it (nix/src/libstore/local-store.cc).
const DATABASE: &str = "/nix/var/nix/db/db.sqlite";
/// How long to wait for somebody who locks the database.
const PATIENCE: Duration = Duration::from_millis(200);
/// Reads at once: each has a cache of its own, of 2 MiB (sqlite.org, PRAGMA cache_size), and
/// hosts ask for two closures each. More would only wait for the processors.
static READS: Semaphore = Semaphore::const_new(4);

const CLOSURE: &str = "WITH RECURSIVE closure(id) AS (\
     SELECT id FROM ValidPaths WHERE path = $1 \
     UNION SELECT reference FROM Refs JOIN closure ON referrer = closure.id) \
     SELECT path, narSize FROM ValidPaths JOIN closure USING (id)";

/// The closure of a path; `None` when it cannot be read here.
pub(super) async fn closure(path: &StorePath) -> Option<Closure> {
    closure_in(Path::new(DATABASE), path).await
}

async fn closure_in(database: &Path, path: &StorePath) -> Option<Closure> {
    let read = async {
        // It is never closed.
        let _turn = READS.acquire().await;
        let options = SqliteConnectOptions::new().filename(database).read_only(true).busy_timeout(PATIENCE);
        let mut connection = SqliteConnection::connect_with(&options.disable_statement_logging()).await?;
        let rows = sqlx::query(CLOSURE).bind(path.as_str()).fetch_all(&mut connection).await?;
        // A connection that does not close well has still said everything.
        let _ = connection.close().await;
        Ok::<_, sqlx::Error>(rows)
    };
    let rows = match read.await {
        Ok(rows) => rows,
        Err(error) => {
            tracing::debug!(%error, "the database of the store");
            return None;
        }
    };
    // A size that is not known, or a path that is none, makes all of it doubtful.
    let sizes: Option<Vec<(StorePath, u64)>> = rows
        .iter()
        .map(|row| {
            let size: i64 = row.try_get::<Option<i64>, _>(1).ok()??;
            Some((StorePath::new(row.try_get::<String, _>(0).ok()?).ok()?, u64::try_from(size).ok()?))
        })
        .collect();
    let closure: Closure = sizes?.into_iter().collect();
    closure.contains(path).then_some(closure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> StorePath {
        StorePath::new(format!("/nix/store/f98asahd0v34slfpy357djz098h6aq55-{name}")).unwrap()
    }

    /// A database as Nix' own schema has it (nix/src/libstore/schema.sql), in
    /// which `a` needs `b`, and `b` needs itself and `c`.
    async fn database(folder: &Path) -> std::path::PathBuf {
        let file = folder.join("db.sqlite");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let schema = "PRAGMA journal_mode = wal; \
            CREATE TABLE ValidPaths (id integer PRIMARY KEY, path text UNIQUE NOT NULL, narSize integer); \
            CREATE TABLE Refs (referrer integer NOT NULL, reference integer NOT NULL, PRIMARY KEY (referrer, reference));";
        sqlx::raw_sql(schema).execute(&mut connection).await.unwrap();
        for (id, name, size) in [(1, "a", Some(10)), (2, "b", Some(20)), (3, "c", Some(30)), (4, "d", None)] {
            sqlx::query("INSERT INTO ValidPaths VALUES ($1, $2, $3)")
                .bind(id)
                .bind(path(name).as_str())
                .bind(size)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        sqlx::raw_sql("INSERT INTO Refs VALUES (1, 2), (2, 2), (2, 3)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        file
    }

    #[tokio::test]
    async fn a_closure_is_everything_that_is_referred_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = database(folder.path()).await;
        let closure = closure_in(&file, &path("a")).await.unwrap();
        assert_eq!((closure.iter().count(), closure.size()), (3, 60));
        assert_eq!(closure_in(&file, &path("c")).await.unwrap().size(), 30);
    }

    #[tokio::test]
    async fn what_cannot_be_read_whole_is_left_to_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let file = database(folder.path()).await;
        assert!(closure_in(&file, &path("elsewhere")).await.is_none());
        assert!(closure_in(&file, &path("d")).await.is_none(), "a size is not known");
        assert!(closure_in(&folder.path().join("missing"), &path("a")).await.is_none());
        assert!(!folder.path().join("missing").exists());
        std::fs::write(folder.path().join("text"), "no database").unwrap();
        assert!(closure_in(&folder.path().join("text"), &path("a")).await.is_none());
    }
}
