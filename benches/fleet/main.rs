//! How long the questions to the fleet database take, in both databases, on a
//! generated fleet: 1,000 systems, 5,000 commits, 200,000 derivations, 500,000
//! reports. Then the same with 100 and 10,000 systems, and what recording adds
//! to a run.
//!
//! usage: cargo bench --bench fleet [-- quick | QUESTION]
//!
//! `quick` leaves the other sizes out; a question is timed alone.
//!
//! A figure is the median of several runs of a whole answer: the program's own code
//! sends the question, and fetches and decodes every row. It ends with 1 when a bar is
//! not met.

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

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix_deploy::FleetAnswers;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, Row};

use generate::{Size, statements};

/// A question with its bars in milliseconds: PostgreSQL, SQLite.
struct Bar {
    name: &'static str,
    /// Whose columns it has, all of them.
    view: &'static str,
    /// What follows the columns.
    rest: String,
    postgres: u32,
    sqlite: u32,
}

fn bars() -> Vec<Bar> {
    let bar = |name, view, rest: String, postgres, sqlite| Bar { name, view, rest, postgres, sqlite };
    let whole = |name, view, postgres, sqlite| bar(name, view, format!("FROM {view}"), postgres, sqlite);
    let status = "view_system_deployment_status";
    let next = "view_buildable_derivations";
    // What `fleet timeline --limit 10` asks (src/fleet/query/timeline.rs).
    let views = include_str!("../../src/fleet/migrations/both/0008_views.sql");
    let text = views.split_once("CREATE VIEW view_commit_deployment_timeline AS\n").unwrap().1;
    let timeline = text.split_once(";\n").unwrap().0.replace(
        "WHERE c.commit_timestamp >= (SELECT ago_30_days FROM fleet_clock)",
        "WHERE c.commit_timestamp >= (SELECT ago_30_days FROM fleet_clock) \
         ORDER BY c.commit_timestamp DESC, c.id DESC LIMIT 10",
    );
    vec![
        whole("deployment status", status, 70, 40),
        whole("timeline", "view_commit_deployment_timeline", 220, 320),
        whole("breakdown", "view_derivation_status_breakdown", 75, 130),
        whole("commit table", "view_commit_nixos_table", 450, 750),
        whole("commit builds", "view_commit_build_status", 950, 2000),
        whole("queue", "view_nixos_derivation_build_queue", 55, 80),
        whole("status table", "view_systems_status_table", 150, 100),
        bar("one host", status, format!("FROM {status} WHERE hostname = 'host-10050'"), 5, 5),
        bar("timeline --limit 10", "view_commit_deployment_timeline", format!("FROM ({timeline}) t"), 30, 30),
        bar("queue --next", next, format!("FROM {next} LIMIT 1"), 5, 5),
    ]
}

/// A fleet, and the program's own connection to it.
struct Fleet {
    answers: FleetAnswers,
    /// The columns of each view.
    columns: BTreeMap<&'static str, Vec<String>>,
}

impl Fleet {
    /// Fetches a whole answer; gives the number of rows and how long it took.
    async fn ask(&mut self, bar: &Bar) -> (usize, Duration) {
        let columns: Vec<&str> = self.columns[bar.view].iter().map(String::as_str).collect();
        let begun = Instant::now();
        let count = self.answers.count(&columns, &bar.rest).await;
        (count.unwrap_or_else(|error| panic!("{error}: {}", bar.name)), begun.elapsed())
    }

    /// The median of so many runs in milliseconds, after one that fills the caches.
    async fn median(&mut self, bar: &Bar, times: usize) -> (usize, f64) {
        let (rows, _) = self.ask(bar).await;
        let mut took = Vec::new();
        for _ in 0..times {
            took.push(self.ask(bar).await.1.as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        (rows, took[times / 2])
    }
}

/// The connection that fills a database.
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

    async fn columns(&mut self, view: &str) -> Vec<String> {
        let names = match self {
            Self::Sqlite(connection) => {
                let sql = format!("SELECT name FROM pragma_table_info('{view}')");
                let rows = connection.fetch_all(sqlx::query(&sql)).await;
                rows.map(|rows| rows.iter().map(|row| row.get(0)).collect())
            }
            Self::Postgres(connection) => {
                let sql = format!(
                    "SELECT attname::text FROM pg_attribute WHERE attrelid = '{view}'::regclass ORDER BY attnum"
                );
                let rows = connection.fetch_all(sqlx::query(&sql)).await;
                rows.map(|rows| rows.iter().map(|row| row.get(0)).collect())
            }
        };
        names.unwrap_or_else(|error| panic!("{error}: {view}"))
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
async fn fleet(postgres: Option<&cluster::Cluster>, folder: &std::path::Path, size: Size) -> Fleet {
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
            Connection::Postgres(Box::new(options.disable_statement_logging().connect().await.unwrap()))
        }
        None => {
            let options = SqliteConnectOptions::new().filename(state.join("fleet.db")).foreign_keys(true);
            Connection::Sqlite(Box::new(options.disable_statement_logging().connect().await.unwrap()))
        }
    };
    for sql in statements(size, postgres.is_some()) {
        connection.run(&sql).await;
    }
    connection.run(if postgres.is_some() { "VACUUM ANALYZE" } else { "ANALYZE" }).await;
    let mut columns = BTreeMap::new();
    for bar in bars() {
        columns.insert(bar.view, connection.columns(bar.view).await);
    }
    Fleet { answers: FleetAnswers::open(&url).await.unwrap(), columns }
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
        let times = if bar.postgres > 100 { 7 } else { 15 };
        let (rows, first) = postgres.median(&bar, times).await;
        let (same, second) = sqlite.median(&bar, times).await;
        assert_eq!(rows, same, "{}", bar.name);
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
            let (_, first) = postgres.median(&bar, 3).await;
            let (_, second) = sqlite.median(&bar, 3).await;
            column.push(format!("{first:.1} / {second:.1}"));
        }
        columns.push(column);
    }
    for (index, bar) in bars().iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[index].as_str()).collect();
        println!("{:<22}{:>18}{:>18}{:>18}", bar.name, cells[0], cells[1], cells[2]);
    }
}
