//! What is seen of a host around a deploy: measured before and after, told,
//! recorded, and taken back where a limit says so.

use serde_json::Value;

use super::fleet::Fleet;

const NETWORK: &str = "[hosts.p620]\nnetwork = [\"ssh\", \"route\"]\n";
const STRICT: &str = "[resources]\nservice_memory = { fail = \"50%\" }\njournal_errors = { fail = 20 }\n";

#[test]
fn memory_errors_and_routes_are_seen_told_recorded_and_taken_back_by_limits() {
    let fleet = Fleet::start(&["p620"]);
    let route = || {
        let gateway = fleet.address("p620").rsplit_once('.').map(|(network, _)| format!("{network}.1"));
        fleet.on("p620", &format!("ip route replace default via {}", gateway.unwrap()));
    };
    let revision = |revision: u8| {
        fleet.host_file("p620", &format!("{{ variant = \"troubled\"; revision = {revision}; }}"));
    };
    let usual = fleet.state().join("hosts/p620.resources.json");

    // Beyond the limits that fail, and the default route is gone.
    route();
    fleet.write_settings(&format!("{NETWORK}{STRICT}"));
    let before = fleet.standing("p620");
    revision(1);
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 6, "rolled-back");
    run.assert_failure(
        "p620",
        &[
            "greedy.service uses",
            "memory (MemoryMax)",
            "40 new journal lines at error level",
            "noisy.service: pool alpha: block 1 is bad (40 times)",
            "default route: there is none",
        ],
    );
    fleet.assert_as_before("p620", &before);
    assert!(!usual.exists(), "what was taken back is not usual");

    // With the limits that are there by themselves the same are warnings.
    route();
    fleet.write_settings(NETWORK);
    revision(2);
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    for part in ["greedy.service uses", "40 new journal lines", "pool beta: block 1 is bad (40 times)"] {
        assert!(run.warnings("p620").contains(part), "{}", run.warnings("p620"));
    }
    let observed = &run.report("p620")["observed"];
    let greedy = &observed["service_memory"][0];
    let share = greedy["used"].as_f64().unwrap() / greedy["max"].as_f64().unwrap();
    assert!((0.8..1.0).contains(&share), "{greedy}");
    assert!(observed["default_route"].as_str().unwrap().contains(" on "), "{observed}");
    for metric in ["memory_available", "load", "store_free", "store_inodes_free", "units_active", "generations"]
    {
        let both = resource(observed, metric);
        assert!(both["before"].as_f64().is_some() && both["after"].as_f64().is_some(), "{metric}: {observed}");
    }
    assert_eq!(resource(observed, "generations")["after"], 2.0);
    let units = resource(observed, "units_active");
    assert_eq!(units["after"].as_f64().unwrap(), units["before"].as_f64().unwrap() + 2.0);
    let is_observed = |event: &&Value| event["type"] == "observed" && event["host"] == "p620";
    assert_eq!(&run.events.iter().find(is_observed).unwrap()["observed"], observed);

    // The next deploy logs the same: that is not new, and what was full before is not its fault.
    fleet.write_settings(&format!("{NETWORK}{STRICT}"));
    revision(3);
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed-with-warnings");
    let warnings = run.warnings("p620");
    assert!(warnings.contains("as before this deploy") && !warnings.contains("journal"), "{warnings}");
    let errors = &run.report("p620")["observed"]["errors"];
    assert_eq!((errors[0]["before"].as_bool(), errors[0]["count"].as_u64()), (Some(true), Some(40)));
    assert!(run.summary("p620", "logs").contains("no new errors"), "{}", run.summary("p620", "logs"));
    let remembered: Value = serde_json::from_str(&std::fs::read_to_string(&usual).unwrap()).unwrap();
    assert_eq!(remembered["runs"].as_array().unwrap().len(), 2);

    // The record has both sides.
    let run_id = remembered["runs"][1]["run"].as_str().unwrap();
    let output = fleet.nix_deploy(&["fleet", "show", run_id, "--json"]).output().unwrap();
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = record["hosts"][0]["resources"].as_array().unwrap();
    let memory = rows.iter().find(|row| row["name"] == "memory_available").unwrap();
    assert!(memory["value_before"].as_f64().is_some() && memory["value_after"].as_f64().is_some(), "{memory}");
    let shown = fleet.nix_deploy(&["fleet", "show", run_id]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Resources     memory "), "{shown:?}");
}

fn resource<'a>(observed: &'a Value, metric: &str) -> &'a Value {
    let resources = observed["resources"].as_array().unwrap();
    resources.iter().find(|resource| resource["metric"] == metric).unwrap_or_else(|| panic!("no {metric}"))
}
