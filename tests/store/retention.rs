//! Retention, and the way from one database to the other and back.

use crate::engine::{BOTH, Engine, Kind};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";

#[tokio::test]
async fn old_reports_are_thinned_to_one_a_day_and_every_change_and_deploys_stay() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        Journal::new(&engine, "20240101-100000-aaaaaa", 60 * 24 * 400)
            .of("c1", OLD, NEW)
            .begin()
            .ended("p620", "deployed")
            .finish(0)
            .write();
        engine.good(&["fleet", "flush"]);
        engine.sql("DELETE FROM system_states").await;
        let report = |path: &str, time: &str| {
            format!(
                "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('h', '{path}', 'state_delta', '{time}')"
            )
        };
        for (path, time) in [
            ("a", "2025-01-01T01:00:00.000000Z"),
            ("a", "2025-01-01T02:00:00.000000Z"),
            ("a", "2025-01-01T03:00:00.000000Z"),
            ("b", "2025-01-01T04:00:00.000000Z"),
            ("b", "2025-01-01T05:00:00.000000Z"),
            ("a", "2025-01-02T05:00:00.000000Z"),
        ] {
            engine.sql(&report(path, time)).await;
        }
        for _ in 0..3 {
            engine.sql("INSERT INTO system_states (hostname, store_path, change_reason) VALUES ('h', 'a', 'state_delta')").await;
        }
        engine.sql("INSERT INTO agent_heartbeats (system_state_id, \"timestamp\") SELECT id, \"timestamp\" FROM system_states").await;
        let pruned = &engine.json(&["fleet", "prune", "--keep", "180d"])[0];
        assert_eq!(pruned["reports"], 2, "{kind:?}");
        let sql = "SELECT store_path || ' ' || CAST(\"timestamp\" AS text) FROM system_states WHERE \"timestamp\" < '2025-02-01T00:00:00.000000Z' ORDER BY \"timestamp\"";
        let kept: Vec<String> = engine
            .rows(sql)
            .await
            .into_iter()
            .flatten()
            .map(|row| row.replace('T', " ")[..15].to_owned())
            .collect();
        assert_eq!(
            kept,
            ["a 2025-01-01 01", "b 2025-01-01 04", "b 2025-01-01 05", "a 2025-01-02 05"],
            "{kind:?}"
        );
        assert_eq!(engine.value("SELECT count(*) FROM system_states").await, "7");
        assert_eq!(engine.value("SELECT count(*) FROM agent_heartbeats").await, "7");
        assert_eq!(engine.value("SELECT count(*) FROM deployment_events").await, "1");
        assert_eq!(engine.json(&["fleet", "prune", "--keep", "180d"])[0]["reports"], 0);
    }
}

#[tokio::test]
async fn journals_go_only_when_they_are_old_and_wholly_in_this_database() {
    let engine = Engine::new(Kind::Sqlite).await;
    for index in 10..24 {
        let run = format!("20250101-1000{index}-aaaaaa");
        Journal::new(&engine, &run, 60 * 24 * 300).begin().ended("p620", "deployed").finish(0).write();
    }
    engine.good(&["fleet", "flush"]);
    // One that lost a part of it since, and one that never was recorded.
    engine.sql("UPDATE runs SET last_seq = 1 WHERE id LIKE '%10-aaaaaa'").await;
    Journal::new(&engine, "20250101-100009-aaaaaa", 60 * 24 * 300).begin().write();
    let pruned = &engine.json(&["fleet", "prune", "--keep", "180d", "--journals"])[0];
    // The newest ten stay, too.
    assert_eq!(pruned["journals"], 3);
    assert!(engine.state().join("runs/20250101-100010-aaaaaa").exists());
    assert!(engine.state().join("runs/20250101-100009-aaaaaa").exists());
    assert!(!engine.state().join("runs/20250101-100011-aaaaaa").exists());
    let kept = &engine.json(&["fleet", "prune", "--keep", "500d", "--journals"])[0];
    assert_eq!(kept["journals"], 0);
}

#[tokio::test]
async fn an_export_goes_from_one_database_to_the_other_and_back_without_a_change() {
    let sqlite = Engine::new(Kind::Sqlite).await;
    sqlite.good(&["fleet", "register", "p620", "p510", "--environment", "test"]);
    Journal::new(&sqlite, "20251121-100000-aaaaaa", 60)
        .of("c1", OLD, NEW)
        .begin()
        .evaluated("p620")
        .built("p620")
        .ended("p620", "deployed")
        .finish(0)
        .write();
    Journal::new(&sqlite, "20251121-110000-bbbbbb", 30)
        .of("c2", OLD, NEW)
        .begin()
        .evaluated("p620")
        .ended("p620", "rolled-back")
        .finish(6)
        .write();
    sqlite.good(&["fleet", "flush"]);
    sqlite.sql("INSERT INTO agent_heartbeats (system_state_id) SELECT id FROM system_states").await;
    let first = sqlite.folder.path().join("first.jsonl");
    sqlite.good(&["fleet", "export", first.to_str().unwrap()]);

    let postgres = Engine::new(Kind::Postgres).await;
    postgres.good(&["fleet", "import", first.to_str().unwrap()]);
    let second = postgres.folder.path().join("second.jsonl");
    postgres.good(&["fleet", "export", second.to_str().unwrap()]);
    let back = Engine::new(Kind::Sqlite).await;
    back.good(&["fleet", "import", second.to_str().unwrap()]);
    let third = back.good(&["fleet", "export"]).stdout;
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let first_text = std::fs::read_to_string(&first).unwrap();
    assert!(first_text.lines().count() > 20);
    assert_eq!(sorted(first_text.clone()), sorted(std::fs::read_to_string(&second).unwrap()));
    assert_eq!(sorted(first_text), sorted(third));
    assert_eq!(postgres.json(&["fleet", "status"]), sqlite.json(&["fleet", "status"]));
    assert_eq!(postgres.json(&["fleet", "history"]), sqlite.json(&["fleet", "history"]));

    // Ids count on, a second import is refused, and an export overwrites nothing.
    postgres.sql("INSERT INTO flakes (name, repo_url) VALUES ('next', 'n')").await;
    let outcome = postgres.run(&["fleet", "import", first.to_str().unwrap()]);
    assert!(outcome.code == 2 && outcome.stderr.contains("has rows in flakes"), "{outcome:?}");
    assert_eq!(sqlite.run(&["fleet", "export", first.to_str().unwrap()]).code, 2);
}
