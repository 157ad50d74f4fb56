//! A database of Crystal Forge: its tables stay what they are, and the commands
//! answer from them.

use crate::cluster::Cluster;
use crate::engine::{Engine, Kind};

/// Its tables as far as they are shared, spelled as it spells them.
pub(crate) const CRYSTAL_FORGE: &str = "
CREATE TABLE flakes (id serial PRIMARY KEY, name text NOT NULL, repo_url text NOT NULL UNIQUE);
CREATE TABLE commits (id serial PRIMARY KEY, flake_id integer NOT NULL REFERENCES flakes (id) ON DELETE CASCADE,
    git_commit_hash text NOT NULL, commit_timestamp timestamptz NOT NULL, attempt_count integer NOT NULL DEFAULT 0,
    evaluation_status text, evaluation_started_at timestamptz, evaluation_completed_at timestamptz,
    evaluation_attempt_count integer DEFAULT 0, evaluation_error_message text, UNIQUE (flake_id, git_commit_hash));
CREATE TABLE derivation_statuses (id integer PRIMARY KEY, name varchar(50) NOT NULL UNIQUE, description text,
    is_terminal boolean NOT NULL, is_success boolean NOT NULL, display_order integer NOT NULL UNIQUE);
INSERT INTO derivation_statuses VALUES (5, 'dry-run-complete', 'x', false, true, 50), (11, 'complete', 'x', true, true, 90);
CREATE TABLE derivations (id serial PRIMARY KEY, commit_id integer REFERENCES commits (id) ON DELETE CASCADE,
    derivation_type text NOT NULL, derivation_name text NOT NULL, derivation_path text, scheduled_at timestamptz DEFAULT now(),
    completed_at timestamptz, started_at timestamptz, attempt_count integer NOT NULL DEFAULT 0,
    evaluation_duration_ms integer, error_message text, pname text, version text,
    status_id integer NOT NULL REFERENCES derivation_statuses (id), derivation_target text,
    build_elapsed_seconds integer, build_current_target text, build_last_activity_seconds integer,
    build_last_heartbeat timestamptz, cf_agent_enabled boolean, store_path text);
CREATE UNIQUE INDEX derivations_unique ON derivations (coalesce(commit_id, -1), derivation_name, derivation_type);
CREATE TABLE derivation_dependencies (derivation_id integer NOT NULL REFERENCES derivations (id) ON DELETE CASCADE,
    depends_on_id integer NOT NULL REFERENCES derivations (id) ON DELETE CASCADE, PRIMARY KEY (derivation_id, depends_on_id));
CREATE TABLE environments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(50) UNIQUE);
CREATE TABLE systems (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), hostname text NOT NULL UNIQUE,
    environment_id uuid, is_active boolean DEFAULT true, public_key text NOT NULL, flake_id integer REFERENCES flakes (id),
    derivation text NOT NULL, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
CREATE TABLE system_states (id serial PRIMARY KEY, hostname text NOT NULL, store_path text NOT NULL,
    change_reason text NOT NULL, os text, kernel text, uptime_secs bigint, primary_ip_address text, nixos_version text,
    agent_version text, \"timestamp\" timestamptz NOT NULL DEFAULT now());
CREATE TABLE agent_heartbeats (id serial PRIMARY KEY, system_state_id integer NOT NULL REFERENCES system_states (id),
    \"timestamp\" timestamptz NOT NULL DEFAULT now(), agent_version text, agent_build_hash text);
CREATE TABLE build_reservations (id serial PRIMARY KEY, worker_id text NOT NULL, derivation_id integer NOT NULL UNIQUE,
    nixos_derivation_id integer, reserved_at timestamptz, heartbeat_at timestamptz);
CREATE VIEW view_system_deployment_status AS SELECT hostname, 'theirs'::text AS deployment_status FROM systems;
INSERT INTO flakes (name, repo_url) VALUES ('infra', 'https://git.example/infra');
INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) VALUES (1, 'c1', now() - interval '1 hour');
INSERT INTO derivations (commit_id, derivation_type, derivation_name, store_path, status_id) VALUES (1, 'nixos', 'p620', '/nix/store/a', 11);
INSERT INTO systems (hostname, public_key, flake_id, derivation) VALUES ('p620', 'k', 1, 'd');
INSERT INTO system_states (hostname, store_path, change_reason) VALUES ('p620', '/nix/store/a', 'startup');
";

/// Everything about what is in the schema `public`.
const FINGERPRINT: &str = "
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT table_name || '.' || column_name || ' ' || data_type || coalesce(column_default, '') AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT viewname || definition FROM pg_views WHERE schemaname = 'public'
    UNION ALL SELECT tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'
) things";

#[tokio::test]
async fn tables_of_crystal_forge_are_left_alone_and_answer_our_questions() {
    let cluster = Cluster::shared();
    let url = cluster.url(&cluster.database().await);
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    engine.sql(CRYSTAL_FORGE).await;
    let before = engine.value(FINGERPRINT).await;
    let outcome = engine.good(&["fleet", "migrate"]);
    assert!(outcome.stderr.contains("beside the tables of Crystal Forge"), "{}", outcome.stderr);
    assert_eq!(engine.value(FINGERPRINT).await, before);

    let status = engine.json(&["fleet", "status"]);
    assert_eq!(status[0]["deployment_status"], "up_to_date");
    assert_eq!(engine.json(&["fleet", "heartbeat"])[0]["heartbeat_status"], "Healthy");
    assert_eq!(engine.json(&["fleet", "timeline"])[0]["deployed_systems"], "p620");
    engine.sql("INSERT INTO system_states (hostname, store_path, change_reason) VALUES ('new', '/nix/store/b', 'startup')").await;
    assert_eq!(engine.json(&["fleet", "status"]).len(), 2);
    assert_eq!(
        engine.value("SELECT deployment_status FROM public.view_system_deployment_status").await,
        "theirs"
    );
    assert!(engine.good(&["fleet", "migrate"]).stderr.contains("already"));
    // A host that only a deploy of ours knows, and the newest report of a system.
    engine.sql("INSERT INTO nix_deploy.deployment_events (hostname, commit_id, completed_at, status) VALUES ('x', 1, now(), 'success')").await;
    let timeline = &engine.json(&["fleet", "timeline"])[0];
    assert_eq!(timeline["currently_deployed_systems_list"], "p620, x");
    assert_eq!(engine.json(&["fleet", "status"]).len(), 2);
}

#[tokio::test]
async fn reports_of_crystal_forge_are_thinned_with_their_heartbeats() {
    let cluster = Cluster::shared();
    let url = cluster.url(&cluster.database().await);
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    engine.sql(CRYSTAL_FORGE).await;
    engine.good(&["fleet", "migrate"]);
    for hour in 1..=3 {
        engine
            .sql(&format!(
                "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") \
                 VALUES ('p620', '/nix/store/old', 'startup', '2025-01-01T0{hour}:00:00Z')"
            ))
            .await;
    }
    engine.sql("INSERT INTO agent_heartbeats (system_state_id, \"timestamp\") SELECT id, \"timestamp\" FROM system_states").await;
    let pruned = &engine.json(&["fleet", "prune", "--keep", "180d"])[0];
    assert_eq!((pruned["reports"].as_u64(), pruned["heartbeats"].as_u64()), (Some(1), Some(0)));
    assert_eq!(engine.value("SELECT count(*) FROM system_states").await, "3");
    assert_eq!(engine.value("SELECT count(*) FROM agent_heartbeats").await, "3");
}

/// What an earlier build has put into the schema `nix_deploy`: version 7, with views of its own.
const VERSION_7: [&str; 6] = [
    "CREATE TABLE nix_deploy_schema (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz);
     INSERT INTO nix_deploy_schema (version, name) SELECT v, 'x' FROM generate_series(1, 7) v",
    include_str!("../../src/fleet/migrations/postgres/0002_own.sql"),
    include_str!("../../src/fleet/migrations/postgres/0003_reporters_of_others.sql"),
    include_str!("../../src/fleet/migrations/postgres/0004_clock.sql"),
    include_str!("../../src/fleet/migrations/postgres/0006_updates.sql"),
    "CREATE VIEW fleet_hosts AS SELECT hostname FROM reporting_hosts;
     CREATE VIEW view_system_deployment_status AS SELECT h.hostname FROM fleet_hosts h JOIN first_reports USING (hostname)",
];

#[tokio::test]
async fn views_of_an_earlier_build_are_made_anew_and_those_of_crystal_forge_stay() {
    let cluster = Cluster::shared();
    let url = cluster.url(&cluster.database().await);
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    engine.sql(CRYSTAL_FORGE).await;
    engine.sql("CREATE SCHEMA nix_deploy").await;
    for script in VERSION_7 {
        engine.sql(&format!("SET search_path = nix_deploy, public; {script}")).await;
    }
    let before = engine.value(FINGERPRINT).await;
    let outcome = engine.good(&["fleet", "migrate"]);
    assert!(outcome.stderr.contains("went from schema 7 to 8"), "{}", outcome.stderr);
    assert_eq!(engine.value(FINGERPRINT).await, before);
    assert_eq!(engine.json(&["fleet", "status"])[0]["deployment_status"], "up_to_date");
    assert_eq!(engine.json(&["fleet", "timeline"])[0]["currently_deployed_systems_list"], "p620");
}
