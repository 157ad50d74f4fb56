//! `nix-deploy init` with a scripted Nix.

use crate::program::Place;

/// A Nix that writes its arguments to a file and answers.
fn place_with_nix(answer: &str) -> Place {
    let place = Place::new();
    place.write("flake.nix", "{ }");
    place.script("nix", &format!("printf '%s\\n' \"$@\" > arguments\n{answer}"));
    place
}

#[test]
fn init_writes_the_hosts_of_the_flake_into_a_file_that_can_be_planned_with() {
    let place = place_with_nix("echo '[\"p510\",\"p620\",\"web.lan\"]'");
    let outcome = place.run(&["init"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    assert_eq!(
        outcome.stderr,
        "\
Reading the hosts of [PLACE]/work …
Wrote hosts.toml with 3 hosts: p510, p620, web.lan
Next:
  1. look at the addresses in hosts.toml
  2. check what is needed here and on the hosts:  nix-deploy doctor
  3. see the plan of a first deploy:  nix-deploy p510 --dry-run
"
    );
    assert!(place.read("arguments").ends_with("/work#nixosConfigurations\n"));
    let planned = place.run(&["all", "--dry-run"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    assert!(planned.stdout.contains("3 hosts"));
}

#[test]
fn a_file_that_is_there_is_only_replaced_with_force() {
    let place = place_with_nix("echo '[\"p620\"]'");
    place.write("hosts.toml", "mine");
    let refused = place.run(&["init"]);
    assert_eq!(refused.code, 2);
    assert_eq!(
        refused.stderr,
        "error: [PLACE]/work/hosts.toml is there already\nhint: replace it with --force\n"
    );
    assert_eq!(place.read("hosts.toml"), "mine");
    assert_eq!(place.run(&["init", "--force"]).code, 0);
    assert!(place.read("hosts.toml").contains("[hosts.p620]"));
}

#[test]
fn what_stops_init_is_named_and_no_file_is_left() {
    let rows = [
        ("echo '[]'", 2, "has no nixosConfigurations"),
        (
            "echo \"error: flake 'x' does not provide attribute 'nixosConfigurations'\" >&2; exit 1",
            2,
            "has no nixosConfigurations",
        ),
        ("echo 'error: syntax error, unexpected end of file' >&2; exit 1", 4, "unexpected end of file"),
        ("echo nonsense", 1, "nix did not answer with a list of names"),
    ];
    for (answer, code, part) in rows {
        let place = place_with_nix(answer);
        let outcome = place.run(&["init"]);
        assert_eq!(outcome.code, code, "{answer}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(part), "{answer}: {}", outcome.stderr);
        assert!(!place.work().join("hosts.toml").exists(), "{answer}");
    }
}

#[test]
fn without_nix_or_without_a_flake_init_says_what_is_missing() {
    let place = Place::new();
    let outcome = place.run(&["init"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.starts_with("error: there is no flake.nix in [PLACE]/work\n"), "{}", outcome.stderr);
    place.write("flake.nix", "{ }");
    let outcome = place.run(&["init"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("caused by: nix is not installed or not on PATH\nhint: install Nix"));
}

#[test]
fn names_that_cannot_be_hosts_are_left_out_and_named() {
    let place = place_with_nix("echo '[\"ada@desk\",\"all\",\"p620\"]'");
    let outcome = place.run(&["init"]);
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.contains("warning: \"ada@desk\" cannot be a host's name here and is left out"));
    assert!(outcome.stderr.contains("Wrote hosts.toml with 1 host: p620"));
}
