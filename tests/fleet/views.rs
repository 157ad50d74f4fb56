//! Looking at hosts, and telling others of a deploy: the record, the differences,
//! how hosts stand, report files, a pull request.

use std::fs;

use serde_json::Value;

use super::fleet::{Fleet, Run, command, finish};
use super::github::LocalGitHub;

impl Fleet {
    fn ask(&self, arguments: &[&str]) -> (Run, Vec<Value>) {
        let run = finish(self.nix_deploy(arguments));
        let lines = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (run, lines)
    }

    /// What git says in a folder.
    fn git_says(&self, folder: &std::path::Path, arguments: &[&str]) -> String {
        let output = command("git").arg("-C").arg(folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_committed_deployed_reported_published_and_looked_at() {
    let github = LocalGitHub::start(Vec::new()).await;
    tokio::task::block_in_place(|| story(&github));
}

fn story(github: &LocalGitHub) {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(&format!(
        "[pull_request]\nrepository = \"ada/infra\"\napi_url = \"{}\"\n",
        github.url()
    ));
    let flake = fleet.flake();
    let bare = flake.with_file_name("infra.git");
    fleet.git_says(&flake, &["init", "-q", "--bare", bare.to_str().unwrap()]);
    fleet.git_says(&flake, &["remote", "add", "origin", bare.to_str().unwrap()]);
    fleet.git_says(&flake, &["switch", "-q", "-c", "packages"]);
    fs::write(flake.join("hosts/p620.nix"), "{ variant = \"package-update\"; revision = 1; }").unwrap();

    // Commit, deploy, report, pull request: one command.
    let reports = ["report.md", "report.html", "report.json"].map(|name| flake.with_file_name(name));
    let mut arguments =
        vec!["p620", "--output", "json", "--yes", "--issue", "7", "--commit=hosts/p620.nix", "--pr"];
    for report in &reports {
        arguments.extend(["--report", report.to_str().unwrap()]);
    }
    let mut deploy = fleet.nix_deploy(&arguments);
    deploy.env("GITHUB_TOKEN", "t0ken");
    let run = finish(deploy);
    run.expect("p620", 0, "deployed");
    let commit = fleet.git_says(&flake, &["rev-parse", "HEAD"]);
    assert_eq!(fleet.git_says(&flake, &["log", "-1", "--format=%s"]), "feat(p620): change hosts/p620.nix (#7)");
    assert_eq!(fleet.git_says(&bare, &["rev-parse", "refs/heads/packages"]), commit);
    assert!(
        run.stderr.contains("pull request #1 is open: https://github.invalid/ada/infra/pull/1"),
        "{}",
        run.stderr
    );
    let pulls = github.pulls();
    assert_eq!((&pulls[0]["head"], &pulls[0]["base"]), (&"packages".into(), &"main".into()));
    let body = pulls[0]["body"].as_str().unwrap();
    assert!(body.starts_with("For #7.\n\n# Deployment: success\n"), "{body}");
    assert!(body.contains("`nginx`"), "{body}");
    assert!(github.seen().iter().all(|seen| seen.authorization.as_deref() == Some("Bearer t0ken")));

    let texts = reports.map(|report| fs::read_to_string(report).unwrap());
    assert!(texts[0].contains("issue #7") && texts[1].contains("<svg "), "{}", texts[0]);
    let report: Value = serde_json::from_str(&texts[2]).unwrap();
    assert_eq!(report["hosts"][0]["outcome"], "deployed");
    assert_eq!(report["issue"], 7);

    // What it ran when: the generation of the deploy, and the one before it.
    let (_, entries) = fleet.ask(&["history", "--json", "p620"]);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(
        (&entries[0]["generation"], &entries[0]["runs"], &entries[0]["boots"]),
        (&2.into(), &true.into(), &true.into())
    );
    assert_eq!((&entries[0]["commit"], &entries[0]["outcome"]), (&commit.as_str().into(), &"SUCCESS".into()));
    assert_eq!((&entries[1]["generation"], &entries[1]["run"]), (&1.into(), &Value::Null));

    // What differs: between generations, and not at all from what is described.
    let (_, diff) = fleet.ask(&["diff", "--json", "p620", "1", "2"]);
    let packages: Vec<&str> = diff[0]["closure"]["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert!(packages.contains(&"nginx"), "{packages:?}");
    let size = |side: &str| diff[0][side]["size"].as_i64().unwrap();
    assert_eq!(diff[0]["closure"]["size_difference"], size("to") - size("from"), "{}", diff[0]);
    assert_eq!(
        (&diff[0]["to"]["kernel"], &diff[0]["reboot_parts"]),
        (&"6.6.68".into(), &serde_json::json!([]))
    );
    let (same, _) = fleet.ask(&["diff", "--output", "json", "p620"]);
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    let same: Value = serde_json::from_str(same.stdout.trim()).unwrap();
    assert_eq!(same["from"]["path"], same["to"]["path"]);
    // A change that is only here is built and compared with what runs there.
    fleet.variant("p620", "many-units");
    let (_, diff) = fleet.ask(&["diff", "--json", "p620"]);
    let units = &diff[0]["units"];
    fleet.variant("p620", "kernel-change");
    let (_, kernel) = fleet.ask(&["diff", "--json", "p620"]);
    assert_ne!(kernel[0]["to"]["kernel"], kernel[0]["from"]["kernel"]);
    assert!(kernel[0]["reboot_parts"].to_string().contains("kernel"), "{}", kernel[0]);
    fleet.variant("p620", "many-units");
    assert!(units["added"].as_array().unwrap().contains(&"job-1.service".into()), "{units}");
    assert!(units["changed"].as_array().unwrap().contains(&"cache.service".into()), "{units}");
    assert_eq!(fleet.ask(&["diff", "--json", "p620", "1", "9"]).0.code, Some(2));

    // How it stands: well, waiting for a boot, with a broken unit, beside one that is not there.
    let (run, hosts) = fleet.ask(&["status", "--json"]);
    assert_eq!((run.code, &hosts[0]["standing"]), (Some(0), &"well".into()), "{}", run.stdout);
    assert_eq!((&hosts[0]["commit"], &hosts[0]["generation"]), (&commit.as_str().into(), &2.into()));
    fleet.deploy(&["p620", "--action", "boot"]).expect("p620", 0, "reboot-required");
    let (run, hosts) = fleet.ask(&["status", "--json"]);
    assert_eq!((run.code, &hosts[0]["standing"]), (Some(0), &"notice".into()), "{}", run.stdout);
    assert!(run.stdout.contains("it runs generation 2 and boots generation 3"), "{}", run.stdout);
    fleet.on("p620", "systemd-run --quiet --unit=broken.service --property=Type=oneshot /bin/false || true");
    fleet.write_settings("[hosts.gone]\naddress = \"gone.invalid\"\n");
    let (run, hosts) = fleet.ask(&["status", "--json", "all"]);
    assert_eq!(run.code, Some(5), "{}", run.stdout);
    assert_eq!((&hosts[0]["host"], &hosts[0]["standing"]), (&"gone".into(), &"unreachable".into()));
    assert_eq!((&hosts[1]["host"], &hosts[1]["standing"]), (&"p620".into(), &"degraded".into()));
    assert_eq!(hosts[1]["failed_units"], serde_json::json!(["broken.service"]));
    fleet.assert_no_traces("p620");
}
