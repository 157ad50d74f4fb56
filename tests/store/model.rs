//! The shared tables and the views as somebody else meets them: rows are
//! written by plain SQL, as the model describes the tables, and nothing is known
//! of this program.

use crate::engine::{BOTH, Engine, Kind};

/// Types of the columns of each view in order: `i` an integer, `n` a number, `b`
/// yes or no, `t` a moment with its zone, `x` text.
const VIEWS: [(&str, &str); 9] = [
    ("view_systems_status_table", "x x x x x x x x x b b"),
    ("view_commit_deployment_timeline", "i x i x x t i i x x t t i i x x"),
    ("view_system_deployment_status", "x x t x t x t i x x x b x b"),
    ("view_nixos_derivation_build_queue", "i i x x x t t t i i x x x i x i x i t b x i t i"),
    ("view_derivation_status_breakdown", "x x b b i i i n n t t i n"),
    ("view_commit_build_status", "i x x x x t i i x x x t t t i i x x x x x b b i i i i i i n i x x x"),
    ("view_commit_nixos_table", "i x x t x x x i i i i i n"),
    ("view_system_heartbeat_status", "x x t t t n x"),
    ("view_buildable_derivations", "i x x x i i t i i"),
];

/// The shared tables: columns with their types, `u` a uuid, `r` a real number,
/// `j` JSON; behind `!` those that may not be empty.
const TABLES: [(&str, &str); 11] = [
    ("flakes", "id:i! name:x! repo_url:x!"),
    (
        "commits",
        "id:i! flake_id:i! git_commit_hash:x! commit_timestamp:t! attempt_count:i! evaluation_status:x \
         evaluation_started_at:t evaluation_completed_at:t evaluation_attempt_count:i evaluation_error_message:x",
    ),
    ("derivation_statuses", "id:i! name:x! description:x is_terminal:b! is_success:b! display_order:i!"),
    (
        "derivations",
        "id:i! commit_id:i derivation_type:x! derivation_name:x! derivation_path:x scheduled_at:t completed_at:t \
         started_at:t attempt_count:i! evaluation_duration_ms:i error_message:x pname:x version:x status_id:i! \
         derivation_target:x build_elapsed_seconds:i build_current_target:x build_last_activity_seconds:i \
         build_last_heartbeat:t cf_agent_enabled:b store_path:x",
    ),
    ("derivation_dependencies", "derivation_id:i! depends_on_id:i!"),
    (
        "systems",
        "id:u! hostname:x! environment_id:u is_active:b public_key:x! flake_id:i derivation:x! created_at:t \
         updated_at:t desired_target:x deployment_policy:x",
    ),
    (
        "system_states",
        "id:i! hostname:x! store_path:x! change_reason:x! os:x kernel:x memory_gb:r uptime_secs:i cpu_brand:x \
         cpu_cores:i network_interfaces:j primary_ip_address:x nixos_version:x agent_compatible:b partial_data:b \
         timestamp:t!",
    ),
    ("agent_heartbeats", "id:i! system_state_id:i! timestamp:t! agent_version:x agent_build_hash:x"),
    ("environments", "id:u! name:x! description:x is_active:b"),
    (
        "build_reservations",
        "id:i! worker_id:x! derivation_id:i! nixos_derivation_id:i reserved_at:t heartbeat_at:t",
    ),
    (
        "deployment_events",
        "id:u! run_id:x hostname:x! commit_id:i derivation_id:i started_at:t! completed_at:t status:x! action:x \
         from_store_path:x to_store_path:x from_generation:i to_generation:i kernel_changed:b reboot_needed:b \
         error:x lock_holder:x lock_expires_at:t",
    ),
];

fn letter(data_type: &str) -> &'static str {
    match data_type {
        "integer" | "bigint" => "i",
        "numeric" => "n",
        "double precision" => "r",
        "boolean" => "b",
        "timestamp with time zone" => "t",
        "text" | "character varying" => "x",
        "uuid" => "u",
        "jsonb" => "j",
        other => panic!("a column of type {other}"),
    }
}

#[tokio::test]
async fn all_columns_of_all_views_and_shared_tables_have_the_types_of_the_model() {
    let engine = Engine::new(Kind::Postgres).await;
    let columns = async |table: &str| {
        let sql = format!(
            "SELECT column_name::text, data_type::text, is_nullable::text FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        );
        engine.rows(&sql).await
    };
    for (view, expected) in VIEWS {
        let expected: Vec<&str> = expected.split(' ').collect();
        let found = columns(view).await;
        let letters: Vec<&str> = found.iter().map(|row| letter(&row[1])).collect();
        assert_eq!(letters[..expected.len().min(letters.len())], expected, "{view}: {found:?}");
    }
    for (table, expected) in TABLES {
        let found: Vec<String> = columns(table)
            .await
            .iter()
            .map(|row| format!("{}:{}{}", row[0], letter(&row[1]), if row[2] == "NO" { "!" } else { "" }))
            .collect();
        for column in expected.split(' ') {
            assert!(found.iter().any(|found| found == column), "{table} lacks {column}: {found:?}");
        }
    }
}

#[tokio::test]
async fn columns_that_may_be_empty_take_nothing_and_the_others_what_is_usual() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        for sql in [
            "INSERT INTO flakes (id, name, repo_url) VALUES (1, 'infra', 'u')",
            "INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp, evaluation_status, \
             evaluation_attempt_count) VALUES (1, 1, 'c', AGO(1), NULL, NULL)",
            "INSERT INTO derivations (id, commit_id, derivation_type, derivation_name, status_id, scheduled_at, \
             cf_agent_enabled) VALUES (1, 1, 'nixos', 'h', 5, NULL, NULL)",
            "INSERT INTO environments (name, description, is_active) VALUES ('lab', NULL, NULL)",
            "INSERT INTO systems (hostname, environment_id, is_active, public_key, flake_id, derivation, created_at, \
             updated_at, desired_target, deployment_policy) VALUES ('h', NULL, NULL, 'k', NULL, 'd', NULL, NULL, NULL, NULL)",
            "INSERT INTO build_reservations (worker_id, derivation_id, reserved_at, heartbeat_at) VALUES ('w', 1, NULL, NULL)",
            "INSERT INTO system_states (id, hostname, store_path, change_reason, network_interfaces, partial_data, \
             agent_compatible) VALUES (1, 'h', '/a', 'startup', '[{\"name\": \"eth0\"}]', false, NULL)",
            "INSERT INTO agent_heartbeats (system_state_id) VALUES (1)",
            "INSERT INTO systems (hostname, public_key, derivation) VALUES ('usual', 'k', 'd')",
        ] {
            engine.sql(sql).await;
        }
        let sql = "SELECT deployment_policy FROM systems WHERE hostname = 'usual' AND is_active AND created_at IS NOT NULL";
        assert_eq!(engine.value(sql).await, "manual", "{kind:?}");
        for view in VIEWS.map(|(view, _)| view) {
            engine.rows(&format!("SELECT count(*) FROM {view}")).await;
        }
        // What is in no column of ours survives the way to a file and into the other database.
        let file = engine.folder.path().join("export.jsonl");
        engine.sql("UPDATE derivations SET commit_id = 1").await;
        engine.good(&["fleet", "export", file.to_str().unwrap()]);
        for other in BOTH {
            let copy = Engine::new(other).await;
            copy.good(&["fleet", "import", file.to_str().unwrap()]);
            let sql =
                "SELECT CAST(network_interfaces AS text), CAST(partial_data AS integer) FROM system_states";
            assert_eq!(copy.rows(sql).await, [["[{\"name\": \"eth0\"}]", "0"]], "{kind:?} to {other:?}");
        }
    }
}

/// A flake with commits of these ages in minutes, each with the host `h`'s output `/cN`.
async fn fleet(engine: &Engine, ages: &[u32]) {
    engine.sql("INSERT INTO flakes (id, name, repo_url) VALUES (1, 'infra', 'u')").await;
    for (index, age) in ages.iter().enumerate() {
        let id = index + 1;
        engine
            .sql(&format!(
                "INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp) VALUES ({id}, 1, 'c{id}', AGO({age})); \
                 INSERT INTO derivations (commit_id, derivation_type, derivation_name, store_path, derivation_path, status_id) \
                 VALUES ({id}, 'nixos', 'h', '/c{id}', '/c{id}', 11)"
            ))
            .await;
    }
}

async fn report(engine: &Engine, host: &str, path: &str, age: i32) {
    engine
        .sql(&format!(
            "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") \
             VALUES ('{host}', '{path}', 'state_delta', AGO({age}))"
        ))
        .await;
}

async fn event(engine: &Engine, host: &str, commit: u32, age: u32) {
    engine
        .sql(&format!(
            "INSERT INTO deployment_events (hostname, commit_id, started_at, completed_at, status) \
             VALUES ('{host}', {commit}, AGO({age}), AGO({age}), 'success')"
        ))
        .await;
}

/// `hash deployed current` of every commit, newest first.
async fn timeline(engine: &Engine) -> String {
    let sql = "SELECT git_commit_hash, deployed_systems, currently_deployed_systems_list \
               FROM view_commit_deployment_timeline";
    let rows = engine.rows(sql).await;
    rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join(", ")
}

/// Whether a commit was deployed first and last that many minutes ago.
async fn deployed(engine: &Engine, commit: &str, first: u32, last: u32) -> bool {
    let near = |column: &str, age: u32| {
        format!("{column} BETWEEN AGO({}) AND AGO({})", age + 2, age.saturating_sub(2))
    };
    let sql = format!(
        "SELECT count(*) FROM view_commit_deployment_timeline WHERE git_commit_hash = '{commit}' AND {} AND {}",
        near("first_deployment", first),
        near("last_deployment", last)
    );
    engine.value(&sql).await == "1"
}

/// `path hash status drifted` of the host `h`.
async fn standing(engine: &Engine) -> String {
    let sql = "SELECT current_store_path, current_commit_hash, deployment_status, CASE WHEN drifted THEN 'drifted' \
               ELSE 'ours' END FROM view_system_deployment_status WHERE hostname = 'h'";
    engine.rows(sql).await.first().map_or_else(|| "nothing".to_owned(), |row| row.join(" "))
}

#[tokio::test]
async fn the_last_deployment_of_a_commit_is_its_newest_fact() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[600]).await;
        for age in [120, 180, 60] {
            report(&engine, "h", "/c1", age).await;
        }
        assert!(deployed(&engine, "c1", 180, 60).await, "{kind:?}");
        event(&engine, "h", 1, 30).await;
        assert!(deployed(&engine, "c1", 180, 30).await, "{kind:?}");
        engine.sql("DELETE FROM deployment_events").await;
        // The first and the last report go, one is moved.
        engine.sql("DELETE FROM system_states WHERE \"timestamp\" < AGO(150)").await;
        assert!(deployed(&engine, "c1", 120, 60).await, "{kind:?}");
        engine.sql("DELETE FROM system_states WHERE \"timestamp\" > AGO(90)").await;
        assert!(deployed(&engine, "c1", 120, 120).await, "{kind:?}");
        engine.sql("UPDATE system_states SET \"timestamp\" = AGO(40)").await;
        assert!(deployed(&engine, "c1", 40, 40).await, "{kind:?}");
        engine.sql("UPDATE system_states SET store_path = '/elsewhere'").await;
        assert_eq!(timeline(&engine).await, "c1 - -", "{kind:?}");
    }
}

#[tokio::test]
async fn the_timeline_knows_hosts_that_are_retired_or_only_known_by_an_event() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[600, 500]).await;
        engine
            .sql(
                "INSERT INTO systems (hostname, is_active, public_key, derivation) VALUES ('h', false, '', '')",
            )
            .await;
        report(&engine, "h", "/c1", 60).await;
        event(&engine, "x", 1, 50).await;
        assert_eq!(timeline(&engine).await, "c2 - -, c1 h, x h, x", "{kind:?}");
        assert_eq!(engine.value("SELECT count(*) FROM view_system_deployment_status").await, "0", "{kind:?}");
        event(&engine, "x", 2, 40).await;
        assert_eq!(timeline(&engine).await, "c2 x x, c1 h, x h", "{kind:?}");
        // An event is renamed; reports come and go.
        engine.sql("UPDATE deployment_events SET hostname = 'y' WHERE commit_id = 2").await;
        assert_eq!(timeline(&engine).await, "c2 y y, c1 h, x h, x", "{kind:?}");
        report(&engine, "y", "/c1", 10).await;
        assert_eq!(timeline(&engine).await, "c2 y -, c1 h, x, y h, x, y", "{kind:?}");
        engine.sql("DELETE FROM system_states").await;
        assert_eq!(timeline(&engine).await, "c2 y y, c1 x x", "{kind:?}");
        for (view, rows) in [("view_system_deployment_status", "0"), ("view_system_heartbeat_status", "0")] {
            assert_eq!(engine.value(&format!("SELECT count(*) FROM {view}")).await, rows, "{kind:?} {view}");
        }
    }
}

#[tokio::test]
async fn an_event_without_a_path_is_judged_by_its_commit() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[600, 500]).await;
        report(&engine, "h", "/c1", 60).await;
        event(&engine, "h", 2, 30).await;
        // What the event brought is known by the commit's output, not by the report before it.
        assert_eq!(standing(&engine).await, "/c2 c2 up_to_date ours", "{kind:?}");
        report(&engine, "h", "/c2", 20).await;
        assert_eq!(standing(&engine).await, "/c2 c2 up_to_date ours", "{kind:?}");
        report(&engine, "h", "/c1", 10).await;
        assert_eq!(standing(&engine).await, "/c1 c1 behind drifted", "{kind:?}");
        // A commit whose output nobody knows.
        engine.sql("UPDATE derivations SET store_path = NULL WHERE commit_id = 2").await;
        assert_eq!(standing(&engine).await, "/c1 c1 behind drifted", "{kind:?}");
        event(&engine, "h", 2, 5).await;
        assert_eq!(standing(&engine).await, "- c2 up_to_date ours", "{kind:?}");
        assert_eq!(timeline(&engine).await, "c2 h h, c1 h -", "{kind:?}");
        // A name that is evaluated nowhere.
        event(&engine, "new", 1, 5).await;
        assert_eq!(timeline(&engine).await, "c2 h h, c1 h, new new", "{kind:?}");
    }
}

#[tokio::test]
async fn a_commit_that_was_forgotten_and_recorded_again_is_found_by_its_output() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[600]).await;
        report(&engine, "h", "/c1", 60).await;
        engine
            .sql(
                "INSERT INTO deployment_events (hostname, commit_id, started_at, completed_at, status, to_store_path) \
                 VALUES ('h', 1, AGO(30), AGO(30), 'success', '/c1')",
            )
            .await;
        assert_eq!(standing(&engine).await, "/c1 c1 up_to_date ours", "{kind:?}");
        engine.sql("DELETE FROM commits").await;
        assert_eq!(standing(&engine).await, "/c1 - unknown drifted", "{kind:?}");
        engine
            .sql(
                "INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp) VALUES (77, 1, 'c1', AGO(600)); \
                 INSERT INTO derivations (commit_id, derivation_type, derivation_name, store_path, status_id) \
                 VALUES (77, 'nixos', 'h', '/c1', 11)",
            )
            .await;
        assert_eq!(standing(&engine).await, "/c1 c1 up_to_date ours", "{kind:?}");
        assert_eq!(timeline(&engine).await, "c1 h h", "{kind:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_makes_nobody_younger_than_now() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        engine.sql("INSERT INTO systems (hostname, public_key, derivation) VALUES ('h', '', '')").await;
        let time = "2099-01-01T00:00:00.000000Z";
        engine
            .sql(&format!(
                "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('h', '/a', 'startup', '{time}')"
            ))
            .await;
        assert_eq!(engine.value("SELECT last_seen FROM view_systems_status_table").await, "0m ago", "{kind:?}");
        let sql = "SELECT heartbeat_status, CAST(minutes_since_last_activity AS double precision) FROM view_system_heartbeat_status";
        assert_eq!(engine.rows(sql).await, [["Healthy", "0"]], "{kind:?}");
    }
}

#[tokio::test]
async fn hosts_that_evaluate_and_were_never_seen_are_missing() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        fleet(&engine, &[600, 500]).await;
        engine
            .sql(
                "INSERT INTO derivations (commit_id, derivation_type, derivation_name, status_id) VALUES \
                 (2, 'nixos', 'seen', 5), (2, 'nixos', 'deployed', 11), (1, 'nixos', 'broken', 6), (1, 'package', 'p', 5)",
            )
            .await;
        engine.sql("INSERT INTO systems (hostname, public_key, derivation) VALUES ('h', '', '')").await;
        report(&engine, "seen", "/x", 10).await;
        event(&engine, "deployed", 2, 10).await;
        let missing = engine.json(&["fleet", "missing"]);
        assert_eq!(missing.len(), 1, "{kind:?} {missing:?}");
        let row = &missing[0];
        assert_eq!(
            (row["hostname"].as_str(), row["git_commit_hash"].as_str()),
            (Some("h"), Some("c2")),
            "{kind:?}"
        );
        assert_eq!(
            (row["derivation_status"].as_str(), row["is_registered"].as_bool()),
            (Some("complete"), Some(true))
        );
    }
}
