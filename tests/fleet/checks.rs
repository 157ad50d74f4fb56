//! The checks of the configuration in a deploy: what blocks, what passes, what
//! is recorded, and what the audit sees on a host.

use std::fs;

use serde_json::Value;

use super::fleet::{Fleet, Run, finish};

/// A file with one critical finding of a rule.
const CRITICAL: [(&str, &str); 9] = [
    ("syntax-error", "{ a = 1 }\n"),
    ("duplicate-attr", "{ a = 1; a = 2; }\n"),
    ("undefined-var", "{ a = unheard_of; }\n"),
    ("bad-suppression", "# nix-deploy: allow firewal-off -- the router filters\n{ }\n"),
    ("eval-secret-read", "{ x.token = builtins.readFile \"/run/secrets/token\"; }\n"),
    ("hardcoded-secret", "{ services.x.apiToken = \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"; }\n"),
    ("user-password", "{ users.users.root.hashedPassword = \"\"; }\n"),
    (
        "service-root",
        "{ systemd.services.sync = { wantedBy = [ \"multi-user.target\" ]; serviceConfig.ExecStart = \"/bin/sync-all\"; }; }\n",
    ),
    ("firewall-off", "{ networking.firewall.enable = false; }\n"),
];

/// What the run said was found, as rule and severity.
fn findings(run: &Run) -> Vec<(&str, &str)> {
    let found = run.events.iter().filter(|event| event["type"] == "finding").map(|event| &event["finding"]);
    found.map(|finding| (finding["rule"].as_str().unwrap(), finding["severity"].as_str().unwrap())).collect()
}

/// Whether a step began.
fn began(run: &Run, step: &str) -> bool {
    run.events.iter().any(|event| event["type"] == "step-started" && event["step"] == step)
}

fn write(fleet: &Fleet, file: &str, text: &str) {
    let path = fleet.flake().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn each_critical_finding_blocks_and_the_host_is_untouched() {
    let fleet = Fleet::start(&["p620"]);
    let before = fleet.standing("p620");
    fleet.variant("p620", "unit-changed");
    for (rule, text) in CRITICAL {
        // Imported by nobody: Nix itself would not see it.
        write(&fleet, "modules/bad.nix", text);
        fleet.git(&["add", "modules/bad.nix"]);
        let run = fleet.deploy(&["p620"]);
        run.expect("p620", 3, "failed");
        assert!(run.failure("p620").contains("modules/bad.nix:1:"), "{rule}: {}", run.failure("p620"));
        assert!(findings(&run).contains(&(rule, "critical")), "{rule}: {:?}", findings(&run));
        assert!(!began(&run, "activate"), "{rule}");
        fleet.assert_as_before("p620", &before);
    }
    // What nests deeper than can be read was not looked at.
    write(&fleet, "modules/bad.nix", &format!("{}{}\n", "[".repeat(600), "]".repeat(600)));
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 3, "failed");
    assert!(run.failure("p620").contains("modules/bad.nix"), "{}", run.failure("p620"));
    assert!(findings(&run).contains(&("unreadable-file", "critical")), "{:?}", findings(&run));
    fleet.assert_as_before("p620", &before);
    // A broken file that is evaluated is the reason, not the evaluation that it breaks.
    fleet.git(&["rm", "-qf", "modules/bad.nix"]);
    fs::write(fleet.flake().join("hosts/p620.nix"), "{ variant = ; }").unwrap();
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 3, "failed");
    assert!(run.failure("p620").contains("hosts/p620.nix:1:"), "{}", run.failure("p620"));
    fleet.assert_as_before("p620", &before);
}

#[test]
fn a_file_that_git_does_not_track_blocks_nothing_and_is_pointed_out() {
    let fleet = Fleet::start(&["p620"]);
    fleet.variant("p620", "unit-changed");
    write(&fleet, "modules/draft.nix", "{ a = 1 }\n");
    let sync = CRITICAL.iter().find(|(rule, _)| *rule == "service-root").unwrap().1;
    write(&fleet, "modules/sync.nix", sync);
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert!(findings(&run).contains(&("syntax-error", "warning")), "{:?}", findings(&run));
    assert!(findings(&run).iter().all(|(_, severity)| *severity != "critical"), "{:?}", findings(&run));
    // By itself the check judges what is there.
    let check = finish(fleet.nix_deploy(&["check", "--nix", "never"]));
    assert_eq!(check.code, Some(3), "{}", check.stdout);
}

#[test]
fn warnings_pass_a_flag_lets_pass_on_record_and_only_what_changed_is_judged() {
    let fleet = Fleet::start(&["p620"]);
    let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    write(&fleet, "modules/warned.nix", "{ services.openssh.settings.PermitRootLogin = \"yes\"; }\n");
    fleet.variant("p620", "unit-changed");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert!(findings(&run).contains(&("ssh-root-login", "warning")), "{:?}", findings(&run));

    // Deployed from a clean commit: what was there is not judged again.
    write(&fleet, "modules/secret.nix", &format!("{{ services.x.apiToken = \"{secret}\"; }}\n"));
    fleet.variant("p620", "reload");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 3, "failed");
    assert_eq!(findings(&run), [("hardcoded-secret", "critical")]);
    let run = fleet.deploy(&["p620", "--allow", "hardcoded-secret"]);
    run.expect("p620", 0, "deployed");
    let found = run.events.iter().find(|event| event["type"] == "finding").unwrap();
    assert_eq!(found["finding"]["suppressed"]["by"], "flag");
    assert!(found["finding"]["suppressed"]["actor"].as_str().unwrap().contains('@'), "{found}");
    fleet.variant("p620", "restart");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(findings(&run), []);

    // In an emergency nothing is judged.
    write(&fleet, "modules/off.nix", "{ networking.firewall.enable = false; }\n");
    fleet.variant("p620", "kept");
    let run = fleet.deploy(&["p620", "--emergency"]);
    run.expect("p620", 0, "deployed");
    assert_eq!(findings(&run), []);

    // No record of any run holds the secret.
    let mut records = 0;
    for run in fs::read_dir(fleet.state().join("runs")).unwrap() {
        let events = fs::read_to_string(run.unwrap().path().join("events.jsonl")).unwrap();
        assert!(!events.contains(secret));
        records += 1;
    }
    assert_eq!(records, 5);
}

#[test]
fn the_audit_says_what_a_deploy_opens() {
    let fleet = Fleet::start(&["p620"]);
    let rules_of = |run: &Run| {
        let mut rules: Vec<String> = findings(run).into_iter().map(|(rule, _)| rule.to_owned()).collect();
        rules.sort_unstable();
        rules
    };
    // A machine that has evaluated none of the host's systems, as a fresh CI runner, asks the host.
    fleet.accepted(&[], "hardened");
    fs::remove_dir_all(fleet.state().join("audit")).unwrap();
    fleet.on(
        "p620",
        "mkdir -p /run/wrappers/bin && for name in sudo ping; do \
         cp /bin/true /run/wrappers/bin/$name && chmod u+s /run/wrappers/bin/$name; done",
    );
    fleet.variant("p620", "opens-up");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    let opened =
        ["firewall-port", "hardening-removed", "service-root", "service-unhardened", "ssh-password-auth"];
    assert_eq!(rules_of(&run), opened);
    let port = run.events.iter().find(|event| event["finding"]["rule"] == "firewall-port").unwrap();
    assert!(port["finding"]["message"].as_str().unwrap().starts_with("new: "), "{port}");

    // What an earlier run evaluated is remembered, and says more than the host.
    fleet.variant("p620", "hardened");
    fleet.deploy(&["p620"]).expect("p620", 0, "deployed");
    fleet.variant("p620", "opens-up");
    let run = fleet.deploy(&["p620"]);
    run.expect("p620", 0, "deployed");
    let mut opened = opened.to_vec();
    opened.insert(4, "setuid-wrapper");
    assert_eq!(rules_of(&run), opened);
    let step =
        run.events.iter().find(|event| event["type"] == "step-finished" && event["step"] == "audit").unwrap();
    assert_eq!(step["outcome"], "warned");

    // Without a host: everything about the built system, and its scores.
    let check = finish(fleet.nix_deploy(&["check", "--evaluated", "p620", "--format", "json"]));
    assert_eq!(check.code, Some(0), "{}", check.stderr);
    let lines: Vec<Value> = check.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has = |rule: &str, subject: &str| {
        lines.iter().any(|line| line["rule"] == rule && line["subject"] == subject && line["host"] == "p620")
    };
    assert!(
        has("service-root", "worker.service") && has("setuid-wrapper", "security.wrappers.sudo"),
        "{lines:#?}"
    );
    let score = lines.iter().find(|line| line["type"] == "hardening" && line["unit"] == "indexer.service");
    assert_eq!(score.unwrap()["points"], 0);
    assert_eq!(lines.last().unwrap()["type"], "summary");

    // The record says of which host it was found.
    assert_eq!(finish(fleet.nix_deploy(&["fleet", "flush"])).code, Some(0));
    let run = fleet.newest_run_id();
    let shown = finish(fleet.nix_deploy(&["fleet", "show", &run, "--json"]));
    let record: Value = serde_json::from_str(&shown.stdout).unwrap();
    let found = record["findings"].as_array().unwrap();
    let of_systems = lines.iter().filter(|line| line["host"] == "p620" && !line["rule"].is_null());
    let recorded: Vec<&str> = found
        .iter()
        .filter(|finding| finding["hostname"] == "p620")
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert!(recorded.contains(&"service-root") && recorded.contains(&"setuid-wrapper"), "{found:#?}");
    assert_eq!(recorded.len(), of_systems.count(), "{found:#?}");
    // What files hold is no host's.
    let of_files = found.iter().filter(|finding| !finding["file"].is_null());
    assert!(
        of_files.clone().count() > 0 && of_files.clone().all(|one| one["hostname"].is_null()),
        "{found:#?}"
    );
    let shown = finish(fleet.nix_deploy(&["fleet", "show", &run]));
    assert!(shown.stdout.contains("\np620: "), "{}", shown.stdout);
}
