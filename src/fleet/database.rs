//! One connection to the fleet database, SQLite or PostgreSQL.
//!
//! Statements are the same text for both, with `$1`, `$2` … for values. Where
//! the two spell something differently, [`Database::dialect`] decides in one
//! place. A [`Database`] is one connection: who needs several opens several.
//!
//! Invariants: every value is bound, never pasted. A transaction that does not
//! end well is rolled back, and the connection is then not used again when
//! that failed too. SQLite begins with the write lock, so that two writers
//! wait for each other at the beginning and never break in the middle.

use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{Column as _, ConnectOptions, Connection as _, Executor, Row as _};

use super::error::FleetError;
use super::packed;
use super::url::Address;
use super::value::{
    Cell, PostgresJson, PostgresKind, PostgresTime, PostgresUuid, Value, postgres_cell, time_text,
};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until a server lets us in.
    pub(crate) connect: Duration,
    /// Until somebody else lets go of a lock.
    pub(crate) lock: Duration,
}

impl Patience {
    /// For a command that a person waits for.
    pub(crate) const COMMAND: Self = Self { connect: Duration::from_secs(10), lock: Duration::from_secs(30) };
    /// For the recorder, which tries again.
    pub(crate) const RECORDER: Self = Self { connect: Duration::from_secs(5), lock: Duration::from_secs(5) };
}

/// How often a transaction that another one got in the way of is done again. Of two that wait for
/// each other one goes on, so there is nothing to wait for.
const CONFLICTS: u32 = 8;

/// One row of an answer.
pub(crate) type Cells = Vec<Cell>;

enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

/// One connection to the fleet database.
pub(crate) struct Database {
    connection: Connection,
    place: String,
}

impl Database {
    /// Connects; the schema is not looked at (`migrate.rs` does).
    pub(super) async fn connect(address: &Address, patience: Patience) -> Result<Self, FleetError> {
        let place = address.shown();
        let connecting = async {
            match address {
                Address::Sqlite(path) => connect_sqlite(path, patience).await,
                Address::Postgres(options) => connect_postgres(options, patience).await,
            }
        };
        match tokio::time::timeout(patience.connect, connecting).await {
            Err(_) => Err(FleetError::Silent { place }),
            Ok(Err(ConnectError::File(source))) => {
                Err(FleetError::File { path: Path::new(&place).to_owned(), source })
            }
            Ok(Err(ConnectError::Database(source))) => Err(FleetError::Connect { place, source }),
            Ok(Ok(connection)) => Ok(Self { connection, place }),
        }
    }

    /// Which of the two it is.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Where it is, without a password.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Runs a query; `doing` is a fragment such as "read the timeline".
    pub(crate) async fn rows(
        &mut self,
        doing: &'static str,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<Cells>, FleetError> {
        let place = &self.place;
        let failed = |source| FleetError::Statement { doing, place: place.clone(), source };
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let rows = bind_sqlite(sql, values).fetch(&mut **connection);
                rows.map(|row| sqlite_cells(&row?)).try_collect().await.map_err(failed)
            }
            Connection::Postgres(connection) => {
                let rows = bind_postgres(sql, values).fetch(&mut **connection);
                let mut kinds = Vec::new();
                rows.map(|row| postgres_cells(&row?, &mut kinds)).try_collect().await.map_err(failed)
            }
        }
    }

    /// Runs a query that may give many rows, `SELECT columns rest`, and hands over
    /// each as it comes, until `take` has enough. SQLite gives a row as one value
    /// (`packed.rs`).
    pub(crate) async fn each(
        &mut self,
        doing: &'static str,
        columns: &[&str],
        rest: &str,
        values: &[Value],
        mut take: impl FnMut(Cells) -> ControlFlow<()>,
    ) -> Result<(), FleetError> {
        let place = &self.place;
        let failed = |source| FleetError::Statement { doing, place: place.clone(), source };
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let sql = packed::select(columns, rest);
                let mut rows = bind_sqlite(&sql, values).fetch(&mut **connection);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    let text = row.try_get_unchecked(0).map_err(failed)?;
                    let cells = packed::cells(text).map_err(|error| sqlx::Error::Decode(error.into()));
                    if take(cells.map_err(failed)?).is_break() {
                        break;
                    }
                }
            }
            Connection::Postgres(connection) => {
                let sql = format!("SELECT {} {rest}", columns.join(", "));
                let mut rows = bind_postgres(&sql, values).fetch(&mut **connection);
                let mut kinds = Vec::new();
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    if take(postgres_cells(&row, &mut kinds).map_err(failed)?).is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of such a query, all together.
    pub(crate) async fn answer(
        &mut self,
        doing: &'static str,
        columns: &[&str],
        rest: &str,
        values: &[Value],
    ) -> Result<Vec<Cells>, FleetError> {
        let mut rows = Vec::new();
        let take = |cells| {
            rows.push(cells);
            ControlFlow::Continue(())
        };
        self.each(doing, columns, rest, values, take).await?;
        Ok(rows)
    }

    /// Runs a query that gives at most one row that matters.
    pub(crate) async fn row(
        &mut self,
        doing: &'static str,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<Cells>, FleetError> {
        Ok(self.rows(doing, sql, values).await?.into_iter().next())
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        doing: &'static str,
        sql: &str,
        values: &[Value],
    ) -> Result<u64, FleetError> {
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => {
                bind_sqlite(sql, values).execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Connection::Postgres(connection) => {
                bind_postgres(sql, values).execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        };
        result.map_err(|source| FleetError::Statement { doing, place: self.place.clone(), source })
    }

    /// Runs statements without values, as they stand in a file.
    pub(super) async fn script(&mut self, doing: &'static str, sql: &str) -> Result<(), FleetError> {
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(|_| ()),
            Connection::Postgres(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(|_| ()),
        };
        result.map_err(|source| FleetError::Statement { doing, place: self.place.clone(), source })
    }

    /// Does all of `work` or nothing of it. A server that breaks it off because
    /// it and another one waited for each other gets it again: `work` must not
    /// care how often it is called.
    pub(crate) async fn transaction<T>(
        &mut self,
        mut work: impl AsyncFnMut(&mut Self) -> Result<T, FleetError>,
    ) -> Result<T, FleetError> {
        for _ in 0..CONFLICTS {
            match self.transaction_once(&mut work).await {
                Err(error) if error.is_conflict() => tracing::debug!(%error, "once more"),
                result => return result,
            }
        }
        self.transaction_once(work).await
    }

    /// Does all of `work`, which can be done only once, or nothing of it.
    pub(super) async fn transaction_once<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, FleetError>,
    ) -> Result<T, FleetError> {
        self.script("begin", if self.dialect() == Dialect::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" })
            .await?;
        let result = match work(self).await {
            Ok(value) => self.script("commit", "COMMIT").await.map(|()| value),
            Err(error) => Err(error),
        };
        if result.is_err() {
            // A connection that is gone has rolled back by itself.
            let _ = self.script("roll back", "ROLLBACK").await;
        }
        result
    }

    /// From here on every query sees this moment, and no writer waits for it.
    pub(super) async fn begin_snapshot(&mut self) -> Result<(), FleetError> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.script("begin", sql).await
    }

    /// Ends what [`Self::begin_snapshot`] began.
    pub(super) async fn end_snapshot(&mut self) -> Result<(), FleetError> {
        self.script("end", "ROLLBACK").await
    }

    /// Says goodbye; a connection that is dropped instead is closed all the same.
    pub(crate) async fn close(self) {
        let _ = match self.connection {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        };
    }
}

enum ConnectError {
    File(std::io::Error),
    Database(sqlx::Error),
}

/// Opens the file and makes it when it is missing, for its owner alone: errors
/// and unit names of hosts are nobody else's business.
async fn connect_sqlite(path: &Path, patience: Patience) -> Result<Connection, ConnectError> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(ConnectError::File)?;
    }
    // SQLite gives the files beside it the same mode.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(ConnectError::File(error)),
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(patience.lock)
        .foreign_keys(true)
        // In WAL mode a power cut can cost the newest transactions, never the file; the journal has them.
        .synchronous(SqliteSynchronous::Normal)
        .disable_statement_logging();
    let connection = options.connect().await.map_err(ConnectError::Database)?;
    Ok(Connection::Sqlite(Box::new(connection)))
}

async fn connect_postgres(options: &PgConnectOptions, patience: Patience) -> Result<Connection, ConnectError> {
    let lock = format!("{}ms", patience.lock.as_millis());
    let mut settings = vec![
        ("lock_timeout", lock.as_str()),
        // The views are many small index steps: compiling them costs more than running them.
        ("jit", "off"),
        ("work_mem", "64MB"),
        ("timezone", "UTC"),
    ];
    if !options.get_options().unwrap_or_default().contains("search_path") {
        // Beside the tables of Crystal Forge ours are in a schema of their own (migrate.rs).
        settings.push(("search_path", "nix_deploy,public"));
    }
    let options = options.clone().application_name("nix-deploy").options(settings).disable_statement_logging();
    let connection = options.connect().await.map_err(ConnectError::Database)?;
    Ok(Connection::Postgres(Box::new(connection)))
}

type SqliteQuery<'a> = sqlx::query::Query<'a, sqlx::Sqlite, sqlx::sqlite::SqliteArguments<'a>>;
type PostgresQuery<'a> = sqlx::query::Query<'a, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bind_sqlite<'a>(sql: &'a str, values: &'a [Value]) -> SqliteQuery<'a> {
    values.iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Integer(number) => query.bind(*number),
        Value::Real(number) => query.bind(*number),
        Value::Boolean(yes) => query.bind(*yes),
        Value::Text(text) | Value::Json(text) => query.bind(text.as_deref()),
        Value::Time(time) => query.bind(time.map(time_text)),
        Value::Uuid(uuid) => query.bind(uuid.map(|uuid| uuid.to_string())),
    })
}

fn bind_postgres<'a>(sql: &'a str, values: &'a [Value]) -> PostgresQuery<'a> {
    values.iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Integer(number) => query.bind(*number),
        Value::Real(number) => query.bind(*number),
        Value::Boolean(yes) => query.bind(*yes),
        Value::Text(text) => query.bind(text.as_deref()),
        Value::Json(text) => query.bind(text.as_deref().map(PostgresJson)),
        Value::Time(time) => query.bind(time.map(PostgresTime)),
        Value::Uuid(uuid) => query.bind(uuid.map(PostgresUuid)),
    })
}

fn sqlite_cells(row: &sqlx::sqlite::SqliteRow) -> Result<Cells, sqlx::Error> {
    use sqlx::{TypeInfo, ValueRef};
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            // The type of the value, not of the column: views have none.
            Ok(match value.type_info().name() {
                "INTEGER" | "BOOLEAN" => Cell::Integer(row.try_get_unchecked(index)?),
                "REAL" => Cell::Real(row.try_get_unchecked(index)?),
                _ => Cell::Text(row.try_get_unchecked(index)?),
            })
        })
        .collect()
}

/// The values of a row; `kinds` are those of the columns once a row was read.
fn postgres_cells(row: &sqlx::postgres::PgRow, kinds: &mut Vec<PostgresKind>) -> Result<Cells, sqlx::Error> {
    if kinds.is_empty() {
        kinds.extend(row.columns().iter().map(|column| PostgresKind::of(column.type_info())));
    }
    let cell = |(index, kind): (usize, &PostgresKind)| {
        let value = row.try_get_raw(index)?;
        postgres_cell(*kind, &value)
            .map_err(|source| sqlx::Error::ColumnDecode { index: index.to_string(), source })
    };
    kinds.iter().enumerate().map(cell).collect()
}
