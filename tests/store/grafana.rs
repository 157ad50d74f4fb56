//! The dashboard: every query of it is asked of a real PostgreSQL with data in
//! it, with the macros and variables substituted as Grafana does.

use serde_json::Value;
use sqlx::{Column, Connection, Executor, Row, TypeInfo};

use crate::beside::CRYSTAL_FORGE;
use crate::cluster::Cluster;
use crate::engine::{Engine, Kind};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";

/// A query of the dashboard.
struct Query {
    title: String,
    format: String,
    sql: String,
}

fn queries(dashboard: &Value) -> Vec<Query> {
    let mut found = Vec::new();
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] == "query" {
            let sql = variable["query"].as_str().unwrap().to_owned();
            found.push(Query { title: variable["name"].to_string(), format: "variable".to_owned(), sql });
        }
    }
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let text = |key: &str| target[key].as_str().unwrap().to_owned();
            found.push(Query {
                title: panel["title"].to_string(),
                format: text("format"),
                sql: text("rawSql"),
            });
        }
    }
    // Nothing that looks like a query was passed by.
    assert_eq!(found.len() - 1, dashboard.to_string().matches("\"rawSql\"").count());
    found
}

/// What Grafana's PostgreSQL data source makes of a query: `$__timeFilter(c)` is a range,
/// `$__timeGroupAlias(c,'1d')` a time in steps, `${v:sqlstring}` the quoted values.
fn substituted(sql: &str, flakes: &[&str]) -> String {
    let quoted: Vec<String> = flakes.iter().map(|flake| format!("'{}'", flake.replace('\'', "''"))).collect();
    let mut text = sql.replace("${flake:sqlstring}", &quoted.join(","));
    let now = jiff::Timestamp::now();
    let from = now.checked_sub(std::time::Duration::from_secs(30 * 86_400)).unwrap();
    let until = now.checked_add(std::time::Duration::from_secs(60)).unwrap();
    while let Some(begin) = text.find("$__") {
        let open = begin + text[begin..].find('(').unwrap();
        let close = open + text[open..].find(')').unwrap();
        let arguments: Vec<&str> = text[open + 1..close].split(',').map(str::trim).collect();
        let made = match &text[begin + 3..open] {
            "timeFilter" => {
                let whole_seconds = "%Y-%m-%dT%H:%M:%SZ";
                let (from, until) = (from.strftime(whole_seconds), until.strftime(whole_seconds));
                format!("{} BETWEEN '{from}' AND '{until}'", arguments[0])
            }
            "timeGroupAlias" => {
                assert_eq!(arguments[1], "'1d'");
                format!("floor(extract(epoch from {})/86400)*86400 AS \"time\"", arguments[0])
            }
            other => panic!("the macro {other} is not known to this test: {sql}"),
        };
        text.replace_range(begin..=close, &made);
    }
    assert!(!text.contains('$'), "{text}");
    text
}

fn dashboard(engine: &Engine) -> Value {
    let file = engine.folder.path().join("fleet.json");
    engine.good(&["fleet", "grafana", file.to_str().unwrap()]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(engine.good(&["fleet", "grafana"]).stdout, text);
    // Nothing is overwritten.
    assert_eq!(engine.run(&["fleet", "grafana", file.to_str().unwrap()]).code, 2);
    serde_json::from_str(&text).unwrap()
}

/// A fleet in which every panel has something to show.
async fn fill(engine: &Engine) {
    engine.good(&["fleet", "register", "p620", "p510", "razer"]);
    for (index, outcome) in ["deployed", "rolled-back", "deployed"].iter().enumerate() {
        let run = format!("20251121-1{index}0000-aaaaaa");
        let minutes = 60 * 24 * (9 - 3 * index as u64);
        let journal = Journal::new(engine, &run, minutes).of(&format!("c{index}"), OLD, NEW);
        let code = if *outcome == "deployed" { 0 } else { 6 };
        journal
            .begin()
            .evaluated("p620")
            .built("p620")
            .observed("p620")
            .ended("p620", outcome)
            .finish(code)
            .write();
    }
    engine.good(&["fleet", "flush"]);
    let sql = format!(
        "INSERT INTO commits (flake_id, git_commit_hash, commit_timestamp) SELECT id, 'c9', AGO(30) FROM flakes;
         INSERT INTO derivations (commit_id, derivation_type, derivation_name, derivation_path, status_id)
             SELECT id, 'nixos', 'p620', '{NEW}.drv', 5 FROM commits WHERE git_commit_hash = 'c9';
         INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\")
             VALUES ('razer', '/nix/store/x', 'state_delta', AGO(600));"
    );
    engine.sql(&sql).await;
}

#[tokio::test]
async fn every_query_of_the_dashboard_has_an_answer_that_its_panel_can_show() {
    let engine = Engine::new(Kind::Postgres).await;
    fill(&engine).await;
    let mut connection = engine.postgres().await;
    // As the README says to make it: a role that can only read.
    let reader = format!("reader_{}", uuid::Uuid::new_v4().simple());
    let role = format!("CREATE ROLE {reader} LOGIN; GRANT pg_read_all_data TO {reader}; SET ROLE {reader}");
    connection.execute(sqlx::raw_sql(&role)).await.unwrap();
    for Query { title, format, sql } in queries(&dashboard(&engine)) {
        let sql = substituted(&sql, &["infra", "o'brien"]);
        let rows = connection.fetch_all(sqlx::raw_sql(&sql)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{title}: {error}: {sql}"));
        assert!(!rows.is_empty(), "{title} shows nothing: {sql}");
        let columns: Vec<(&str, &str)> =
            rows[0].columns().iter().map(|column| (column.name(), column.type_info().name())).collect();
        match format.as_str() {
            "variable" => assert_eq!((columns.len(), columns[0].1), (1, "TEXT"), "{title}"),
            // A time first, at most one column of text, and numbers.
            "time_series" => {
                assert_eq!(columns[0].0, "time", "{title}");
                let is_number = |kind: &str| matches!(kind, "INT8" | "FLOAT8" | "NUMERIC" | "INT4");
                assert!(is_number(columns[0].1) || columns[0].1 == "TIMESTAMPTZ", "{title}: {columns:?}");
                assert!(columns[1..].iter().filter(|(_, kind)| *kind == "TEXT").count() <= 1, "{columns:?}");
                assert!(columns[1..].iter().all(|(_, kind)| is_number(kind) || *kind == "TEXT"), "{columns:?}");
            }
            "table" => assert!(columns.iter().all(|(name, _)| *name != "?column?"), "{title}: {columns:?}"),
            other => panic!("{title} has the format {other}"),
        }
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn the_dashboard_works_beside_crystal_forge_with_our_schema_first() {
    let cluster = Cluster::shared();
    let url = cluster.url(&cluster.database().await);
    let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
    engine.sql(CRYSTAL_FORGE).await;
    engine.good(&["fleet", "migrate"]);
    let mut connection = engine.postgres().await;
    connection.execute(sqlx::raw_sql("SET search_path = nix_deploy, public")).await.unwrap();
    for Query { title, sql, .. } in queries(&dashboard(&engine)) {
        let sql = substituted(&sql, &["infra"]);
        let rows = connection.fetch_all(sqlx::raw_sql(&sql)).await;
        rows.unwrap_or_else(|error| panic!("{title}: {error}: {sql}"));
    }
}
