//! What the recorder makes of journals: rows for every event, each once.

use nix_deploy::event::Event;
use nix_deploy::model::{
    DeployedRecord, Finding, HostName, Place, Recovery, RecoveryKind, Severity, StepId, StepOutcome, StorePath,
    Suppression,
};

use crate::engine::{BOTH, Engine};
use crate::journal::{Journal, facts};

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";

#[tokio::test]
async fn findings_are_recorded_with_who_let_them_pass() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let finding = |rule: &str, severity, suppressed| Event::Finding {
            host: HostName::new("p620").unwrap(),
            finding: Box::new(Finding {
                rule: rule.to_owned(),
                severity,
                place: Some(Place {
                    file: "hosts/p620.nix".into(),
                    line: 7,
                    column: 3,
                    end_line: 7,
                    end_column: 9,
                    start: 90,
                    end: 96,
                }),
                subject: "networking.firewall.enable".to_owned(),
                message: "the firewall is off".to_owned(),
                mend: String::new(),
                source_line: String::new(),
                host: None,
                suppressed,
                fingerprint: "abc".to_owned(),
            }),
        };
        let actor = "ada@desk".to_owned();
        let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, NEW).begin();
        let journal = journal
            .event(finding("firewall-off", Severity::Critical, Some(Suppression::Flag { actor })))
            .event(finding("service-root", Severity::Warning, None));
        journal.evaluated("p620").ended("p620", "deployed").finish(0).write();
        engine.good(&["fleet", "flush"]);
        engine.good(&["fleet", "flush"]);
        let sql = "SELECT rule || ' ' || severity || ' ' || file || ' ' || coalesce(suppressed, 'counts') \
                   FROM findings WHERE hostname = 'p620' AND line = 7 ORDER BY id";
        let rows: Vec<String> = engine.rows(sql).await.into_iter().flatten().collect();
        let expected = [
            "firewall-off critical hosts/p620.nix --allow by ada@desk",
            "service-root warning hosts/p620.nix counts",
        ];
        assert_eq!(rows, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_run_becomes_rows_of_every_table_and_is_shown_again() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, NEW).begin();
        journal.evaluated("p620").built("p620").ended("p620", "deployed").finish(0).write();
        engine.good(&["fleet", "flush"]);
        let sql = "SELECT e.status, e.outcome, e.action, e.from_generation, e.to_generation, e.from_store_path, \
                   e.to_store_path, e.running_store_path, e.duration_ms, e.machine_id, c.git_commit_hash, \
                   d.derivation_name FROM deployment_events e JOIN commits c ON c.id = e.commit_id \
                   JOIN derivations d ON d.id = e.derivation_id";
        let expected = format!("success SUCCESS switch 7 8 {OLD} {NEW} {NEW} 4000 machine-of-p620 c1 p620");
        assert_eq!(engine.rows(sql).await[0].join(" "), expected, "{kind:?}");
        for (sql, expected) in [
            (
                "SELECT name || ' ' || outcome FROM steps ORDER BY id",
                "git passed, evaluate passed, build passed",
            ),
            (
                "SELECT name || ' ' || version_before || ' ' || version_after || ' ' || kind FROM package_changes",
                "hello 1.0 1.1, 2.0 upgraded",
            ),
            ("SELECT unit || ' ' || what FROM unit_changes", "nginx.service restarted"),
            ("SELECT name FROM resources ORDER BY name", "load, memory_available, store_free"),
            ("SELECT change_reason FROM system_states ORDER BY id", "startup, cf_deployment"),
            ("SELECT status_id FROM derivations WHERE derivation_type = 'nixos'", "11"),
            (
                "SELECT s.derivation_name || ' ' || p.pname || ' ' || p.version FROM derivation_dependencies n \
                 JOIN derivations s ON s.id = n.derivation_id JOIN derivations p ON p.id = n.depends_on_id \
                 WHERE p.status_id = 10 AND p.derivation_type = 'package'",
                "p620 hello 2.0",
            ),
            ("SELECT evaluation_status FROM commits", "complete"),
            ("SELECT name || ' ' || repo_url FROM flakes", "infra https://git.example/infra.git"),
            (
                "SELECT actor || ' ' || machine || ' ' || mode || ' ' || branch FROM runs",
                "ada@desk desk standard main",
            ),
            ("SELECT count(*) FROM deployment_locks", "0"),
        ] {
            let rows: Vec<String> = engine.rows(sql).await.into_iter().flatten().collect();
            assert_eq!(rows.join(", "), expected, "{kind:?} {sql}");
        }
        let shown = engine.good(&["fleet", "show", "20251121-1000"]).stdout;
        assert!(shown.contains("DEPLOYMENT REPORT: p620") && shown.contains("Generation 7 → 8"), "{shown}");
        let record = &engine.json(&["fleet", "show", "20251121-1000"])[0];
        assert_eq!(record["run"]["outcome"], "the end");
        assert_eq!(record["hosts"][0]["packages"][0]["name"], "hello");
        assert_eq!(record["hosts"][0]["steps"][1]["duration_ms"], 900);
        assert!(engine.run(&["fleet", "show", "nothing"]).stderr.contains("no run \"nothing\" is recorded"));
    }
}

#[tokio::test]
async fn a_journal_recorded_in_parts_and_again_is_recorded_once() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, NEW).begin();
        let journal = journal.evaluated("p620").built("p620").ended("p620", "deployed").finish(0);
        let count = journal.lines().len();
        for part in 1..=count {
            journal.write_first(part);
            engine.good(&["fleet", "flush"]);
        }
        let again = &engine.json(&["fleet", "flush", "--all"])[0];
        assert_eq!((again["runs"].as_u64(), again["events"].as_u64()), (Some(0), Some(0)), "{again}");
        for (table, rows) in
            [("runs", 1), ("deployment_events", 1), ("steps", 3), ("system_states", 2), ("unit_changes", 1)]
        {
            let found = engine.value(&format!("SELECT count(*) FROM {table}")).await;
            assert_eq!(found, rows.to_string(), "{kind:?} {table}");
        }
        assert_eq!(engine.value("SELECT last_seq FROM runs").await, count.to_string());
        assert_eq!(
            engine.value("SELECT status_id FROM derivations WHERE derivation_type = 'nixos'").await,
            "11"
        );
    }
}

#[tokio::test]
async fn a_deploy_that_was_left_open_is_settled_from_what_the_next_run_finds() {
    let other = "/nix/store/22222222222222222222222222222222-nixos-system-p620-x";
    let rows = [
        // What the host runs, whether it had begun to activate, whether it keeps the run's record.
        (NEW, true, false, "success"),
        (OLD, true, false, "rolled_back"),
        (OLD, false, false, "failed"),
        (other, true, false, "unknown"),
        (other, true, true, "success"),
    ];
    for kind in BOTH {
        for (runs, activated, recorded, expected) in rows {
            let engine = Engine::new(kind).await;
            let mut journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60)
                .of("c1", OLD, NEW)
                .begin()
                .evaluated("p620");
            if activated {
                journal = journal.finished("p620", StepId::Activate, StepOutcome::Passed, 10, "");
            }
            journal.write();
            engine.good(&["fleet", "flush"]);
            let status = "SELECT status FROM deployment_events WHERE run_id = '20251121-100000-aaaaaa'";
            assert_eq!(engine.value(status).await, "in_progress");
            let system = StorePath::new(runs).unwrap();
            let mut found = facts("p620", &system);
            found.deployed = recorded.then(|| DeployedRecord {
                path: system,
                commit: None,
                run: "20251121-100000-aaaaaa".to_owned(),
                actor: "ada@desk".to_owned(),
            });
            let host = HostName::new("p620").unwrap();
            let next = Journal::new(&engine, "20251121-110000-bbbbbb", 30).of("c1", runs, runs).without_facts();
            next.begin().event(Event::Facts { host, facts: Box::new(found) }).write();
            engine.good(&["fleet", "flush"]);
            assert_eq!(engine.value(status).await, expected, "{kind:?} {runs} {activated} {recorded}");
        }
    }
}

#[tokio::test]
async fn odd_runs_become_correct_rows() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        // The clock jumps back by an hour in the middle.
        let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 120).of("c1", OLD, NEW).begin();
        journal.evaluated("p620").jump(-3600).ended("p620", "deployed").finish(0).write();
        // An error of 10,000 characters, with what SQL and terminals could trip over.
        let error = format!("'; DROP TABLE runs; -- \u{1b}[2J\0 {}", "x".repeat(10_000));
        let journal = Journal::new(&engine, "20251121-110000-bbbbbb", 40).of("c1", OLD, NEW).begin();
        journal.evaluated("p620").ended_with("p620", "rolled-back", Some(&error)).finish(6).write();
        // A tree that differs from its commit belongs to none.
        let mut journal = Journal::new(&engine, "20251121-120000-cccccc", 20).of("c1", OLD, NEW);
        journal.dirty = true;
        journal.begin().evaluated("p620").ended("p620", "deployed").finish(0).write();
        engine.good(&["fleet", "flush"]);
        let sql = "SELECT count(*) FROM deployment_events WHERE completed_at < started_at";
        assert_eq!(engine.value(sql).await, "0", "{kind:?}");
        let sql = "SELECT length(error) FROM deployment_events WHERE run_id LIKE '%bbbbbb'";
        assert!(engine.value(sql).await.parse::<usize>().unwrap() > 10_000);
        let history = engine.good(&["fleet", "history"]).stdout;
        assert_eq!(history.lines().count(), 4, "{history}");
        assert!(!history.contains('\u{1b}'), "{history}");
        assert_eq!(history.matches("+dirty").count(), 1, "{history}");
        let status = &engine.json(&["fleet", "status", "p620"])[0];
        // What the dirty tree gave is what the commit had given before: it is known after all.
        let found = (&status["deployment_status"], &status["drifted"], &status["last_event_status"]);
        assert_eq!(found, (&"up_to_date".into(), &false.into(), &"success".into()), "{kind:?}");
        let sql = "SELECT count(*) FROM deployment_events WHERE commit_id IS NULL";
        assert_eq!(engine.value(sql).await, "1", "{kind:?}");
        // People read that a host was not reached, machines the word of the schema.
        let away = Journal::new(&engine, "20251121-130000-dddddd", 10).of("c1", OLD, NEW);
        away.begin().unreached("p620").finish(5).write();
        engine.good(&["fleet", "flush"]);
        let table = engine.good(&["fleet", "status", "p620"]).stdout;
        assert!(table.contains("  unreachable  "), "{kind:?}: {table}");
        let status = &engine.json(&["fleet", "status", "p620"])[0];
        assert_eq!(status["last_event_status"], "failed", "{kind:?}");
    }
}

#[tokio::test]
async fn two_hosts_of_one_name_in_two_flakes_are_kept_apart() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        engine.good(&["fleet", "register", "p620"]);
        let ours = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, OLD).begin();
        ours.evaluated("p620").ended("p620", "unchanged").finish(0).write();
        let theirs = Journal::new(&engine, "20251121-110000-bbbbbb", 90).of("z1", NEW, NEW);
        let theirs = theirs.with_remote("https://git.example/other").begin();
        theirs.evaluated("p620").ended("p620", "unchanged").finish(0).write();
        engine.good(&["fleet", "flush"]);
        assert_eq!(engine.value("SELECT count(*) FROM flakes").await, "2", "{kind:?}");
        let rows = engine.json(&["fleet", "status"]);
        assert_eq!((rows.len(), rows[0]["flake_name"].as_str()), (1, Some("infra")));
        let sql = "SELECT count(*) FROM derivations WHERE derivation_name = 'p620'";
        assert_eq!(engine.value(sql).await, "2");
        let outcome = engine.run(&["fleet", "register", "p620"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        engine.script(
            "git",
            "case \"$*\" in *remote.origin.url*) echo https://git.example/other;; *) exit 1;; esac",
        );
        let outcome = engine.run(&["fleet", "register", "p620"]);
        assert!(
            outcome.code == 2 && outcome.stderr.contains("registered with another flake"),
            "{}",
            outcome.stderr
        );
    }
}

#[tokio::test]
async fn what_was_set_right_by_itself_stands_among_the_steps() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let attempt = |recovery: Recovery| Event::Recovery {
            hosts: vec![HostName::new("p620").unwrap()],
            step: StepId::Copy,
            recovery: Box::new(recovery),
        };
        let what = RecoveryKind::CollectGarbage;
        let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, NEW).begin();
        let journal = journal
            .event(attempt(Recovery::in_vain(what, "the disk is full", "nothing was freed")))
            .event(attempt(Recovery::helped(what, "the disk is full", "95 MiB were freed")));
        journal.evaluated("p620").ended("p620", "deployed").finish(0).write();
        engine.good(&["fleet", "flush"]);
        engine.good(&["fleet", "flush"]);
        let sql = "SELECT name || ' ' || outcome || ' ' || detail FROM steps WHERE name LIKE 'recovery %' ORDER BY id";
        let rows: Vec<String> = engine.rows(sql).await.into_iter().flatten().collect();
        let expected = [
            "recovery 1: collect-garbage failed the disk is full: nothing was freed",
            "recovery 2: collect-garbage passed the disk is full: 95 MiB were freed",
        ];
        assert_eq!(rows, expected, "{kind:?}");
        let shown = engine.good(&["fleet", "show", "20251121-100000-aaaaaa", "--json"]);
        assert!(shown.stdout.contains("recovery 2: collect-garbage"), "{}", shown.stdout);
    }
}
