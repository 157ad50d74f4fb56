//! How long the questions to the fleet database take, in both databases, on a
//! generated fleet: 1,000 systems, 5,000 commits, 200,000 derivations, 500,000
//! reports. Then the same with 100 and 10,000 systems, and what recording adds
//! to a run.
//!
//! usage: cargo bench --bench fleet [-- quick | QUESTION]
//!
//! `quick` leaves the other sizes out; a question is timed alone.
//!
//! A figure is the best of several runs of a whole answer, by a connection set up
//! like the program's: from PostgreSQL every row is fetched; SQLite writes it into a
//! table in memory, because its driver hands rows from thread to thread, which
//! costs more than a large answer itself. That is printed below the table. It ends with 1 when a bar is not
//! met.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails by panicking"
)]

#[path = "../../tests/store/cluster.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod cluster;
mod generate;
mod recording;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use generate::{Size, statements};

/// A question with its bars in milliseconds: PostgreSQL, SQLite.
struct Bar {
    name: &'static str,
    sql: String,
    postgres: u32,
    sqlite: u32,
}

fn bars() -> Vec<Bar> {
    let bar = |name, sql: &str, postgres, sqlite| Bar { name, sql: sql.to_owned(), postgres, sqlite };
    // What `fleet timeline --limit 10` asks (src/fleet/query/timeline.rs).
    let views = include_str!("../../src/fleet/migrations/both/0005_views.sql");
    let text = views.split_once("CREATE VIEW view_commit_deployment_timeline AS\n").unwrap().1;
    let timeline = text.split_once(";\n").unwrap().0.replace(
        "WHERE c.commit_timestamp >= (SELECT ago_30_days FROM fleet_clock)",
        "WHERE c.commit_timestamp >= (SELECT ago_30_days FROM fleet_clock) \
         ORDER BY c.commit_timestamp DESC, c.id DESC LIMIT 10",
    );
    vec![
        bar("deployment status", "SELECT * FROM view_system_deployment_status", 70, 40),
        bar("timeline", "SELECT * FROM view_commit_deployment_timeline", 220, 320),
        bar("breakdown", "SELECT * FROM view_derivation_status_breakdown", 75, 130),
        bar("commit table", "SELECT * FROM view_commit_nixos_table", 450, 750),
        bar("commit builds", "SELECT * FROM view_commit_build_status", 950, 2000),
        bar("queue", "SELECT * FROM view_nixos_derivation_build_queue", 55, 80),
        bar("status table", "SELECT * FROM view_systems_status_table", 150, 100),
        bar("one host", "SELECT * FROM view_system_deployment_status WHERE hostname = 'host-10050'", 5, 5),
        bar("timeline --limit 10", &timeline, 30, 30),
        bar("queue --next", "SELECT * FROM view_buildable_derivations LIMIT 1", 5, 5),
    ]
}

enum Connection {
    Sqlite(Box<sqlx::SqliteConnection>),
    Postgres(Box<sqlx::PgConnection>),
}

impl Connection {
    async fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
            Self::Postgres(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
        }
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Fetches a whole answer and gives the number of rows.
    async fn count(&mut self, sql: &str) -> usize {
        match self {
            Self::Sqlite(connection) => {
                connection
                    .fetch(sqlx::query(sql))
                    .fold(0, async |count, row| count + row.map(|_| 1).unwrap())
                    .await
            }
            Self::Postgres(connection) => {
                connection
                    .fetch(sqlx::query(sql))
                    .fold(0, async |count, row| count + row.map(|_| 1).unwrap())
                    .await
            }
        }
    }

    async fn best(&mut self, sql: &str, times: u32) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..times {
            let took = match self {
                Self::Postgres(_) => self.fetched(sql).await,
                Self::Sqlite(_) => {
                    self.run("DROP TABLE IF EXISTS temp.answer").await;
                    let begun = Instant::now();
                    self.run(&format!("CREATE TEMP TABLE answer AS {sql}")).await;
                    begun.elapsed()
                }
            };
            best = best.min(took);
        }
        best
    }

    async fn fetched(&mut self, sql: &str) -> Duration {
        let begun = Instant::now();
        self.count(sql).await;
        begun.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark of the program starts the program")]
fn program(url: &str, state: &std::path::Path, arguments: &[&str]) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_nix-deploy"))
        .args(arguments)
        .env("NIX_DEPLOY_DATABASE_URL", url)
        .env("NIX_DEPLOY_STATE", state)
        .current_dir(state)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A database with the schema and a fleet of this size.
async fn fleet(postgres: Option<&cluster::Cluster>, folder: &std::path::Path, size: Size) -> Connection {
    let state = tempfile::Builder::new().prefix("fleet-").tempdir_in(folder).unwrap().keep();
    std::fs::write(state.join("flake.nix"), "{ outputs = _: { }; }\n").unwrap();
    std::fs::write(state.join("hosts.toml"), "version = 1\n[hosts.p620]\n").unwrap();
    let url = match postgres {
        Some(cluster) => cluster.url(&cluster.database().await),
        None => format!("sqlite:{}/fleet.db", state.display()),
    };
    program(&url, &state, &["fleet", "migrate"]);
    let mut connection = match postgres {
        Some(_) => {
            let options: PgConnectOptions = url.parse().unwrap();
            let options = options.options([("jit", "off"), ("work_mem", "64MB")]).disable_statement_logging();
            Connection::Postgres(Box::new(options.connect().await.unwrap()))
        }
        None => {
            let options = SqliteConnectOptions::new().filename(state.join("fleet.db")).foreign_keys(true);
            let options = options.pragma("temp_store", "MEMORY");
            Connection::Sqlite(Box::new(options.disable_statement_logging().connect().await.unwrap()))
        }
    };
    for sql in statements(size, postgres.is_some()) {
        connection.run(&sql).await;
    }
    connection.run(if postgres.is_some() { "VACUUM ANALYZE" } else { "ANALYZE" }).await;
    connection
}

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let asked = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let quick = asked.as_deref() == Some("quick");
    let only = asked.filter(|_| !quick);
    let folder = tempfile::tempdir().unwrap();
    let cluster = cluster::Cluster::own(folder.path());
    let mut good = true;

    println!("1,000 systems, 5,000 commits, 200,000 derivations, 500,000 reports; milliseconds\n");
    println!("{:<22}{:>12}{:>8}{:>12}{:>8}{:>9}", "question", "PostgreSQL", "bar", "SQLite", "bar", "rows");
    let size = Size::of_hosts(1_000);
    let mut postgres = fleet(Some(&cluster), folder.path(), size).await;
    let mut sqlite = fleet(None, folder.path(), size).await;
    for bar in bars().into_iter().filter(|bar| only.as_deref().is_none_or(|only| bar.name == only)) {
        let rows = sqlite.count(&bar.sql).await;
        assert_eq!(rows, postgres.count(&bar.sql).await, "{}", bar.name);
        let times = if rows > 10_000 { 5 } else { 9 };
        let (first, second) = (postgres.best(&bar.sql, times).await, sqlite.best(&bar.sql, times).await);
        let (first, second) = (first.as_secs_f64() * 1e3, second.as_secs_f64() * 1e3);
        let met = first <= f64::from(bar.postgres) && second <= f64::from(bar.sqlite);
        good &= met;
        println!(
            "{:<22}{first:>12.1}{:>8}{second:>12.1}{:>8}{rows:>9}{}",
            bar.name,
            bar.postgres,
            bar.sqlite,
            if met { "" } else { "  MISSED" }
        );
    }
    let largest = sqlite.fetched("SELECT * FROM view_commit_build_status").await;
    println!("\ncommit builds of SQLite, fetched by the driver: {:.0} ms", largest.as_secs_f64() * 1e3);
    if only.is_none() {
        good &= recording::measure(&cluster, folder.path()).await;
    }
    if !quick && only.is_none() {
        growth(&cluster, folder.path()).await;
    }
    cluster.stop();
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The same questions on a smaller and a larger fleet.
async fn growth(cluster: &cluster::Cluster, folder: &std::path::Path) {
    println!(
        "\ngrowth with the number of systems (1,000 commits, 50 reports each); milliseconds, PostgreSQL / SQLite\n"
    );
    println!("{:<22}{:>18}{:>18}{:>18}", "question", "100", "1,000", "10,000");
    let mut columns: Vec<Vec<String>> = Vec::new();
    for hosts in [100, 1_000, 10_000] {
        let size = Size::young(hosts);
        let mut postgres = fleet(Some(cluster), folder, size).await;
        let mut sqlite = fleet(None, folder, size).await;
        let mut column = Vec::new();
        for bar in bars() {
            let first = postgres.best(&bar.sql, 2).await.as_secs_f64() * 1e3;
            let second = sqlite.best(&bar.sql, 2).await.as_secs_f64() * 1e3;
            column.push(format!("{first:.1} / {second:.1}"));
        }
        columns.push(column);
    }
    for (index, bar) in bars().iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[index].as_str()).collect();
        println!("{:<22}{:>18}{:>18}{:>18}", bar.name, cells[0], cells[1], cells[2]);
    }
}
