//! What is not there where the program runs: ssh, git, and files that git does not know.

use super::program::{Outcome, Place};

/// A host, and a Nix that takes so long that the host is asked first.
fn place() -> Place {
    let place =
        Place::with_hosts("[defaults.timeouts]\nconnect = \"1s\"\n[hosts.p620]\naddress = \"p620.invalid\"\n");
    for program in ["git", "sh", "sleep"] {
        place.link(program);
    }
    place.script("nix", "case \"$*\" in *eval*) sleep 2 ;; esac; echo 'error: not in this test' >&2; exit 1");
    place
}

#[test]
fn without_ssh_the_host_is_not_said_to_sleep_and_is_not_tried_again() {
    let place = place();
    let outcome = place.run(&["p620", "--yes", "--wait-for-host=1m"]);
    assert_eq!(outcome.code, 2, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("ssh is not installed here"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("install the OpenSSH client"), "{}", outcome.stdout);
    for wrong in ["is the host awake", "Recovered", "No such file"] {
        assert!(!outcome.stdout.contains(wrong), "{wrong}: {}", outcome.stdout);
    }
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, 2, "{}", doctor.stdout);
    let host = doctor.stdout.lines().find(|line| line.contains("p620")).unwrap();
    assert!(host.contains("ssh is not installed here"), "{host}");
}

#[test]
fn ssh_that_says_nothing_is_not_taken_for_a_missing_one() {
    let place = place();
    place.script("ssh", "exit 255");
    let outcome = place.run(&["p620", "--yes"]);
    assert!(!outcome.stdout.contains("ssh is not installed"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("p620"), "{}", outcome.stderr);
}

#[test]
fn of_a_host_behind_another_one_that_does_not_answer_the_way_is_named() {
    let place = place();
    place.write("hosts.toml", "version = 1\n[hosts.p620]\naddress = \"192.0.2.9\"\njump = \"gate\"\n");
    place.script("ssh", "exit 255");
    let outcome = place.run(&["p620", "--yes"]);
    assert_eq!(outcome.code, 5, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("192.0.2.9 cannot be reached (p620)\n"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("the way leads over gate"), "{}", outcome.stdout);
}

/// `init` with a Nix that fails with this error, and what git says to `status`.
fn init(error: &str, status: &str) -> Outcome {
    let place = Place::new();
    place.write("flake.nix", "{ }");
    place.script("nix", &format!("echo \"error: {error}\" >&2; exit 1"));
    place.script("git", &format!("case \"$*\" in *status*) printf '{status}' ;; esac"));
    place.run(&["init"])
}

#[test]
fn a_flake_that_git_does_not_know_is_pointed_out_by_init() {
    let file = "/nix/store/c8d0c2hwxzazf0sjn8634k86kchxnq8g-source/flake.nix";
    let error = format!("getting status of '{file}': No such file or directory");
    // A fresh repository where nothing was added.
    let outcome = init(&error, "# branch.oid (initial)\\0# branch.head main\\0? flake.nix\\0");
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    let hint = "hint: git does not track flake.nix, so Nix cannot see it: run `git add flake.nix`";
    assert!(outcome.stderr.contains(hint), "{}", outcome.stderr);
    // One that git knows is missing for another reason.
    let outcome = init(&error, "# branch.oid (initial)\\0# branch.head main\\0");
    assert!(!outcome.stderr.contains("hint:"), "{}", outcome.stderr);
}

#[test]
fn a_missing_git_is_named_by_init() {
    let outcome = init("executing 'git': No such file or directory", "");
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("hint: install git"), "{}", outcome.stderr);
}
