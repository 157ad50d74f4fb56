//! The rules of the views, one by one, in both databases: with the tables of
//! the shared model alone, as a fleet without our events has them.

use crate::engine::{BOTH, Engine};

/// A flake, its commits at these ages in minutes, and the host `h`.
async fn fleet(engine: &Engine, ages: &[u32]) {
    engine
        .sql("INSERT INTO flakes (id, name, repo_url) VALUES (1, 'infra', 'https://git.example/infra')")
        .await;
    engine
        .sql("INSERT INTO systems (hostname, public_key, flake_id, derivation) VALUES ('h', '', 1, '')")
        .await;
    for (index, age) in ages.iter().enumerate() {
        let id = index + 1;
        engine
            .sql(&format!(
                "INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp) \
                 VALUES ({id}, 1, 'commit{id}commit{id}', AGO({age}))"
            ))
            .await;
    }
}

async fn system(engine: &Engine, commit: u32, host: &str, status: u32, path: &str) {
    engine
        .sql(&format!(
            "INSERT INTO derivations (commit_id, derivation_type, derivation_name, derivation_path, store_path, \
             status_id) VALUES ({commit}, 'nixos', '{host}', '{path}.drv', '{path}', {status})"
        ))
        .await;
}

async fn report(engine: &Engine, host: &str, path: &str, age: u32) {
    let host = host.replace('\'', "''");
    engine
        .sql(&format!(
            "INSERT INTO system_states (hostname, store_path, change_reason, uptime_secs, primary_ip_address, \
             nixos_version, \"timestamp\") VALUES ('{host}', '{path}', 'startup', 43200, '10.0.0.1', '25.05', AGO({age}))"
        ))
        .await;
}

async fn deployment(engine: &Engine) -> Vec<Vec<String>> {
    let columns =
        "hostname, deployment_status, current_commit_hash, commits_behind, status_description, drifted";
    engine.rows(&format!("SELECT {columns} FROM view_system_deployment_status")).await
}

#[tokio::test]
async fn a_hosts_deployment_is_judged_by_the_first_rule_that_fits() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60, 50, 40]).await;
        let first = "System registered but never deployed";
        assert_eq!(
            deployment(&engine).await,
            [["h", "no_deployment", "-", "0", first, drifted(&engine, false)]]
        );
        report(&engine, "h", "/nix/store/unknown", 30).await;
        let unknown = "Cannot determine flake relationship";
        assert_eq!(deployment(&engine).await[0][1..5], ["unknown", "-", "0", unknown]);
        system(&engine, 1, "h", 11, "/nix/store/a").await;
        report(&engine, "h", "/nix/store/a", 20).await;
        assert_eq!(
            deployment(&engine).await[0][1..5],
            ["behind", "commit1commit1", "2", "Behind by 2 commit(s)"]
        );
        // The same output for a newer commit: one row, and the newer commit.
        system(&engine, 2, "h", 12, "/nix/store/a").await;
        assert_eq!(deployment(&engine).await.len(), 1);
        assert_eq!(
            deployment(&engine).await[0][1..5],
            ["behind", "commit2commit2", "1", "Behind by 1 commit(s)"]
        );
        system(&engine, 3, "h", 5, "/nix/store/c").await;
        report(&engine, "h", "/nix/store/c", 10).await;
        assert_eq!(
            deployment(&engine).await[0][1..5],
            ["up_to_date", "commit3commit3", "0", "Running latest commit"]
        );
        // A commit of another flake that is newer than all of its own.
        engine.sql("INSERT INTO flakes (id, name, repo_url) VALUES (2, 'lab', 'x')").await;
        engine.sql("INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp) VALUES (9, 2, 'z', AGO(5))").await;
        system(&engine, 9, "h", 11, "/nix/store/z").await;
        report(&engine, "h", "/nix/store/z", 4).await;
        assert_eq!(
            deployment(&engine).await[0][1..5],
            ["ahead", "z", "0", "Running newer commit than expected"]
        );
        engine.sql("UPDATE systems SET is_active = false").await;
        assert!(deployment(&engine).await.is_empty(), "{kind:?}");
    }
}

/// A boolean as this database gives it out of a view.
fn drifted(engine: &Engine, yes: bool) -> &'static str {
    match (engine.kind, yes) {
        (crate::engine::Kind::Postgres, true) => "t",
        (crate::engine::Kind::Postgres, false) => "f",
        (crate::engine::Kind::Sqlite, true) => "1",
        (crate::engine::Kind::Sqlite, false) => "0",
    }
}

#[tokio::test]
async fn problems_come_first_and_the_most_behind_before_the_others() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60, 50, 40]).await;
        for (host, commit) in [("up", 3), ("one", 2), ("two", 1), ("o'brien \"<b>\"", 1)] {
            let path = format!("/nix/store/{}", host.len() * 100 + commit);
            system(&engine, u32::try_from(commit).unwrap(), &host.replace('\'', "''"), 11, &path).await;
            report(&engine, host, &path, 5).await;
        }
        report(&engine, "lost", "/nix/store/lost", 5).await;
        let hosts: Vec<String> = deployment(&engine).await.into_iter().map(|mut row| row.remove(0)).collect();
        assert_eq!(hosts, ["h", "lost", "o'brien \"<b>\"", "two", "one", "up"], "{kind:?}");
        let table = engine.good(&["fleet", "status"]).stdout;
        assert_eq!(table.lines().count(), 7, "{table}");
        assert!(table.contains("o'brien \"<b>\""), "{table}");
    }
}

#[tokio::test]
async fn systems_are_offline_unknown_outdated_or_up_to_date() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60, 50]).await;
        let status = async |engine: &Engine| {
            let sql = "SELECT status_text, status, last_seen, version, uptime, ip_address, deployable_commit \
                       FROM view_systems_status_table";
            engine.rows(sql).await.remove(0).join(" ")
        };
        assert_eq!(status(&engine).await, "Offline ⚫ never - - - -");
        report(&engine, "h", "/nix/store/a", 20).await;
        assert_eq!(status(&engine).await, "Unknown State 🟤 20m ago 25.05 0.5d 10.0.0.1 -");
        // A configuration that cannot be evaluated is none.
        system(&engine, 2, "h", 6, "/nix/store/x").await;
        assert!(status(&engine).await.starts_with("Unknown State"));
        system(&engine, 1, "h", 10, "/nix/store/a").await;
        assert_eq!(status(&engine).await, "Outdated 🔴 20m ago 25.05 0.5d 10.0.0.1 commit1commit1");
        // A failed build still is a valid configuration.
        engine.sql("UPDATE derivations SET status_id = 12 WHERE commit_id = 2").await;
        assert!(status(&engine).await.starts_with("Up to Date 🟢"), "{kind:?}");
        engine.sql("INSERT INTO agent_heartbeats (system_state_id, \"timestamp\", agent_version) SELECT id, AGO(3), '1.2.3' FROM system_states").await;
        assert_eq!(status(&engine).await, "Up to Date 🟢 3m ago 1.2.3 0.5d 10.0.0.1 commit1commit1");
    }
}

#[tokio::test]
async fn the_timeline_has_every_commit_of_30_days_with_sorted_lists() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60 * 24 * 40, 60, 50, 40]).await;
        for host in ["b", "a", "c"] {
            system(&engine, 2, host, if host == "c" { 6 } else { 11 }, &format!("/nix/store/{host}2")).await;
            report(&engine, host, &format!("/nix/store/{host}2"), 30).await;
        }
        // `a` went on to a path that two commits give: it is on the newer one, and counted once.
        system(&engine, 3, "a", 10, "/nix/store/a3").await;
        system(&engine, 4, "a", 10, "/nix/store/a3").await;
        report(&engine, "a", "/nix/store/a3", 20).await;
        report(&engine, "a", "/nix/store/a3", 10).await;
        let columns = "short_hash, total_evaluations, successful_evaluations, evaluation_statuses, evaluated_targets, \
                       total_systems_deployed, currently_deployed_systems, deployed_systems, \
                       currently_deployed_systems_list";
        let rows = engine.rows(&format!("SELECT {columns} FROM view_commit_deployment_timeline")).await;
        let rows: Vec<String> = rows.iter().map(|row| row.join(" | ")).collect();
        assert_eq!(
            rows,
            [
                "commit4c | 1 | 1 | build-complete | a | 1 | 1 | a | a",
                "commit3c | 1 | 1 | build-complete | a | 1 | 0 | a | -",
                "commit2c | 3 | 2 | complete, dry-run-failed | a, b, c | 3 | 2 | a, b, c | b, c",
            ],
            "{kind:?}"
        );
        let sql = "SELECT count(*) FROM view_commit_deployment_timeline WHERE first_deployment < AGO(25) AND last_deployment < AGO(25)";
        assert_eq!(engine.value(sql).await, "1");
        // The newest few are asked for in another way, with the same answer.
        let all = engine.json(&["fleet", "timeline"]);
        assert_eq!(engine.json(&["fleet", "timeline", "--limit", "2"]), all[..2]);
        assert_eq!(engine.json(&["fleet", "timeline", "--limit", "50"]), all);
        let of_b = engine.json(&["fleet", "timeline", "--since", "2h", "b"]);
        assert_eq!(of_b, all[2..]);
    }
}

#[tokio::test]
async fn a_rollback_shows_in_the_timeline() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60, 50]).await;
        system(&engine, 1, "h", 11, "/nix/store/h1").await;
        system(&engine, 2, "h", 11, "/nix/store/h2").await;
        for (path, age) in [("h1", 30), ("h2", 20), ("h1", 10)] {
            report(&engine, "h", &format!("/nix/store/{path}"), age).await;
        }
        let columns = "short_hash, total_systems_deployed, currently_deployed_systems";
        let rows = engine.rows(&format!("SELECT {columns} FROM view_commit_deployment_timeline")).await;
        assert_eq!(rows, [["commit2c", "1", "0"], ["commit1c", "1", "1"]], "{kind:?}");
    }
}

#[tokio::test]
async fn commits_say_how_their_builds_stand() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60]).await;
        let build = async |engine: &Engine| {
            let sql = "SELECT DISTINCT commit_build_status, commit_build_description, all_statuses \
                       FROM view_commit_build_status";
            engine.rows(sql).await.remove(0).join(" | ")
        };
        let table = async |engine: &Engine| {
            let columns = "derivation_name, total, successful, failed, in_progress, CAST(progress_pct AS double precision)";
            let sql = format!("SELECT {columns} FROM view_commit_nixos_table");
            engine.rows(&sql).await.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(build(&engine).await, "no_builds | No derivations scheduled for this commit | -");
        assert_eq!(table(&engine).await, "- 0 0 0 0 0");
        for (host, status) in [("a", 10), ("b", 8), ("c", 12)] {
            system(&engine, 1, host, status, "/nix/store/x").await;
        }
        assert_eq!(
            build(&engine).await,
            "building | 1 of 3 derivations still building | build-complete, build-failed, build-inprogress"
        );
        assert_eq!(table(&engine).await, "b 3 1 1 1 33.3, a 3 1 1 1 33.3, c 3 1 1 1 33.3");
        engine.sql("UPDATE derivations SET status_id = 11 WHERE derivation_name = 'b'").await;
        assert!(build(&engine).await.starts_with("partial | 2 successful, 1 failed of 3 total | "));
        engine.sql("UPDATE derivations SET status_id = 12").await;
        assert_eq!(build(&engine).await, "failed | All 3 derivations failed | build-failed");
        engine.sql("UPDATE derivations SET status_id = 14").await;
        let all = "complete | All 3 derivations completed successfully | cache-pushed";
        assert_eq!(build(&engine).await, all, "{kind:?}");
    }
}

#[tokio::test]
async fn the_queue_has_packages_before_their_system_and_newest_commits_first() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60, 50]).await;
        system(&engine, 1, "old", 12, "/nix/store/old").await;
        system(&engine, 2, "new", 5, "/nix/store/new").await;
        system(&engine, 2, "tired", 5, "/nix/store/tired").await;
        engine.sql("UPDATE derivations SET attempt_count = 6 WHERE derivation_name = 'tired'").await;
        for (name, pname, status) in
            [("zlib-1", "'zlib'", 5), ("none", "NULL", 12), ("curl-8", "'curl'", 5), ("done", "'done'", 10)]
        {
            engine
                .sql(&format!(
                    "INSERT INTO derivations (commit_id, derivation_type, derivation_name, pname, status_id) \
                     VALUES (2, 'package', '{name}', {pname}, {status})"
                ))
                .await;
        }
        let needs = "INSERT INTO derivation_dependencies SELECT s.id, p.id FROM derivations s, derivations p \
                     WHERE s.derivation_type = 'nixos' AND p.derivation_type = 'package' AND s.derivation_name IN ('new', 'old')";
        engine.sql(needs).await;
        let rows =
            engine.rows("SELECT derivation_name, group_order FROM view_nixos_derivation_build_queue").await;
        let rows: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(
            rows,
            ["curl-8 0", "zlib-1 0", "none 0", "new 1", "curl-8 0", "zlib-1 0", "none 0", "old 1"],
            "{kind:?}"
        );
        assert_eq!(engine.json(&["fleet", "queue", "--newest"]).len(), 4);
        let next = engine.json(&["fleet", "queue", "--next"]);
        assert_eq!((next.len(), next[0]["derivation_name"].as_str()), (1, Some("new")));
        engine.sql("INSERT INTO build_reservations (worker_id, derivation_id, nixos_derivation_id) SELECT 'w', id, id FROM derivations WHERE derivation_name = 'new'").await;
        assert!(engine.json(&["fleet", "queue", "--next"]).is_empty());
        // Deleting a derivation takes its dependencies and reservations along.
        engine.sql("DELETE FROM derivations WHERE derivation_name = 'new'").await;
        assert_eq!(engine.value("SELECT count(*) FROM build_reservations").await, "0");
        assert_eq!(engine.value("SELECT count(*) FROM derivation_dependencies").await, "4");
    }
}

#[tokio::test]
async fn statuses_are_counted_and_rounded_as_written() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[60]).await;
        for (host, status) in [("a", 5), ("b", 5), ("c", 12)] {
            system(&engine, 1, host, status, "/nix/store/x").await;
        }
        engine.sql("UPDATE derivations SET attempt_count = 1, evaluation_duration_ms = 1234 WHERE derivation_name = 'a'").await;
        engine.sql("UPDATE derivations SET scheduled_at = AGO(1500) WHERE derivation_name = 'b'").await;
        let columns = "status_name, total_count, nixos_count, package_count, CAST(avg_attempts AS double precision), \
                       CAST(avg_duration_seconds AS double precision), count_last_24h, \
                       CAST(percentage_of_total AS double precision)";
        let rows = engine.rows(&format!("SELECT {columns} FROM view_derivation_status_breakdown")).await;
        let rows: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(
            rows,
            ["dry-run-complete 2 2 0 0.5 1.23 1 66.67", "build-failed 1 1 0 0 - 1 33.33"],
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn hosts_are_healthy_for_15_minutes_and_offline_after_4_hours() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        for (host, age) in
            [("healthy", 14), ("warning", 59), ("critical", 239), ("offline", 241), ("beating", 500)]
        {
            report(&engine, host, "/nix/store/x", age).await;
        }
        engine.sql("INSERT INTO agent_heartbeats (system_state_id, \"timestamp\") SELECT id, AGO(1) FROM system_states WHERE hostname = 'beating'").await;
        let columns = "hostname, heartbeat_status, CAST(minutes_since_last_activity AS integer)";
        let rows = engine.rows(&format!("SELECT {columns} FROM view_system_heartbeat_status")).await;
        let rows: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(
            rows,
            [
                "offline Offline 241",
                "critical Critical 239",
                "warning Warning 59",
                "healthy Healthy 14",
                "beating Healthy 1"
            ],
            "{kind:?}"
        );
        let stale = engine.json(&["fleet", "stale", "--older-than", "2h"]);
        let hosts: Vec<&str> = stale.iter().map(|row| row["hostname"].as_str().unwrap()).collect();
        assert_eq!(hosts, ["offline", "critical"]);
        // A heartbeat that is deleted does not count any more.
        engine.sql("DELETE FROM agent_heartbeats").await;
        assert_eq!(engine.rows("SELECT hostname FROM view_system_heartbeat_status").await[0], ["beating"]);
    }
}
