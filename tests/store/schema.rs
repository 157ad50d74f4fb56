//! The schema as dashboards and other programs see it: tables, columns, types.

use crate::engine::{BOTH, Engine, Kind};

/// The views with their first columns in order, as the model has them.
const VIEWS: [(&str, &str); 9] = [
    (
        "view_systems_status_table",
        "hostname,status,status_text,last_seen,version,uptime,ip_address,deployable_commit,deployed_commit,deployment_in_progress,drifted",
    ),
    (
        "view_commit_deployment_timeline",
        "flake_id,flake_name,commit_id,git_commit_hash,short_hash,commit_timestamp,total_evaluations,successful_evaluations,evaluation_statuses,evaluated_targets,first_deployment,last_deployment,total_systems_deployed,currently_deployed_systems,deployed_systems,currently_deployed_systems_list",
    ),
    (
        "view_system_deployment_status",
        "hostname,current_store_path,deployment_time,current_commit_hash,current_commit_timestamp,latest_commit_hash,latest_commit_timestamp,commits_behind,flake_name,deployment_status,status_description,deployment_running,last_event_status,drifted",
    ),
    (
        "view_nixos_derivation_build_queue",
        "id,commit_id,derivation_type,derivation_name,derivation_path,scheduled_at,completed_at,started_at,attempt_count,evaluation_duration_ms,error_message,pname,version,status_id,derivation_target,build_elapsed_seconds,build_current_target,build_last_activity_seconds,build_last_heartbeat,cf_agent_enabled,store_path,nixos_id,nixos_commit_ts,group_order",
    ),
    (
        "view_derivation_status_breakdown",
        "status_name,status_description,is_terminal,is_success,total_count,nixos_count,package_count,avg_attempts,avg_duration_seconds,oldest_scheduled,newest_scheduled,count_last_24h,percentage_of_total",
    ),
    (
        "view_commit_build_status",
        "commit_id,flake_name,repo_url,git_commit_hash,short_hash,commit_timestamp,commit_attempt_count,derivation_id,derivation_type,derivation_name,derivation_path,derivation_scheduled_at,derivation_started_at,derivation_completed_at,derivation_attempt_count,evaluation_duration_ms,error_message,pname,version,derivation_status,derivation_status_description,is_terminal,is_success,total_derivations,successful_derivations,failed_derivations,in_progress_derivations,nixos_derivations,package_derivations,avg_evaluation_duration_seconds,max_derivation_attempts,all_statuses,commit_build_status,commit_build_description",
    ),
    (
        "view_commit_nixos_table",
        "commit_id,git_commit_hash,short_hash,commit_timestamp,flake_name,derivation_name,derivation_status,status_order,total,successful,failed,in_progress,progress_pct",
    ),
    (
        "view_system_heartbeat_status",
        "hostname,heartbeat_status,most_recent_activity,last_heartbeat,last_state_change,minutes_since_last_activity,status_description",
    ),
    (
        "view_buildable_derivations",
        "id,derivation_name,derivation_type,derivation_path,status_id,nixos_id,nixos_commit_ts,active_workers,queue_position",
    ),
];

#[tokio::test]
async fn views_have_their_columns_in_order() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        for (view, columns) in VIEWS {
            let sql = match kind {
                Kind::Sqlite => format!("SELECT name FROM pragma_table_info('{view}')"),
                Kind::Postgres => format!(
                    "SELECT column_name::text FROM information_schema.columns \
                     WHERE table_schema = 'public' AND table_name = '{view}' ORDER BY ordinal_position"
                ),
            };
            let found: Vec<String> = engine.rows(&sql).await.into_iter().map(|row| row[0].clone()).collect();
            let columns: Vec<&str> = columns.split(',').collect();
            assert_eq!(found[..columns.len().min(found.len())], columns, "{kind:?} {view}");
        }
    }
}

#[tokio::test]
async fn statuses_have_the_ids_that_others_rely_on() {
    let expected = "1 pending f f 10, 2 queued f f 20, 3 dry-run-pending f f 30, 4 dry-run-inprogress f f 40, \
                    5 dry-run-complete f t 50, 6 dry-run-failed t f 51, 7 build-pending f f 60, \
                    8 build-inprogress f f 70, 9 in-progress f f 75, 10 build-complete t t 80, 11 complete t t 90, \
                    12 build-failed t f 81, 13 failed t f 91, 14 cache-pushed t t 100";
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let sql =
            "SELECT id, name, is_terminal, is_success, display_order FROM derivation_statuses ORDER BY id";
        let rows: Vec<String> = engine.rows(sql).await.iter().map(|row| row.join(" ")).collect();
        assert_eq!(rows.join(", "), expected, "{kind:?}");
        let sql = "SELECT name FROM environments ORDER BY name";
        let names: Vec<String> = engine.rows(sql).await.into_iter().flatten().collect();
        assert_eq!(names, ["dev", "preprod", "prod", "test"]);
    }
}

#[tokio::test]
async fn what_has_to_be_unique_is_and_what_need_not_be_is_not() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        engine.sql("INSERT INTO flakes (id, name, repo_url) VALUES (1, 'a', 'u')").await;
        for commit in ["c1", "c2"] {
            engine.sql(&format!("INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES (1, '{commit}', AGO(1))")).await;
        }
        // Two commits may give the same .drv.
        let derivation = |commit: &str| {
            format!(
                "INSERT INTO derivations (commit_id, derivation_type, derivation_name, derivation_path, store_path, status_id) VALUES ({commit}, 'nixos', 'h', '/nix/store/x.drv', '/nix/store/x.drv', 5)"
            )
        };
        for commit in ["1", "2", "NULL"] {
            engine.sql(&derivation(commit)).await;
        }
        for sql in [
            "INSERT INTO flakes (name, repo_url) VALUES ('b', 'u')",
            "INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES (1, 'c1', AGO(1))",
            &derivation("1"),
            &derivation("NULL"),
            "INSERT INTO derivations (derivation_type, derivation_name, status_id) VALUES ('tarball', 'x', 5)",
            "INSERT INTO system_states (hostname, store_path, change_reason) VALUES ('h', 'x', 'because')",
            "INSERT INTO deployment_events (hostname, status) VALUES ('h', 'odd')",
            "INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES (77, 'c9', AGO(1))",
        ] {
            assert!(engine.try_sql(sql).await.is_err(), "{kind:?} took {sql}");
        }
        engine.sql("DELETE FROM flakes").await;
        assert_eq!(engine.value("SELECT count(*) FROM derivations").await, "1");
    }
}

#[tokio::test]
async fn reports_go_to_their_month_and_are_forgotten_with_their_heartbeats() {
    let engine = Engine::new(Kind::Postgres).await;
    let report = |time: &str| {
        format!(
            "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('h', '/nix/store/x', 'startup', {time})"
        )
    };
    engine.sql(&report("now()")).await;
    engine.sql(&report("'2020-05-05T00:00:00Z'")).await;
    let sql = "SELECT count(DISTINCT tableoid)::text || ' ' || count(DISTINCT id)::text FROM system_states";
    assert_eq!(engine.value(sql).await, "2 2");
    let sql = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'system_states'::regclass";
    assert_eq!(engine.value(sql).await, "4", "this month, two ahead, and all others");
    engine.sql("INSERT INTO agent_heartbeats (system_state_id) SELECT id FROM system_states").await;
    engine.sql("DELETE FROM system_states WHERE \"timestamp\" < '2021-01-01'").await;
    assert_eq!(engine.value("SELECT count(*) FROM agent_heartbeats").await, "1");
    // Migrating again changes nothing.
    assert!(engine.good(&["fleet", "migrate"]).stderr.contains("has schema 8 already"));
    engine.sql("TRUNCATE system_states").await;
    assert_eq!(engine.value("SELECT count(*) FROM first_reports").await, "0");
}

/// What an earlier build has made of a server: version 7, with a view of its own.
const VERSION_7: [&str; 7] = [
    "CREATE TABLE nix_deploy_schema (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz); \
     INSERT INTO nix_deploy_schema (version, name) SELECT v, 'x' FROM generate_series(1, 7) v",
    include_str!("../../src/fleet/migrations/postgres/0001_shared.sql"),
    include_str!("../../src/fleet/migrations/postgres/0002_own.sql"),
    include_str!("../../src/fleet/migrations/postgres/0003_reporters.sql"),
    include_str!("../../src/fleet/migrations/postgres/0004_clock.sql"),
    include_str!("../../src/fleet/migrations/postgres/0006_updates.sql"),
    include_str!("../../src/fleet/migrations/both/0007_waiting.sql"),
];

#[tokio::test]
async fn a_server_of_an_earlier_build_becomes_what_a_new_one_is_and_keeps_its_rows() {
    let engine = Engine::empty(Kind::Postgres).await;
    for script in VERSION_7 {
        engine.sql(script).await;
    }
    engine
        .sql(
            "CREATE VIEW fleet_hosts AS SELECT hostname FROM systems; \
             CREATE VIEW view_commit_build_status AS SELECT hostname FROM fleet_hosts; \
             CREATE TABLE system_states_2025_01 PARTITION OF system_states FOR VALUES FROM ('2025-01-01') TO ('2025-02-01'); \
             INSERT INTO system_states (hostname, store_path, change_reason, network_interfaces, partial_data, \"timestamp\") VALUES \
             ('h', '/a', 'startup', 'no json', 'true', '2025-01-01T00:00:00Z'), \
             ('h', '/a', 'startup', NULL, NULL, '2025-01-03T00:00:00Z'); \
             INSERT INTO deployment_events (hostname) VALUES ('x')",
        )
        .await;
    engine.good(&["fleet", "migrate"]);
    let new = Engine::new(Kind::Postgres).await;
    let columns = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
                   FROM information_schema.columns WHERE table_schema = 'public' \
                   AND table_name <> 'system_states_2025_01' ORDER BY 1";
    assert_eq!(engine.rows(columns).await, new.rows(columns).await);
    let views = "SELECT viewname || definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1";
    assert_eq!(engine.rows(views).await, new.rows(views).await);
    let sql =
        "SELECT network_interfaces::text || ' ' || partial_data::text FROM system_states WHERE partial_data";
    assert_eq!(engine.value(sql).await, "\"no json\" true");
    assert_eq!(engine.value("SELECT (last_at - first_at)::text FROM first_reports").await, "2 days");
    assert_eq!(
        engine.value("SELECT string_agg(hostname, ' ' ORDER BY hostname) FROM reporting_hosts").await,
        "h x"
    );
    engine.sql("DELETE FROM system_states_2025_01").await;
    assert_eq!(engine.value("SELECT count(*) FROM first_reports").await, "0");
}
