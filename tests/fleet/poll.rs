//! Real hosts that are asked what they run, and the record that comes of it.

use serde_json::Value;

use super::fleet::Fleet;

/// Runs a `fleet` command that prints JSON; gives exit code and objects.
fn fleet_json(fleet: &Fleet, arguments: &[&str]) -> (i32, Vec<Value>) {
    let all = [&["fleet"], arguments, &["--json"]].concat();
    let output = fleet.nix_deploy(&all).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert!(code != 1 && code != 2, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (code, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// `host outcome` of each host that was asked.
fn outcomes(rows: &[Value]) -> Vec<String> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| format!("{} {}", word(row, "hostname"), word(row, "outcome"))).collect()
}

fn status(fleet: &Fleet, host: &str) -> (String, bool) {
    let (_, rows) = fleet_json(fleet, &["status", host]);
    (rows[0]["deployment_status"].as_str().unwrap().to_owned(), rows[0]["drifted"].as_bool().unwrap())
}

#[test]
fn hosts_that_are_asked_what_they_run_are_known_from_then_on() {
    let fleet = Fleet::start(&["p620", "p510"]);
    let (code, rows) = fleet_json(&fleet, &["poll"]);
    assert_eq!((code, outcomes(&rows)), (0, vec!["p620 changed".to_owned(), "p510 changed".to_owned()]));
    let on_host = fleet.look("p620").current_system;
    assert_eq!(rows[0]["store_path"].as_str(), Some(on_host.as_str()));
    assert_eq!(rows[0]["ip_address"].as_str(), Some(fleet.address("p620").as_str()));
    assert!(rows[0]["nixos_version"].as_str().is_some_and(|version| version.contains("24.11")), "{rows:?}");
    assert_eq!(status(&fleet, "p620"), ("unknown".to_owned(), true), "no commit is recorded that gives it");

    // The history says which commit it is; nothing on the host has changed.
    let (code, found) = fleet_json(&fleet, &["evaluate", "p620"]);
    assert_eq!((code, found[0]["store_path"].as_str()), (0, Some(on_host.as_str())));
    assert_eq!(status(&fleet, "p620"), ("up_to_date".to_owned(), false));
    let (_, rows) = fleet_json(&fleet, &["poll", "p620"]);
    assert_eq!(outcomes(&rows), ["p620 same"]);

    // A deploy, then somebody goes back by hand; the other host is gone.
    fleet.variant("p620", "unit-changed");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    assert_eq!(status(&fleet, "p620"), ("up_to_date".to_owned(), false));
    fleet.on_fleet("kill", &["p510"]);
    fleet.on("p620", &format!("{on_host}/bin/switch-to-configuration test"));
    let (code, rows) = fleet_json(&fleet, &["poll"]);
    assert_eq!((code, outcomes(&rows)), (0, vec!["p620 changed".to_owned(), "p510 unreachable".to_owned()]));
    assert_eq!(status(&fleet, "p620"), ("behind".to_owned(), true));
    assert_eq!(fleet_json(&fleet, &["drift", "p620"]).1[0]["reason"], "changed since the last deploy");

    // Another machine under the host's name says nothing of the host.
    std::fs::write(fleet.state().join("hosts/p620.machine-id"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let (code, rows) = fleet_json(&fleet, &["poll", "p620"]);
    assert_eq!((code, outcomes(&rows)), (5, vec!["p620 failed".to_owned()]));
    assert!(rows[0]["error"].as_str().unwrap().starts_with("another machine answers"), "{rows:?}");
}
