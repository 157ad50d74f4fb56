//! One story of a fleet, told to both databases: the same questions have the
//! same answers at every point of it.

use crate::engine::{BOTH, Engine, Kind};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";
const OTHER: &str = "/nix/store/22222222222222222222222222222222-nixos-system-p620-x";

/// The status of p620: status, commit, behind, running, last event, drifted.
fn standing(engine: &Engine) -> String {
    let rows = engine.json(&["fleet", "status", "p620"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    format!(
        "{} {} {} {} {} {}",
        row["deployment_status"].as_str().unwrap(),
        row["current_commit_hash"].as_str().unwrap_or("-"),
        row["commits_behind"],
        row["deployment_running"],
        row["last_event_status"].as_str().unwrap_or("-"),
        row["drifted"],
    )
}

async fn story(kind: Kind) -> Vec<String> {
    let engine = Engine::new(kind).await;
    let mut told = Vec::new();
    engine.good(&["fleet", "register", "p620", "--environment", "prod"]);
    told.push(standing(&engine));

    // The first deploy, seen while it goes on.
    let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, OLD);
    journal.begin().evaluated("p620").write();
    engine.good(&["fleet", "flush"]);
    told.push(standing(&engine));
    journal.begin().evaluated("p620").ended("p620", "unchanged").finish(0).write();
    engine.good(&["fleet", "flush"]);
    told.push(standing(&engine));

    // A newer commit is evaluated, and its deploy is taken back.
    let journal = Journal::new(&engine, "20251121-110000-bbbbbb", 40).of("c2", OLD, NEW);
    journal.begin().evaluated("p620").built("p620").ended("p620", "rolled-back").finish(6).write();
    engine.good(&["fleet", "flush"]);
    told.push(standing(&engine));

    // Then it works.
    let journal = Journal::new(&engine, "20251121-120000-cccccc", 30).of("c2", OLD, NEW);
    journal.begin().evaluated("p620").built("p620").ended("p620", "deployed").finish(0).write();
    engine.good(&["fleet", "flush"]);
    told.push(standing(&engine));

    // Somebody goes back by hand, and then further.
    engine.sql(&format!("INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('p620', '{OLD}', 'state_delta', AGO(20))")).await;
    told.push(standing(&engine));
    engine.sql(&format!("INSERT INTO system_states (hostname, store_path, change_reason, \"timestamp\") VALUES ('p620', '{OTHER}', 'state_delta', AGO(10))")).await;
    told.push(standing(&engine));
    let drift = engine.json(&["fleet", "drift"]);
    told.push(format!("drift: {}", drift[0]["reason"].as_str().unwrap()));

    let timeline = engine.json(&["fleet", "timeline"]);
    for row in &timeline {
        told.push(format!(
            "{} evaluated {} of {} on {} now {}",
            row["short_hash"].as_str().unwrap(),
            row["successful_evaluations"],
            row["total_evaluations"],
            row["deployed_systems"].as_str().unwrap_or("-"),
            row["currently_deployed_systems_list"].as_str().unwrap_or("-"),
        ));
    }
    let history = engine.json(&["fleet", "history", "p620"]);
    for row in &history {
        told.push(format!(
            "{} {} {} by {}",
            row["run_id"].as_str().unwrap(),
            row["status"].as_str().unwrap(),
            row["commit_hash"].as_str().unwrap(),
            row["actor"].as_str().unwrap()
        ));
    }
    let stats = engine.json(&["fleet", "stats"]);
    told.push(stats[0]["total"].to_string());
    engine.good(&["fleet", "retire", "p620"]);
    told.push(format!("{} hosts after that", engine.json(&["fleet", "status"]).len()));
    told
}

#[tokio::test]
async fn the_story_of_a_host_reads_the_same_in_both_databases() {
    let expected = [
        "no_deployment - 0 false - false",
        "up_to_date c1 0 false in_progress false",
        "up_to_date c1 0 false success false",
        "behind c1 1 false rolled_back false",
        "up_to_date c2 0 false success false",
        "behind c1 1 false success true",
        "unknown - 0 false success true",
        "drift: no recorded commit gives it",
        "c2 evaluated 1 of 1 on p620 now -",
        "c1 evaluated 1 of 1 on p620 now -",
        "20251121-120000-cccccc success c2 by ada@desk",
        "20251121-110000-bbbbbb rolled_back c2 by ada@desk",
        "20251121-100000-aaaaaa success c1 by ada@desk",
        r#"{"deploys":3,"successful":2,"failed":0,"rolled_back":1,"not_well":0,"success_rate":66.7,"median_ms":4000}"#,
        "0 hosts after that",
    ];
    for kind in BOTH {
        let told = story(kind).await;
        for (line, expected) in told.iter().zip(expected) {
            let same = if line.starts_with('{') {
                serde_json::from_str::<serde_json::Value>(line).unwrap()
                    == serde_json::from_str::<serde_json::Value>(expected).unwrap()
            } else {
                line == expected
            };
            assert!(same, "{kind:?}: {line}\nexpected: {expected}\nall: {told:#?}");
        }
        assert_eq!(told.len(), expected.len());
    }
}
