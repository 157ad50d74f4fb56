//! The schema and its versions.
//!
//! A migration is a numbered file that is applied once and never changed
//! again; what both databases spell alike is one file in `migrations/both`.
//! The views are one file, too: the newest migration that changes them makes
//! them anew, and those that made them before are empty.
//! A file of SQLite belongs to one person and is brought up to date when it is
//! opened; a server belongs to a team, so `fleet migrate` has to be asked for.
//!
//! In a database of Crystal Forge the shared tables are there: they are left as
//! they are, and what is ours goes into the schema `nix_deploy`, which every
//! connection looks into first (`database.rs`).
//!
//! Invariants: all migrations of a call are one transaction; two programs that
//! migrate at a time wait for each other; a schema that is newer than the
//! program is refused before anything is read.

use super::database::{Database, Dialect, Patience};
use super::error::FleetError;
use super::url::Address;
use super::value::values;

/// One change of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    /// Beside the tables of Crystal Forge.
    beside: Beside,
}

/// What a migration does in a database of Crystal Forge.
enum Beside {
    /// The same.
    Same,
    /// Nothing: what it makes is there.
    Nothing,
    /// Something else.
    Other(&'static str),
}

/// Every migration, oldest first.
static MIGRATIONS: [Migration; 8] = [
    Migration {
        version: 1,
        name: "the shared tables",
        sqlite: include_str!("migrations/sqlite/0001_shared.sql"),
        postgres: include_str!("migrations/postgres/0001_shared.sql"),
        beside: Beside::Nothing,
    },
    Migration {
        version: 2,
        name: "the tables of nix-deploy",
        sqlite: include_str!("migrations/sqlite/0002_own.sql"),
        postgres: include_str!("migrations/postgres/0002_own.sql"),
        beside: Beside::Same,
    },
    Migration {
        version: 3,
        name: "hosts that report",
        sqlite: include_str!("migrations/sqlite/0003_reporters.sql"),
        postgres: include_str!("migrations/postgres/0003_reporters.sql"),
        beside: Beside::Other(include_str!("migrations/postgres/0003_reporters_of_others.sql")),
    },
    Migration {
        version: 4,
        name: "the clock",
        sqlite: include_str!("migrations/sqlite/0004_clock.sql"),
        postgres: include_str!("migrations/postgres/0004_clock.sql"),
        beside: Beside::Same,
    },
    // Was: the views.
    Migration { version: 5, name: "the views", sqlite: "", postgres: "", beside: Beside::Same },
    Migration {
        version: 6,
        name: "updates of inputs",
        sqlite: include_str!("migrations/sqlite/0006_updates.sql"),
        postgres: include_str!("migrations/postgres/0006_updates.sql"),
        beside: Beside::Same,
    },
    // Was also: the views.
    Migration {
        version: 7,
        name: "what waits to be built",
        sqlite: include_str!("migrations/both/0007_waiting.sql"),
        postgres: include_str!("migrations/both/0007_waiting.sql"),
        beside: Beside::Nothing,
    },
    Migration {
        version: 8,
        name: "reports again, and the views",
        sqlite: concat!(
            include_str!("migrations/both/0008_views_away.sql"),
            include_str!("migrations/sqlite/0008_reports.sql"),
            include_str!("migrations/both/0008_views.sql")
        ),
        postgres: concat!(
            include_str!("migrations/both/0008_views_away.sql"),
            include_str!("migrations/postgres/0008_reports.sql"),
            include_str!("migrations/postgres/0008_activity.sql"),
            include_str!("migrations/both/0008_views.sql")
        ),
        beside: Beside::Other(concat!(
            // Views of Crystal Forge with these names are not meant.
            "SET LOCAL search_path = nix_deploy;\n",
            include_str!("migrations/both/0008_views_away.sql"),
            "SET LOCAL search_path = nix_deploy, public;\n",
            include_str!("migrations/postgres/0008_reports_of_others.sql"),
            include_str!("migrations/postgres/0008_activity.sql"),
            include_str!("migrations/both/0008_views.sql")
        )),
    },
];

/// The tables by which a database of Crystal Forge is known.
const CRYSTAL_FORGE: [&str; 4] = ["commits", "derivations", "derivation_statuses", "system_states"];
/// The number that `pg_advisory_xact_lock` takes for migrations of this tool.
const MIGRATION_LOCK: i64 = 0x6e69_785f_6470;
/// SQLite says so at once when a second program switches a new file to WAL.
const WAL_TRIES: u32 = 200;

/// The newest version that this program knows.
pub(crate) fn known_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// What `fleet migrate` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Migrated {
    /// The version before; 0 without tables.
    pub(crate) from: i64,
    /// The version now.
    pub(crate) to: i64,
    /// Whether the shared tables are those of Crystal Forge.
    pub(crate) beside: bool,
}

/// Opens the database, ready to be used: a file of SQLite is brought up to
/// date, a server has to have the schema.
pub(crate) async fn open(address: &Address, patience: Patience) -> Result<Database, FleetError> {
    let mut database = connect(address, patience).await?;
    let found = version(&mut database).await?;
    let known = known_version();
    match database.dialect() {
        _ if found == known => {}
        Dialect::Sqlite => {
            migrate(&mut database).await?;
        }
        Dialect::Postgres => {
            let place = database.place().to_owned();
            return Err(if found > known {
                FleetError::SchemaNewer { place, found, known }
            } else {
                FleetError::SchemaOlder { place, found, known }
            });
        }
    }
    Ok(database)
}

/// Opens the database and brings it up to date.
pub(crate) async fn open_and_migrate(
    address: &Address,
    patience: Patience,
) -> Result<(Database, Migrated), FleetError> {
    let mut database = connect(address, patience).await?;
    let migrated = migrate(&mut database).await?;
    Ok((database, migrated))
}

async fn connect(address: &Address, patience: Patience) -> Result<Database, FleetError> {
    let opened = async {
        let mut database = Database::connect(address, patience).await?;
        if database.dialect() == Dialect::Sqlite {
            use_wal(&mut database).await?;
        }
        Ok(database)
    };
    opened.await.map_err(|error: FleetError| match error.is_not_a_database() {
        true => FleetError::Foreign { place: address.shown(), reason: "it is no SQLite database".to_owned() },
        false => error,
    })
}

/// Readers and one writer do not hinder each other in this mode. It is a
/// property of the file; only the first to open it switches.
async fn use_wal(database: &mut Database) -> Result<(), FleetError> {
    let mode = database.row("look at", "PRAGMA journal_mode", &[]).await?;
    if mode.as_ref().and_then(|cells| cells.first()?.text()) == Some("wal") {
        return Ok(());
    }
    let mut tries = 0;
    loop {
        match database.script("prepare", "PRAGMA journal_mode = WAL").await {
            Err(error) if error.is_busy() && tries < WAL_TRIES => {
                tries += 1;
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            other => return other,
        }
    }
}

/// The version of the schema that is there; 0 without one.
async fn version(database: &mut Database) -> Result<i64, FleetError> {
    let is_there = match database.dialect() {
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_master WHERE name = 'nix_deploy_schema'",
        Dialect::Postgres => "SELECT count(to_regclass('nix_deploy_schema'))",
    };
    let doing = "look for the schema";
    let number = |row: Option<Vec<super::value::Cell>>| row.and_then(|cells| cells.first()?.integer());
    if number(database.row(doing, is_there, &[]).await?) != Some(1) {
        return Ok(0);
    }
    let newest = "SELECT max(version) FROM nix_deploy_schema";
    Ok(number(database.row(doing, newest, &[]).await?).unwrap_or_default())
}

async fn migrate(database: &mut Database) -> Result<Migrated, FleetError> {
    database
        .transaction(async |database| {
            if database.dialect() == Dialect::Postgres {
                let lock = "SELECT pg_advisory_xact_lock($1)::text";
                database.rows("wait for another migration", lock, &values![MIGRATION_LOCK]).await?;
            }
            let (from, known) = (version(database).await?, known_version());
            if from > known {
                let place = database.place().to_owned();
                return Err(FleetError::SchemaNewer { place, found: from, known });
            }
            let beside = is_beside(database, from).await?;
            if from == 0 {
                begin(database, beside).await?;
            }
            for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
                apply(database, migration, beside).await?;
            }
            Ok(Migrated { from, to: known, beside })
        })
        .await
}

/// Whether the shared tables are somebody else's: as it was found the first
/// time, and never asked again.
async fn is_beside(database: &mut Database, from: i64) -> Result<bool, FleetError> {
    let doing = "look for the tables of Crystal Forge";
    match database.dialect() {
        Dialect::Sqlite if from == 0 => {
            let sql = "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1";
            match database.row(doing, sql, &[]).await? {
                None => Ok(false),
                Some(cells) => {
                    let table = cells.first().and_then(|cell| cell.text()).unwrap_or_default().to_owned();
                    let reason = format!("it has a table {table:?} of another program");
                    Err(FleetError::Foreign { place: database.place().to_owned(), reason })
                }
            }
        }
        Dialect::Sqlite => Ok(false),
        Dialect::Postgres if from == 0 => {
            let mut found = 0;
            for table in CRYSTAL_FORGE {
                let sql = "SELECT count(to_regclass($1))";
                let cells = database.row(doing, sql, &values![table]).await?;
                found += cells.and_then(|cells| cells.first()?.integer()).unwrap_or_default();
            }
            Ok(found == 4)
        }
        Dialect::Postgres => {
            let sql = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('nix_deploy.nix_deploy_schema')";
            let cells = database.row(doing, sql, &[]).await?;
            Ok(cells.and_then(|cells| cells.first()?.integer()) == Some(1))
        }
    }
}

async fn begin(database: &mut Database, beside: bool) -> Result<(), FleetError> {
    if beside {
        let sql = "CREATE SCHEMA nix_deploy; SET LOCAL search_path = nix_deploy, public";
        database.script("make the schema nix_deploy", sql).await?;
    }
    let time = if database.dialect() == Dialect::Sqlite { "TEXT" } else { "timestamptz" };
    let sql = format!(
        "CREATE TABLE nix_deploy_schema (version integer PRIMARY KEY, name text NOT NULL, applied_at {time})"
    );
    database.script("make the table of versions", &sql).await
}

async fn apply(database: &mut Database, migration: &Migration, beside: bool) -> Result<(), FleetError> {
    let script = match (database.dialect(), &migration.beside, beside) {
        (Dialect::Sqlite, ..) => migration.sqlite,
        (Dialect::Postgres, Beside::Nothing, true) => "",
        (Dialect::Postgres, Beside::Other(script), true) => script,
        (Dialect::Postgres, ..) => migration.postgres,
    };
    database.script("apply a migration", script).await?;
    let sql = "INSERT INTO nix_deploy_schema (version, name, applied_at) VALUES ($1, $2, $3)";
    let now = jiff::Timestamp::now();
    database.execute("note the migration", sql, &values![migration.version, migration.name, now]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_rise_without_gaps() {
        assert!(MIGRATIONS.iter().map(|migration| migration.version).eq(1..=known_version()));
    }

    #[test]
    fn nothing_that_sqlite_before_3_44_could_not_open_is_stored() {
        // An ORDER BY inside an aggregate of a stored view makes the whole file unreadable there.
        let is_aggregate = |line: &str| line.contains("string_agg(") && line.contains("ORDER BY");
        for migration in &MIGRATIONS {
            assert!(!migration.sqlite.lines().any(is_aggregate), "{}", migration.name);
        }
    }

    #[tokio::test]
    async fn a_file_is_made_private_and_brought_up_to_date_once() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/fleet.db");
        let address = Address::Sqlite(path.clone());
        let (database, migrated) = open_and_migrate(&address, Patience::COMMAND).await.unwrap();
        assert_eq!(migrated, Migrated { from: 0, to: known_version(), beside: false });
        database.close().await;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (_, again) = open_and_migrate(&address, Patience::COMMAND).await.unwrap();
        assert_eq!(again.from, known_version());
    }

    #[tokio::test]
    async fn a_file_of_an_earlier_build_becomes_what_a_new_one_is_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let new = Address::Sqlite(folder.path().join("new.db"));
        let mut new = open(&new, Patience::COMMAND).await.unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = Database::connect(&address, Patience::COMMAND).await.unwrap();
        begin(&mut database, false).await.unwrap();
        for migration in MIGRATIONS.iter().filter(|migration| migration.version < 8) {
            apply(&mut database, migration, false).await.unwrap();
        }
        let rows = "CREATE VIEW fleet_hosts AS SELECT hostname FROM systems; \
             CREATE VIEW view_commit_build_status AS SELECT hostname FROM fleet_hosts; \
             INSERT INTO systems (hostname, environment_id, public_key, derivation) \
             SELECT 'h', id, '', '' FROM environments WHERE name = 'prod'; \
             INSERT INTO system_states (hostname, store_path, change_reason, partial_data, \"timestamp\") VALUES \
             ('h', '/a', 'startup', 'true', '2025-01-01T00:00:00.000000Z'), \
             ('h', '/a', 'startup', NULL, '2025-01-03T00:00:00.000000Z'); \
             INSERT INTO deployment_events (id, hostname) VALUES ('e', 'x')";
        database.script("test", rows).await.unwrap();
        database.close().await;
        let mut database = open(&address, Patience::COMMAND).await.unwrap();
        let schema = "SELECT name, sql FROM sqlite_master ORDER BY name";
        let (found, expected) = (database.rows("t", schema, &[]).await, new.rows("t", schema, &[]).await);
        assert_eq!(found.unwrap(), expected.unwrap());
        for (sql, expected) in [
            ("SELECT name FROM systems s JOIN environments e ON e.id = s.environment_id", "prod"),
            (
                "SELECT first_at || last_at FROM first_reports",
                "2025-01-01T00:00:00.000000Z2025-01-03T00:00:00.000000Z",
            ),
            ("SELECT group_concat(hostname) FROM reporting_hosts", "h,x"),
            ("SELECT group_concat(coalesce(partial_data, '-')) FROM system_states", "1,-"),
        ] {
            let row = database.row("test", sql, &[]).await.unwrap().unwrap();
            assert_eq!(row[0].text(), Some(expected), "{sql}");
        }
    }

    #[tokio::test]
    async fn a_newer_schema_and_another_programs_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = open(&address, Patience::COMMAND).await.unwrap();
        let sql = "INSERT INTO nix_deploy_schema (version, name) VALUES (900, 'of tomorrow')";
        database.execute("test", sql, &[]).await.unwrap();
        let error = open(&address, Patience::COMMAND).await.err().unwrap();
        assert!(error.to_string().contains("has schema 900; this nix-deploy knows"), "{error}");

        let other = Address::Sqlite(folder.path().join("other.db"));
        let mut database = Database::connect(&other, Patience::COMMAND).await.unwrap();
        database.script("test", "CREATE TABLE bookmarks (url TEXT)").await.unwrap();
        let error = open(&other, Patience::COMMAND).await.err().unwrap();
        assert!(error.to_string().contains("a table \"bookmarks\" of another program"), "{error}");
        std::fs::write(folder.path().join("text.db"), "not a database, only text".repeat(40)).unwrap();
        let error =
            open(&Address::Sqlite(folder.path().join("text.db")), Patience::COMMAND).await.err().unwrap();
        assert!(error.to_string().ends_with("it is no SQLite database"), "{error}");
    }
}
