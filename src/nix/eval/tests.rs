//! Evaluation with the installed Nix and with scripts in its place.

use super::*;
use crate::nix::testing::{Playground, host, quiet};

#[tokio::test]
async fn one_evaluation_gives_paths_and_instantiates() {
    let playground = Playground::new().await;
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    let request = playground.request(&flake, &log, &["alpha", "beta", "gamma"]);
    let answers = playground.nix().evaluate(&request, &quiet).await;
    let alpha = answers[&host("alpha")].as_ref().unwrap();
    assert!(alpha.drv_path.is_derivation());
    assert_eq!(alpha.out_path.name(), "nixos-system-alpha-25.05");
    assert_eq!(alpha.system.as_deref(), Some("x86_64-linux"));
    assert!(playground.path("store").join(&alpha.drv_path.as_str()[1..]).exists());
    let error = answers[&host("gamma")].as_ref().unwrap_err();
    assert!(error.to_string().contains("it has alpha, beta, broken"), "{error}");
}

#[tokio::test]
async fn a_host_that_does_not_evaluate_stops_no_other() {
    let playground = Playground::new().await;
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    let request = playground.request(&flake, &log, &["alpha", "typo", "beta", "gamma"]);
    let answers = playground.nix().evaluate(&request, &quiet).await;
    assert!(answers[&host("alpha")].is_ok());
    assert!(answers[&host("beta")].is_ok());
    assert!(matches!(answers[&host("gamma")], Err(EvalError::Missing { .. })));
    let error = answers[&host("typo")].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "attribute 'missing' missing");
    assert!(!error.trace().is_empty());
    assert!(std::fs::read_to_string(&log).unwrap().contains("attribute 'missing' missing"));
}

#[tokio::test]
async fn attribute_names_are_text_whatever_they_hold() {
    let playground = Playground::new().await;
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    let mut request = playground.request(&flake, &log, &[]);
    request.attributes.push((host("odd"), "odd\"${name}".to_owned()));
    request.attributes.push((host("evil"), "\"; abort \"${throw \"x\"}".to_owned()));
    let answers = playground.nix().evaluate(&request, &quiet).await;
    assert_eq!(answers[&host("odd")].as_ref().unwrap().out_path.name(), "nixos-system-odd-25.05");
    assert!(matches!(answers[&host("evil")], Err(EvalError::Missing { .. })));
}

#[tokio::test]
async fn a_file_that_was_not_added_is_pointed_out() {
    let playground = Playground::new().await;
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    std::fs::write(flake.join("new.nix"), "\"text\"").unwrap();
    let request = playground.request(&flake, &log, &["untracked"]);
    let mut answers = playground.nix().evaluate(&request, &quiet).await;
    let error = answers.remove(&host("untracked")).unwrap().unwrap_err();
    let hints = error.with_untracked(&["new.nix".to_owned()]).hints();
    assert!(hints[0].ends_with("`git add new.nix`"), "{hints:?}");
    playground.git(&["add", "new.nix"]).await;
    assert!(playground.nix().evaluate(&request, &quiet).await[&host("untracked")].is_ok());
}

/// Answers for any host, and notes each call.
const FAKE_NIX: &str = r#"#!/bin/sh
echo call >> "$TEST_ROOT/calls"
printf '{"names":[],"hosts":{'
comma=
for name in h1 h2 h3 h4 h5 h6 h7 h8 h9; do
  case "$*" in *"\"$name\""*) printf '%s"%s":{"drv":"/nix/store/0gi8y8lh5qbfbiazn2w9z2sgcyp0bppc-%s.drv","out":"/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-%s","system":null}' "$comma" $name $name $name; comma=,;; esac
done
printf '}}'
"#;

const NINE: [&str; 9] = ["h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9"];

fn calls(playground: &Playground) -> usize {
    std::fs::read_to_string(playground.path("calls")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_few_hosts_are_one_process_and_many_are_several() {
    let playground = Playground::new().await;
    playground.script("nix", FAKE_NIX);
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    for (hosts, memory, expected_calls) in [(8, 16_u64 << 30, 1), (9, 16 << 30, 2), (3, 0, 3)] {
        let mut request = playground.request(&flake, &log, &NINE[..hosts]);
        request.chunks.available_memory = memory;
        let before = calls(&playground);
        let answers = playground.fake_nix().evaluate(&request, &quiet).await;
        assert!(answers.values().all(Result::is_ok), "{answers:?}");
        assert_eq!((answers.len(), calls(&playground) - before), (hosts, expected_calls));
    }
}

#[tokio::test]
async fn nix_eval_jobs_answers_many_hosts_and_nix_eval_the_rest() {
    let playground = Playground::new().await;
    playground.script("nix", FAKE_NIX);
    playground.script(
        "nix-eval-jobs",
        r#"#!/bin/sh
for name in h1 h2 h3 h4 h5 h6 h7 h8; do
  printf '{"attr":"%s","attrPath":["%s"],"drvPath":"/nix/store/0gi8y8lh5qbfbiazn2w9z2sgcyp0bppc-jobs.drv","outputs":{"out":"/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-jobs"},"system":"x86_64-linux"}\n' $name $name
done
echo '{"attr":"h9","attrPath":["h9"],"error":"boom"}'
"#,
    );
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    let answers = playground.fake_nix().evaluate(&playground.request(&flake, &log, &NINE), &quiet).await;
    assert_eq!(answers[&host("h1")].as_ref().unwrap().out_path.name(), "jobs");
    assert_eq!(answers[&host("h9")].as_ref().unwrap().out_path.name(), "h9");
    assert_eq!(calls(&playground), 1);
}

#[tokio::test]
async fn nix_that_is_not_installed_is_told_for_every_host() {
    let playground = Playground::new().await;
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    let request = playground.request(&flake, &log, &["alpha", "beta"]);
    let answers = playground.fake_nix().evaluate(&request, &quiet).await;
    for host in ["alpha", "beta"].map(host) {
        let error = answers[&host].as_ref().unwrap_err();
        assert!(matches!(error, EvalError::Exec(_)));
        assert!(error.hints()[0].contains("install Nix"));
    }
}

/// A host with everything that the audit asks for, one whose value throws, and
/// one with an error that Nix cannot catch.
const SETTINGS_FLAKE: &str = r#"{ outputs = _: let
  toplevel = name: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ ]; };
  host = name: config: { config = config // { system.build.toplevel = toplevel "nixos-system-${name}-25.05"; }; };
in { nixosConfigurations = {
  open = host "open" {
    networking.firewall = { enable = true; allowedTCPPorts = [ 22 ]; allowedUDPPortRanges = [ { from = 1; to = 9; } ]; };
    services.openssh = { enable = true; settings.PermitRootLogin = "yes"; };
    security.sudo.extraRules = [ { commands = [ { command = "ALL"; options = [ "NOPASSWD" ]; } ]; } ];
    security.wrappers = { ping.setuid = true; mtr.setuid = false; };
    users.users = { root = { name = "root"; hashedPassword = ""; }; ada = { name = "ada"; password = "hunter2"; }; };
    nix.gc.automatic = false;
  };
  throws = host "throws" { networking.firewall.enable = throw "no"; services.openssh.enable = false; };
  aborts = host "aborts" { networking.firewall.enable = abort "no"; };
  plain = host "plain" { };
}; }; }"#;

#[tokio::test]
async fn settings_come_with_the_paths_and_no_error_in_them_fails_the_evaluation() {
    let playground = Playground::new().await;
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    std::fs::write(flake.join("flake.nix"), SETTINGS_FLAKE).unwrap();
    let request = EvalRequest {
        ask: Ask::PathsAndSettings,
        ..playground.request(&flake, &log, &["open", "throws", "plain"])
    };
    let answers = playground.nix().evaluate(&request, &quiet).await;
    let settings = |name: &str| answers[&host(name)].as_ref().unwrap().settings.clone().unwrap();
    let open = settings("open");
    assert_eq!(open["firewall"]["tcp"], serde_json::json!([22]));
    assert_eq!(open["firewall"]["udpRanges"], serde_json::json!([[1, 9]]));
    assert_eq!(open["openssh"]["rootLogin"], "yes");
    assert_eq!(open["sudo"]["openRules"], true);
    assert_eq!(open["setuid"], serde_json::json!(["ping"]));
    assert_eq!(open["openUsers"], serde_json::json!(["root"]));
    assert_eq!(open["collectsGarbage"], false);
    assert!(!open.to_string().contains("hunter2"));
    assert_eq!(settings("throws")["firewall"], serde_json::Value::Null);
    assert_eq!(settings("throws")["openssh"]["enable"], false);
    assert_eq!(settings("plain")["stateVersion"], serde_json::Value::Null);

    let request =
        EvalRequest { ask: Ask::PathsAndSettings, ..playground.request(&flake, &log, &["aborts", "open"]) };
    let answers = playground.nix().evaluate(&request, &quiet).await;
    for name in ["aborts", "open"] {
        assert_eq!(answers[&host(name)].as_ref().unwrap().settings, None, "{name}");
    }
}

/// Like [`FAKE_NIX`], but has no memory for more than two hosts, and none at all
/// for h9.
const FORGETFUL_NIX: &str = r#"
hosts=0
for name in h1 h2 h3 h4 h5 h6 h7 h8 h9; do
  case "$*" in *"\"$name\""*) hosts=$((hosts + 1));; esac
done
case "$*" in *'"h9"'*) kill -KILL $$;; esac
[ $hosts -le 2 ] || kill -KILL $$
"#;

#[tokio::test]
async fn hosts_that_are_too_many_for_the_memory_are_evaluated_in_halves() {
    let playground = Playground::new().await;
    let (first, rest) = FAKE_NIX.split_at("#!/bin/sh\n".len());
    playground.script("nix", &format!("{first}{FORGETFUL_NIX}{rest}"));
    let (flake, log) = (playground.path("flake"), playground.path("logs/evaluate.log"));
    let shrunk = std::sync::Mutex::new(Vec::new());
    let hear = |told: Shrunk| shrunk.lock().unwrap().push((told.hosts.len(), told.at_once, told.fits));
    let request = playground.request(&flake, &log, &NINE[..8]);
    let answers = playground.fake_nix().evaluate_telling(&request, &quiet, &hear).await;
    assert!(answers.len() == 8 && answers.values().all(Result::is_ok), "{answers:?}");
    assert_eq!(std::mem::take(&mut *shrunk.lock().unwrap()), [(8, 4, false), (4, 2, true), (4, 2, true)]);

    // One that has no room even alone stops no other.
    let request = playground.request(&flake, &log, &["h1", "h2", "h9"]);
    let answers = playground.fake_nix().evaluate_telling(&request, &quiet, &hear).await;
    assert!(answers[&host("h1")].is_ok() && answers[&host("h2")].is_ok());
    assert!(answers[&host("h9")].as_ref().unwrap_err().is_for_memory());
    assert_eq!(*shrunk.lock().unwrap(), [(3, 2, false)]);
}
