//! One fleet database for a test: a file or a server, asked in the same words.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sqlx::{Column, Connection, Executor, Row, SqliteConnection, TypeInfo, ValueRef};
use tempfile::TempDir;

use crate::cluster::Cluster;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Both of them.
pub(crate) const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// A place with a hosts.toml and a fleet database that has the schema.
pub(crate) struct Engine {
    pub(crate) kind: Kind,
    pub(crate) folder: TempDir,
    pub(crate) url: String,
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Engine {
    /// A database with the schema.
    pub(crate) async fn new(kind: Kind) -> Self {
        let engine = Self::empty(kind).await;
        let outcome = engine.run(&["fleet", "migrate"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        engine
    }

    /// A database without anything.
    pub(crate) async fn empty(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match kind {
            Kind::Sqlite => format!("sqlite:{}", folder.path().join("state/fleet.db").display()),
            Kind::Postgres => {
                let cluster = Cluster::shared();
                cluster.url(&cluster.database().await)
            }
        };
        Self::over(kind, folder, url)
    }

    /// A database that is somewhere already.
    pub(crate) fn over(kind: Kind, folder: TempDir, url: String) -> Self {
        std::fs::write(folder.path().join("flake.nix"), "{ outputs = _: { }; }\n").unwrap();
        let hosts =
            "version = 1\n[hosts.p620]\ntags = [\"server\"]\n[hosts.p510]\n[hosts.razer]\n[hosts.samsung]\n";
        std::fs::write(folder.path().join("hosts.toml"), hosts).unwrap();
        let engine = Self { kind, folder, url };
        engine.script(
            "git",
            "case \"$*\" in *remote.origin.url*) echo https://git.example/infra;; *) exit 1;; esac",
        );
        engine
    }

    /// Puts a shell script on the program's PATH.
    pub(crate) fn script(&self, name: &str, body: &str) {
        let path = self.folder.path().join("bin").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// The state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The program, ready to be started.
    #[expect(clippy::disallowed_methods, reason = "a test of the program starts the program")]
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nix-deploy"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", self.folder.path().join("bin"))
            .env("HOME", self.folder.path())
            .env("USER", "ada")
            .env("LANG", "C.UTF-8")
            .env("NIX_DEPLOY_STATE", self.state())
            .env("NIX_DEPLOY_DATABASE_URL", &self.url)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.command(arguments).output().unwrap())
    }

    /// Runs the program and expects that it went well.
    pub(crate) fn good(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, 0, "{:?} {arguments:?}: {}", self.kind, outcome.stderr);
        outcome
    }

    /// Runs a command with `--json` and gives its objects.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let outcome = self.good(&[arguments, &["--json"]].concat());
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs statements. `AGO(minutes)` is so many minutes ago.
    pub(crate) async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Runs statements that may be refused.
    pub(crate) async fn try_sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = self.spelled(sql);
        match self.kind {
            Kind::Sqlite => self.sqlite().await.execute(sqlx::raw_sql(&sql)).await.map(drop),
            Kind::Postgres => self.postgres().await.execute(sqlx::raw_sql(&sql)).await.map(drop),
        }
    }

    /// Asks a question; every cell as text, booleans as `t` and `f`, nothing as `-`.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let sql = self.spelled(sql);
        match self.kind {
            Kind::Sqlite => {
                let rows = sqlx::query(&sql).fetch_all(&mut self.sqlite().await).await;
                let rows = rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
                rows.iter().map(|row| (0..row.len()).map(|index| sqlite_text(row, index)).collect()).collect()
            }
            Kind::Postgres => {
                let rows = sqlx::query(&sql).fetch_all(&mut self.postgres().await).await;
                let rows = rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
                rows.iter().map(|row| (0..row.len()).map(|index| postgres_text(row, index)).collect()).collect()
            }
        }
    }

    /// The one value of a question.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows[0][0].clone()
    }

    fn spelled(&self, sql: &str) -> String {
        let mut spelled = String::new();
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once("AGO(") {
            let (minutes, after) = after.split_once(')').unwrap();
            spelled.push_str(before);
            spelled.push_str(&match self.kind {
                Kind::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-{minutes} minutes')"),
                Kind::Postgres => format!("now() - interval '{minutes} minutes'"),
            });
            rest = after;
        }
        spelled.push_str(rest);
        spelled
    }

    /// A connection of the test's own.
    pub(crate) async fn sqlite(&self) -> SqliteConnection {
        let path = self.url.strip_prefix("sqlite:").unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(Path::new(path))
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(20));
        sqlx::ConnectOptions::connect(&options).await.unwrap()
    }

    /// A connection of the test's own.
    pub(crate) async fn postgres(&self) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&self.url).await.unwrap()
    }
}

/// What a process left.
pub(crate) fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn sqlite_text(row: &sqlx::sqlite::SqliteRow, index: usize) -> String {
    let value = row.try_get_raw(index).unwrap();
    if value.is_null() {
        return "-".to_owned();
    }
    let is_boolean = row.columns()[index].type_info().name() == "BOOLEAN";
    match value.type_info().name() {
        "INTEGER" | "BOOLEAN" => {
            let number: i64 = row.try_get_unchecked(index).unwrap();
            if is_boolean { if number == 0 { "f" } else { "t" }.to_owned() } else { number.to_string() }
        }
        "REAL" => row.try_get_unchecked::<f64, _>(index).unwrap().to_string(),
        _ => row.try_get_unchecked(index).unwrap(),
    }
}

fn postgres_text(row: &sqlx::postgres::PgRow, index: usize) -> String {
    let value = row.try_get_raw(index).unwrap();
    if value.is_null() {
        return "-".to_owned();
    }
    let name = value.type_info().name().to_owned();
    match name.as_str() {
        "BOOL" => if row.get::<bool, _>(index) { "t" } else { "f" }.to_owned(),
        "INT4" => row.get::<i32, _>(index).to_string(),
        "INT8" => row.get::<i64, _>(index).to_string(),
        "FLOAT8" => row.get::<f64, _>(index).to_string(),
        "TEXT" | "VARCHAR" | "NAME" => row.get(index),
        other => panic!("cast a value of type {other} to something simpler"),
    }
}
