//! Several programs at the same rows at a time: nobody's word is lost, and who
//! was in the way of another one tries again.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use sqlx::Executor;

use crate::engine::{BOTH, Engine, Kind, outcome};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";
const RUN: &str = "20251121-100000-aaaaaa";
/// No wait of these tests takes longer unless something is broken.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits until another connection to this database waits for a lock.
async fn until_somebody_waits(engine: &Engine) {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    while engine.value(sql).await == "0" {
        assert!(begun.elapsed() < LONGEST, "nobody waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn start(engine: &Engine, arguments: &[&str]) -> std::process::Child {
    engine.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
async fn the_last_words_of_a_run_are_recorded_however_late_they_come() {
    let engine = Engine::new(Kind::Postgres).await;
    let journal = Journal::new(&engine, RUN, 60).of("c1", OLD, NEW).begin();
    journal.clone().evaluated("p620").write();
    // The run lives: it holds its journal.
    let file = std::fs::File::open(journal.file()).unwrap();
    flock(&file, FlockOperation::LockExclusive).unwrap();
    let mut holder = engine.postgres().await;
    let sql = format!(
        "BEGIN; INSERT INTO runs (id, started_at, actor, tool_version, command) VALUES ('{RUN}', now(), 'x', 'x', 'x')"
    );
    holder.execute(sqlx::raw_sql(&sql)).await.unwrap();
    let flush = start(&engine, &["fleet", "flush"]);
    until_somebody_waits(&engine).await;
    // What was read of it by now waits for the database, and the run ends.
    journal.clone().evaluated("p620").ended("p620", "deployed").finish(0).write();
    drop(file);
    holder.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
    let flush = outcome(flush.wait_with_output().unwrap());
    assert_eq!(flush.code, 0, "{}", flush.stderr);
    assert_eq!(engine.value("SELECT outcome FROM runs").await, "the end");
    assert_eq!(engine.value("SELECT status FROM deployment_events").await, "success");
    assert!(journal.file().with_file_name("recorded").exists());
}

#[tokio::test]
async fn a_run_that_is_about_to_begin_is_not_taken_for_one_that_has_ended() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let journal =
            Journal::new(&engine, RUN, 60).of("c1", OLD, NEW).begin().ended("p620", "deployed").finish(0);
        let folder = journal.file().parent().unwrap().to_owned();
        // First there is a folder, and git commits; then an empty journal.
        std::fs::create_dir_all(&folder).unwrap();
        engine.good(&["fleet", "flush"]);
        assert!(!folder.join("recorded").exists(), "{kind:?}");
        std::fs::write(journal.file(), "").unwrap();
        engine.good(&["fleet", "flush"]);
        assert!(!folder.join("recorded").exists(), "{kind:?}");
        journal.write();
        let flushed = &engine.json(&["fleet", "flush"])[0];
        assert_eq!(flushed["runs"], 1, "{kind:?} {flushed}");
        assert!(folder.join("recorded").exists(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_report_that_comes_while_old_ones_are_pruned_is_the_newest_afterwards() {
    let engine = Engine::new(Kind::Postgres).await;
    for time in ["2025-01-01T01:00:00Z", "2025-01-01T02:00:00Z", "2025-01-01T03:00:00Z"] {
        engine
            .sql(&format!(
                "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('h', '/a', 'state_delta', '{time}')"
            ))
            .await;
    }
    let mut reporter = engine.postgres().await;
    let sql = "BEGIN; INSERT INTO system_states (hostname, store_path, change_reason) VALUES ('h', '/b', 'state_delta'); \
               INSERT INTO agent_heartbeats (system_state_id) SELECT max(id) FROM system_states";
    reporter.execute(sqlx::raw_sql(sql)).await.unwrap();
    let prune = start(&engine, &["fleet", "prune", "--keep", "180d"]);
    until_somebody_waits(&engine).await;
    reporter.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
    let prune = outcome(prune.wait_with_output().unwrap());
    assert_eq!(prune.code, 0, "{}", prune.stderr);
    assert_eq!(engine.value("SELECT count(*) FROM system_states").await, "3");
    let sql = "SELECT report_path || ' ' || (last_heartbeat IS NOT NULL)::text FROM reporting_hosts";
    assert_eq!(engine.value(sql).await, "/b true");
    assert_eq!(
        engine.value("SELECT string_agg(store_path, ' ' ORDER BY store_path) FROM first_reports").await,
        "/a /b"
    );
}

#[tokio::test]
async fn a_run_that_the_server_breaks_off_for_another_one_is_recorded_all_the_same() {
    let engine = Engine::new(Kind::Postgres).await;
    let name = engine.value("SELECT current_database()::text").await;
    engine.sql(&format!("ALTER DATABASE {name} SET deadlock_timeout = '2s'")).await;
    for host in ["p510", "p620"] {
        engine.sql(&format!("INSERT INTO system_states (hostname, store_path, change_reason) VALUES ('{host}', '/x', 'startup')")).await;
    }
    let mut journal = Journal::new(&engine, RUN, 60).of("c1", OLD, NEW);
    journal.hosts = vec!["p620".to_owned(), "p510".to_owned()];
    journal.begin().ended("p620", "deployed").ended("p510", "deployed").finish(0).write();
    // Another one has p510 and comes for p620, where the run has p620 and waits for p510. Only the run
    // looks whether that can ever end.
    let mut other = engine.postgres().await;
    let sql =
        "SET deadlock_timeout = '60s'; BEGIN; SELECT 1 FROM reporting_hosts WHERE hostname = 'p510' FOR UPDATE";
    other.execute(sqlx::raw_sql(sql)).await.unwrap();
    let flush = start(&engine, &["fleet", "flush"]);
    until_somebody_waits(&engine).await;
    let sql = "SELECT 1 FROM reporting_hosts WHERE hostname = 'p620' FOR UPDATE; COMMIT";
    other.execute(sqlx::raw_sql(sql)).await.unwrap();
    let flush = outcome(flush.wait_with_output().unwrap());
    assert_eq!(flush.code, 0, "{}", flush.stderr);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let begun = Instant::now();
    // Statistics come a moment later.
    while engine.value(deadlocks).await == "0" {
        assert!(begun.elapsed() < LONGEST, "there was no deadlock");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(engine.value("SELECT count(*) FROM deployment_events WHERE status = 'success'").await, "2");
    assert_eq!(engine.value("SELECT count(*) FROM system_states WHERE store_path <> '/x'").await, "4");
}

#[tokio::test]
async fn deployers_of_the_same_hosts_in_another_order_all_get_through() {
    for (kind, deployers) in [(Kind::Sqlite, 3), (Kind::Postgres, 12)] {
        let engine = Engine::new(kind).await;
        let hosts = ["p620", "p510", "razer", "samsung"];
        let children: Vec<_> = (0..deployers)
            .map(|index| {
                let state = engine.folder.path().join(format!("state-{index}"));
                let run = format!("20251121-1000{index:02}-aaaaaa");
                let mut journal = Journal::new(&engine, &run, 60).of("c1", OLD, NEW).in_state(&state);
                journal.hosts = hosts.iter().cycle().skip(index).take(4).map(ToString::to_string).collect();
                let names = journal.hosts.clone();
                let journal = names.iter().fold(journal.begin(), |journal, host| journal.evaluated(host));
                let journal = names.iter().fold(journal, |journal, host| journal.ended(host, "deployed"));
                journal.finish(0).write();
                let mut command = engine.command(&["fleet", "flush"]);
                command.env("NIX_DEPLOY_STATE", &state).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let outcome = outcome(child.wait_with_output().unwrap());
            assert_eq!(outcome.code, 0, "{kind:?}: {}", outcome.stderr);
        }
        let sql = "SELECT count(*) FROM deployment_events WHERE status = 'success'";
        assert_eq!(engine.value(sql).await, (deployers * 4).to_string(), "{kind:?}");
    }
}
