//! What is kept of reports and heartbeats follows every way in which they
//! change: whoever changes them, whatever the name of the table is.

use sqlx::Executor;

use crate::engine::{BOTH, Engine, Kind};

async fn report(engine: &Engine, host: &str, path: &str, age: u32) {
    engine
        .sql(&format!(
            "INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") \
             VALUES ('{host}', '{path}', 'state_delta', AGO({age}))"
        ))
        .await;
}

async fn heartbeat(engine: &Engine, host: &str, age: u32) {
    engine
        .sql(&format!(
            "INSERT INTO agent_heartbeats (system_state_id, \"timestamp\") \
             SELECT id, AGO({age}) FROM system_states WHERE hostname = '{host}'"
        ))
        .await;
}

/// What is kept: `host path heartbeat`, and `host:path` of all systems seen.
async fn kept(engine: &Engine) -> String {
    let sql = "SELECT hostname, report_path, CASE WHEN last_heartbeat IS NULL THEN 'silent' ELSE 'beating' END \
               FROM reporting_hosts WHERE report_id IS NOT NULL ORDER BY hostname";
    let hosts = engine.rows(sql).await.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join(", ");
    let sql = "SELECT hostname || ':' || store_path FROM first_reports ORDER BY 1";
    let seen = engine.rows(sql).await.into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("{hosts} | {seen}")
}

/// What is kept is what counting everything gives.
async fn assert_counted(engine: &Engine) {
    let facts = "SELECT hostname, report_path, CAST(report_at AS text), CAST(last_heartbeat AS text) FROM reporting_hosts \
                 WHERE report_id IS NOT NULL ORDER BY hostname";
    let counted = "SELECT s.hostname, s.store_path, CAST(s.\"timestamp\" AS text), \
                   (SELECT CAST(max(h.\"timestamp\") AS text) FROM agent_heartbeats h JOIN system_states o \
                    ON o.id = h.system_state_id WHERE o.hostname = s.hostname) \
                   FROM system_states s WHERE NOT EXISTS (SELECT 1 FROM system_states n WHERE n.hostname = s.hostname \
                   AND (n.\"timestamp\", n.id) > (s.\"timestamp\", s.id)) ORDER BY s.hostname";
    assert_eq!(engine.rows(facts).await, engine.rows(counted).await, "{:?}", engine.kind);
    let facts = "SELECT hostname, store_path, CAST(first_at AS text), CAST(last_at AS text) FROM first_reports ORDER BY 1, 2";
    let counted = "SELECT hostname, store_path, CAST(min(\"timestamp\") AS text), CAST(max(\"timestamp\") AS text) \
                   FROM system_states GROUP BY 1, 2 ORDER BY 1, 2";
    assert_eq!(engine.rows(facts).await, engine.rows(counted).await, "{:?}", engine.kind);
}

#[tokio::test]
async fn reports_and_heartbeats_may_be_changed_and_deleted() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        for (host, path, age) in [("a", "/1", 50), ("a", "/2", 40), ("a", "/1", 30), ("b", "/1", 20)] {
            report(&engine, host, path, age).await;
        }
        heartbeat(&engine, "a", 10).await;
        assert_eq!(kept(&engine).await, "a /1 beating, b /1 silent | a:/1 a:/2 b:/1", "{kind:?}");
        for (sql, expected) in [
            (
                "UPDATE system_states SET store_path = '/3' WHERE store_path = '/2'",
                "a /1 beating, b /1 silent | a:/1 a:/3 b:/1",
            ),
            (
                "UPDATE system_states SET \"timestamp\" = AGO(5) WHERE store_path = '/3'",
                "a /3 beating, b /1 silent | a:/1 a:/3 b:/1",
            ),
            // Its heartbeats go along, and those of the others stay.
            (
                "UPDATE system_states SET hostname = 'c' WHERE store_path = '/3'",
                "a /1 beating, b /1 silent, c /3 beating | a:/1 b:/1 c:/3",
            ),
            (
                "UPDATE agent_heartbeats SET \"timestamp\" = AGO(2)",
                "a /1 beating, b /1 silent, c /3 beating | a:/1 b:/1 c:/3",
            ),
            (
                "UPDATE system_states SET hostname = 'b' WHERE hostname = 'a'",
                "b /1 beating, c /3 beating | b:/1 c:/3",
            ),
            (
                "DELETE FROM agent_heartbeats WHERE system_state_id IN (SELECT id FROM system_states WHERE hostname = 'c')",
                "b /1 beating, c /3 silent | b:/1 c:/3",
            ),
            ("DELETE FROM system_states WHERE hostname = 'c'", "b /1 beating | b:/1"),
            ("UPDATE system_states SET kernel = '6.6'", "b /1 beating | b:/1"),
        ] {
            engine.sql(sql).await;
            assert_eq!(kept(&engine).await, expected, "{kind:?} after {sql}");
            assert_counted(&engine).await;
        }
        engine.sql("DELETE FROM system_states").await;
        assert_eq!(kept(&engine).await, " | ", "{kind:?}");
        assert_eq!(engine.value("SELECT count(*) FROM agent_heartbeats").await, "0", "{kind:?}");
    }
}

#[tokio::test]
async fn tables_may_be_emptied_whole() {
    let engine = Engine::new(Kind::Postgres).await;
    report(&engine, "a", "/1", 50).await;
    heartbeat(&engine, "a", 10).await;
    engine.sql("INSERT INTO deployment_events (hostname) VALUES ('x')").await;
    engine.sql("TRUNCATE agent_heartbeats").await;
    assert_eq!(kept(&engine).await, "a /1 silent | a:/1");
    heartbeat(&engine, "a", 10).await;
    engine.sql("UPDATE agent_heartbeats SET agent_version = 'of the orphan'").await;
    engine.sql("TRUNCATE system_states RESTART IDENTITY").await;
    assert_eq!(kept(&engine).await, " | ");
    assert_eq!(engine.value("SELECT count(*) FROM agent_heartbeats").await, "0");
    assert_eq!(engine.value("SELECT hostname FROM reporting_hosts").await, "x", "a deploy knows it still");
    report(&engine, "b", "/2", 5).await;
    engine.sql("INSERT INTO systems (hostname, public_key, derivation) VALUES ('b', '', '')").await;
    assert_eq!(engine.value("SELECT version FROM view_systems_status_table").await, "-");
    assert_counted(&engine).await;
}

#[tokio::test]
async fn a_month_may_be_changed_by_its_own_name_and_taken_away() {
    let engine = Engine::new(Kind::Postgres).await;
    let month = engine.value("SELECT 'system_states_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')").await;
    report(&engine, "a", "/1", 0).await;
    engine
        .sql(&format!(
            "INSERT INTO {month} (id, hostname, store_path, change_reason) VALUES (91, 'a', '/2', 'startup'), (92, 'b', '/2', 'startup')"
        ))
        .await;
    engine.sql("INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('a', '/0', 'startup', '2020-01-01')").await;
    assert_eq!(kept(&engine).await, "a /2 silent, b /2 silent | a:/0 a:/1 a:/2 b:/2");
    engine.sql(&format!("UPDATE {month} SET hostname = 'c' WHERE hostname = 'b'")).await;
    engine.sql(&format!("DELETE FROM {month} WHERE store_path = '/2' AND hostname = 'a'")).await;
    assert_eq!(kept(&engine).await, "a /1 silent, c /2 silent | a:/0 a:/1 c:/2");
    assert_counted(&engine).await;
    // What is taken away is counted when somebody asks for it; its rows are no reports any more.
    engine.sql(&format!("ALTER TABLE system_states DETACH PARTITION {month}; SELECT fleet_recount()")).await;
    assert_eq!(kept(&engine).await, "a /0 silent | a:/0");
    engine
        .sql(&format!(
            "INSERT INTO {month} (id, hostname, store_path, change_reason) VALUES (93, 'd', '/4', 'startup')"
        ))
        .await;
    engine
        .sql(&format!("DELETE FROM {month} WHERE hostname = 'c'; TRUNCATE {month}; DROP TABLE {month}"))
        .await;
    assert_eq!(kept(&engine).await, "a /0 silent | a:/0");
    engine.sql("TRUNCATE system_states_other").await;
    assert_eq!(kept(&engine).await, " | ");
    // Months that are made later are watched, too.
    engine.good(&["fleet", "migrate"]);
    engine
        .sql(&format!(
            "INSERT INTO {month} (id, hostname, store_path, change_reason) VALUES (94, 'e', '/5', 'startup')"
        ))
        .await;
    assert_eq!(kept(&engine).await, "e /5 silent | e:/5");
}

#[tokio::test]
async fn who_writes_needs_neither_our_search_path_nor_rights_on_our_tables() {
    let engine = Engine::new(Kind::Postgres).await;
    let role = format!("r{}", uuid::Uuid::new_v4().simple());
    engine
        .sql(&format!(
            "CREATE ROLE {role}; GRANT INSERT, UPDATE, DELETE, SELECT ON system_states, agent_heartbeats TO {role}; \
             GRANT INSERT ON deployment_events TO {role}"
        ))
        .await;
    let mut connection = engine.postgres().await;
    let sql = format!(
        "SET search_path = ''; SET ROLE {role}; \
         INSERT INTO public.system_states (hostname, store_path, change_reason) VALUES ('h', '/x', 'startup'), ('i', '/y', 'startup'); \
         INSERT INTO public.agent_heartbeats (system_state_id) SELECT id FROM public.system_states; \
         UPDATE public.system_states SET store_path = '/z' WHERE hostname = 'h'; \
         UPDATE public.agent_heartbeats SET agent_version = '1'; \
         DELETE FROM public.system_states WHERE hostname = 'i'; \
         INSERT INTO public.deployment_events (hostname) VALUES ('x')"
    );
    connection.execute(sqlx::raw_sql(&sql)).await.unwrap();
    assert_eq!(kept(&engine).await, "h /z beating | h:/z");
    assert_counted(&engine).await;
    let refused = connection.execute(sqlx::raw_sql("DELETE FROM public.reporting_hosts")).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    // Nor may anybody have our functions run for tables of his own.
    let own = "CREATE TEMP TABLE own (hostname text); \
               CREATE TRIGGER own AFTER TRUNCATE ON own FOR EACH STATEMENT \
               EXECUTE FUNCTION public.fleet_heartbeats_emptied()";
    let refused = connection.execute(sqlx::raw_sql(own)).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied for function"), "{refused}");
    connection.execute(sqlx::raw_sql("RESET ROLE; TRUNCATE public.system_states")).await.unwrap();
    engine.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert_eq!(kept(&engine).await, " | ");
}
