//! `check` and `explain` from outside, without Nix: formats, exit codes,
//! settings, mending, the baseline, the index.

use std::path::Path;
use std::process::Stdio;

use crate::help::assert_kept;
use crate::program::Place;

/// A module with a critical finding, a warning and something worth knowing.
const MODULE: &str = "\
# A web server.
{
  networking.firewall.enable = false;
  services.openssh.settings.PermitRootLogin = \"yes\";
  # The installer's own address.
  homepage = https://example.org/a;
}
";
const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn place() -> Place {
    let place = Place::with_hosts("[hosts.p620]\n");
    place.write("modules/web.nix", MODULE);
    place
}

/// The rules of `--format plain`, in order.
fn rules(stdout: &str) -> Vec<&str> {
    stdout.lines().filter_map(|line| line.rsplit_once('[')?.1.strip_suffix(']')).collect()
}

#[test]
fn every_format_says_what_was_found_and_a_critical_finding_is_exit_code_3() {
    let place = place();
    for format in ["human", "plain", "json", "sarif", "github", "junit"] {
        let outcome = place.run(&["check", "--format", format]);
        assert_eq!(outcome.code, 3, "{format}: {}", outcome.stderr);
        assert!(outcome.stdout.contains("modules/web.nix"), "{format}: {}", outcome.stdout);
        assert!(outcome.stderr.contains("2 files checked: 1 critical finding"), "{format}: {}", outcome.stderr);
        // The rules of the SARIF log are the README's business.
        if format != "sarif" {
            assert_kept(&format!("check-{format}.txt"), &outcome.stdout);
        }
    }
    let quiet = place.run(&["check", "--quiet", "--format", "plain"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (3, ""));
    assert!(!quiet.stdout.contains('\u{1b}'));
    let color = place.run(&["check", "--color", "always"]);
    assert!(color.stdout.contains("\u{1b}["));
}

#[test]
fn findings_that_do_not_block_are_exit_code_0_and_no_findings_are_silence() {
    let place = Place::new();
    place.write("a.nix", "{ services.openssh.settings.PermitRootLogin = \"yes\"; }\n");
    let outcome = place.run(&["check", "--format", "plain"]);
    assert_eq!((outcome.code, rules(&outcome.stdout)), (0, vec!["ssh-root-login"]), "{outcome:?}");
    place.write("a.nix", "{ }\n");
    let outcome = place.run(&["check"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
    assert!(outcome.stderr.ends_with("1 file checked: no findings\n"), "{}", outcome.stderr);
}

#[test]
fn files_are_named_as_seen_from_the_current_folder() {
    let place = place();
    let below = place.work().join("modules");
    let outcome = place.run_in(&below, &["check", "--format", "plain", "web.nix"], &[]);
    assert!(outcome.stdout.starts_with("web.nix:3:"), "{}", outcome.stdout);
    place.write("hosts/a.nix", MODULE);
    let outcome = place.run_in(&below, &["check", "--format", "plain"], &[]);
    assert!(outcome.stdout.starts_with("../hosts/a.nix:3:"), "{}", outcome.stdout);
    let outcome = place.run(&["check", "nowhere.nix"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("there is no [PLACE]/work/nowhere.nix"), "{}", outcome.stderr);
}

#[test]
fn settings_decide_what_counts_and_a_flag_lets_pass_once() {
    let place = place();
    let outcome = place.run(&["check", "--format", "plain", "--allow", "firewall-off"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(!rules(&outcome.stdout).contains(&"firewall-off"));
    assert!(outcome.stderr.contains("1 suppressed"), "{}", outcome.stderr);
    place.write(
        "hosts.toml",
        "version = 1\n[hosts.p620]\n[lint]\nignore = [\"generated/**\"]\n[lint.rules]\n\
         firewall-off = \"information\"\nunquoted-url = \"critical\"\n",
    );
    place.write("generated/x.nix", MODULE);
    let outcome = place.run(&["check", "--format", "plain"]);
    assert_eq!(outcome.code, 3);
    assert!(!outcome.stdout.contains("generated/"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("modules/web.nix:3:"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(": information: networking.firewall"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(": critical: "), "{}", outcome.stdout);

    for (arguments, code) in [(["check", "--allow", "firewal-off"], 2), (["p620", "--allow", "firewal-off"], 2)]
    {
        let outcome = place.run(&arguments);
        assert_eq!(outcome.code, code, "{outcome:?}");
        assert!(outcome.stderr.contains("did you mean \"firewall-off\"?"), "{}", outcome.stderr);
    }
    place.write("hosts.toml", "version = 1\n[hosts.p620]\n[lint.rules]\nfirewal-off = \"off\"\n");
    let outcome = place.run(&["check"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("hosts.toml:4:1: no rule is called `firewal-off`"), "{}", outcome.stderr);
}

#[test]
fn a_baseline_keeps_quiet_what_was_there_and_nothing_new() {
    let place = place();
    let outcome = place.run(&["check", "--write-baseline"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("wrote nix-deploy-baseline.json with 3 findings"), "{}", outcome.stderr);
    let outcome = place.run(&["check", "--format", "plain"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    // The same code in another line is still the same.
    place.write("modules/web.nix", format!("# moved\n\n\n{MODULE}"));
    assert_eq!(place.run(&["check"]).code, 0);
    place.write("modules/new.nix", MODULE);
    let outcome = place.run(&["check", "--format", "plain"]);
    assert_eq!(outcome.code, 3);
    assert!(outcome.stdout.lines().all(|line| line.starts_with("modules/new.nix:")), "{}", outcome.stdout);
    std::fs::remove_file(place.work().join("modules/new.nix")).unwrap();
    place.write("modules/web.nix", "{ }\n");
    let outcome = place.run(&["check"]);
    assert!(outcome.stderr.contains("3 findings of the baseline are gone"), "{}", outcome.stderr);
    place.write("nix-deploy-baseline.json", "no");
    let outcome = place.run(&["check"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("hint: write it anew"), "{}", outcome.stderr);
}

#[test]
fn fixes_are_shown_first_then_made_and_then_there_is_nothing_left_to_fix() {
    let place = place();
    let outcome = place.run(&["check", "--diff"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome
            .stdout
            .contains("-  homepage = https://example.org/a;\n+  homepage = \"https://example.org/a\";\n")
    );
    assert!(outcome.stderr.contains("nothing was written"), "{}", outcome.stderr);
    assert_eq!(place.read("modules/web.nix"), MODULE);
    let outcome = place.run(&["check", "--fix", "--format", "plain"]);
    assert_eq!(outcome.code, 3, "what cannot be fixed still counts");
    assert!(!rules(&outcome.stdout).contains(&"unquoted-url"), "{}", outcome.stdout);
    let expected = MODULE.replace("https://example.org/a", "\"https://example.org/a\"");
    assert_eq!(place.read("modules/web.nix"), expected);
    assert_eq!(place.run(&["check", "--diff"]).stdout, "");
}

#[test]
fn no_format_and_no_difference_shows_a_secret() {
    let place = Place::new();
    place.write(
        "a.nix",
        format!("{{ services.x.apiToken = \"{SECRET}\"; homepage = https://example.org/{SECRET}; }}\n"),
    );
    for format in ["human", "plain", "json", "sarif", "github", "junit"] {
        let outcome = place.run(&["check", "--format", format]);
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(outcome.stdout.contains("hardcoded-secret"), "{format}: {}", outcome.stdout);
        assert!(
            !outcome.stdout.contains(&SECRET[4..]) && !outcome.stderr.contains(&SECRET[4..]),
            "{format}: {outcome:?}"
        );
    }
    let outcome = place.run(&["check", "--diff"]);
    assert!(!outcome.stdout.contains(&SECRET[4..]), "{}", outcome.stdout);
    place.run(&["check", "--write-baseline"]);
    assert!(!place.read("nix-deploy-baseline.json").contains(&SECRET[4..]));
}

#[test]
fn what_is_staged_is_judged_as_it_is_in_the_index() {
    let place = place();
    place.link("git");
    git(&place.work(), &["init", "--quiet"]);
    git(&place.work(), &["add", "modules/web.nix"]);
    place.write("modules/web.nix", "{ }\n");
    place.write("modules/later.nix", MODULE);
    let outcome = place.run(&["check", "--staged", "--format", "plain"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("modules/web.nix:3:"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("later.nix"));
    git(&place.work(), &["add", "modules/web.nix"]);
    let outcome = place.run(&["check", "--staged"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    let outside = Place::new();
    outside.link("git");
    assert_eq!(outside.run(&["check", "--staged"]).code, 2);
}

#[test]
fn rules_are_listed_and_explained() {
    let place = Place::new();
    let list = place.run(&["check", "--list-rules"]);
    assert_eq!((list.code, list.stderr.as_str()), (0, ""));
    let ids: Vec<&str> = list.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(ids.len() > 40 && ids.is_sorted(), "{ids:?}");
    assert_kept("explain.txt", &place.run(&["explain", "firewall-off"]).stdout);
    let outcome = place.run(&["explain", "firewall"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
}

#[test]
fn a_change_is_judged_while_it_is_watched_and_ctrl_c_ends_it() {
    use std::io::{BufRead, BufReader};
    let place = place();
    place.write("modules/web.nix", "{ }\n");
    let mut child = place.start(&["check", "--watch", "--format", "plain"]);
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut wait =
        |what: &str| talk.find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what} did not come"));
    wait("watching");
    place.write("modules/web.nix", MODULE);
    wait("1 critical finding");
    wait("watching");
    place.write("new/folder/x.nix", MODULE);
    wait("2 critical findings");
    wait("watching");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[expect(clippy::disallowed_methods, reason = "a test of the program prepares a repository")]
fn git(folder: &Path, arguments: &[&str]) {
    let status = std::process::Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn the_hooks_and_the_workflow_that_come_along_call_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        yaml_rust2::YamlLoader::load_from_str(&text).unwrap().remove(0)
    };
    let place = Place::new();
    let help = place.run(&["check", "--help"]).stdout;
    let is_known = |command: &str| {
        let words = command.split_whitespace().filter(|word| word.starts_with("--"));
        assert!(words.clone().count() > 0, "{command}");
        words.for_each(|flag| assert!(help.contains(flag), "{flag} of {command}"));
    };
    let hooks = read(".pre-commit-hooks.yaml");
    let hooks = hooks.as_vec().unwrap();
    assert_eq!(hooks[0]["id"].as_str(), Some("nix-deploy-check"));
    for hook in hooks {
        let entry = hook["entry"].as_str().unwrap();
        assert!(entry.starts_with("nix-deploy check "), "{entry}");
        is_known(entry);
        for key in ["name", "language", "files"] {
            assert!(hook[key].as_str().is_some(), "{key}");
        }
        assert_eq!(hook["pass_filenames"].as_bool(), Some(false));
    }
    let workflow = read("templates/ci/github-check.yml");
    let job = &workflow["jobs"]["check"];
    let steps = job["steps"].as_vec().unwrap();
    let commands: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    let checks: Vec<&&str> =
        commands.iter().filter(|command| command.starts_with("nix-deploy check")).collect();
    assert_eq!(checks.len(), 2, "{commands:?}");
    checks.into_iter().for_each(|command| is_known(command));
    let upload =
        steps.iter().find(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("upload-sarif")));
    let file = upload.unwrap()["with"]["sarif_file"].as_str().unwrap();
    assert!(commands.iter().any(|command| command.ends_with(&format!(">{file}"))), "{commands:?}");
    assert_eq!(workflow["permissions"]["security-events"].as_str(), Some("write"));
}
