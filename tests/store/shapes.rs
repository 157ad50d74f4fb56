//! What `--json` prints is what the README says: its table of keys is compared
//! with real answers. The keys of single questions are compared beside their
//! code; here are the answers of another shape.

use serde_json::Value;

use crate::engine::{BOTH, Engine};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";
const README: &str = include_str!("../../README.md");

/// The keys that the README lists behind a name, each with its kind.
fn documented(name: &str) -> Vec<(String, String)> {
    let head = format!("| {name} | ");
    let line = README.lines().find_map(|line| line.strip_prefix(&head));
    let line = line.unwrap_or_else(|| panic!("the README has no row {head:?}"));
    let keys = line.trim_end_matches(" |").split(", ");
    keys.map(|key| {
        let (name, kind) = key.strip_prefix('`').unwrap().split_once('`').unwrap();
        let kind = kind.trim();
        (name.to_owned(), if kind.is_empty() { "text" } else { kind }.to_owned())
    })
    .collect()
}

/// Whether a value is of a kind; what is not known is `null`.
fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "text" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "time" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        "list" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the README has a kind {other:?}"),
    }
}

/// Compares objects with a row of the README: the same keys in the same order, of
/// their kinds, and every one of them known in one of the objects at least.
#[track_caller]
fn assert_shape(row: &str, objects: &[&Value]) {
    let documented = documented(row);
    for object in objects {
        let object = object.as_object().unwrap_or_else(|| panic!("{row}: {object} is no object"));
        let names: Vec<&String> = object.keys().collect();
        let expected: Vec<&String> = documented.iter().map(|(name, _)| name).collect();
        let sorted = |mut names: Vec<&String>| {
            names.sort();
            names.into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(sorted(names), sorted(expected), "{row}");
        for (name, kind) in &documented {
            assert!(object[name].is_null() || is_of(kind, &object[name]), "{row}: {name}: {}", object[name]);
        }
    }
    for (name, kind) in &documented {
        assert!(objects.iter().any(|object| is_of(kind, &object[name])), "{row}: {name} is never a {kind}");
    }
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key}: {value}")).iter().collect()
}

#[tokio::test]
async fn answers_that_are_no_rows_have_the_shape_that_the_readme_says() {
    for kind in BOTH {
        let engine = Engine::empty(kind).await;
        assert_shape("`fleet migrate`", &[&engine.json(&["fleet", "migrate"])[0]]);
        let registered = engine.json(&["fleet", "register", "p620", "p510"]);
        assert_shape("`fleet register`, `fleet retire`", &registered.iter().collect::<Vec<_>>());
        let retired = engine.json(&["fleet", "retire", "p510"]);
        assert_shape("`fleet register`, `fleet retire`", &retired.iter().collect::<Vec<_>>());

        let journal = |run: &str, minutes| Journal::new(&engine, run, minutes).of("c1", OLD, NEW).begin();
        let good = journal("20251121-100000-aaaaaa", 90).evaluated("p620").built("p620").observed("p620");
        good.ended("p620", "deployed").finish(0).write();
        let bad = journal("20251121-110000-bbbbbb", 60).evaluated("p620").built("p620");
        bad.ended("p620", "rolled-back").finish(6).write();
        assert_shape("`fleet flush`", &[&engine.json(&["fleet", "flush"])[0]]);

        // A run that is tied to an issue is the only one in which all is known.
        engine.sql("UPDATE runs SET issue = '7'").await;
        let good = engine.json(&["fleet", "show", "20251121-10"]).remove(0);
        let bad = engine.json(&["fleet", "show", "20251121-11"]).remove(0);
        let both = [&good, &bad];
        assert_shape("`fleet show RUN`", &both);
        assert_shape("`run` of `fleet show`", &both.map(|record| &record["run"]));
        let hosts: Vec<&Value> = both.iter().flat_map(|record| list(record, "hosts")).collect();
        assert_shape("`hosts` of `fleet show`", &hosts);
        for part in ["steps", "packages", "units", "resources"] {
            let rows: Vec<&Value> = hosts.iter().flat_map(|host| list(host, part)).collect();
            assert_shape(&format!("`{part}` of a host"), &rows);
        }
        let reports: Vec<&Value> = hosts.iter().map(|host| &host["report"]).collect();
        let observed: Vec<&Value> = reports.iter().map(|report| &report["observed"]).collect();
        assert_shape("`report.observed` of a host", &observed[..1]);

        let stats = engine.json(&["fleet", "stats"]).remove(0);
        assert_shape("`fleet stats`", &[&stats]);
        assert_shape("`total` of `fleet stats`", &[&stats["total"]]);
        assert_shape("`days` of `fleet stats`", &list(&stats, "days"));

        assert_shape("`fleet prune`", &[&engine.json(&["fleet", "prune", "--keep", "180d"])[0]]);
        let file = engine.folder.path().join("export.jsonl");
        engine.good(&["fleet", "export", file.to_str().unwrap()]);
        let other = Engine::new(kind).await;
        assert_shape("`fleet import`", &[&other.json(&["fleet", "import", file.to_str().unwrap()])[0]]);
    }
}
