//! Help, version, completions, manual page and wrong usage.

use std::path::Path;

use crate::program::Place;

/// Compares with a kept file and says how to renew it.
pub(crate) fn assert_kept(name: &str, actual: &str) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots").join(name);
    let expected = std::fs::read_to_string(&kept).unwrap_or_default();
    if expected != actual {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&new, actual).unwrap();
        panic!("{name} has changed; when that is meant:\ncp {} {}\n{actual}", new.display(), kept.display());
    }
}

#[test]
fn help_is_as_it_was_read_last() {
    let place = Place::new();
    let outcome = place.run(&["--help"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert_kept("help.txt", &outcome.stdout);
    assert_kept("help-short.txt", &place.run(&["-h"]).stdout);
}

#[test]
fn version_is_that_of_the_package() {
    let outcome = Place::new().run(&["--version"]);
    assert_eq!((outcome.code, outcome.stdout), (0, format!("nix-deploy {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn wrong_usage_ends_with_2_and_names_what_is_meant() {
    let place = Place::with_hosts("[hosts.p620]\n");
    let rows: [(&[&str], &str); 9] = [
        (&["--fats", "p620"], "'--fast'"),
        (&["--mode", "fats", "p620"], "'fast'"),
        (&["--mode", "fast", "--emergency", "p620"], "cannot be used with"),
        (&["--max-parallel", "0", "p620"], "1..=1024"),
        (&["--fast", "doctor"], "'--fast' stands before the command 'doctor'"),
        (&[], "no host was named"),
        (&["p602"], "did you mean \"p620\"?"),
        (&["--reboot", "--action", "test", "p620"], "--reboot does not go with --action test"),
        (&["man", "docter"], "did you mean \"doctor\"?"),
    ];
    for (arguments, part) in rows {
        let outcome = place.run(arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(part), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn a_misspelt_command_is_hinted_at_with_and_without_settings() {
    for place in [Place::with_hosts("[hosts.p620]\n"), Place::new()] {
        let outcome = place.run(&["doctr"]);
        assert_eq!(outcome.code, 2);
        assert!(
            outcome.stderr.contains("hint: if a command was meant: nix-deploy doctor"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn completions_and_manual_page_go_to_standard_output_without_settings() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = place.run(&["completions", shell]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{shell}");
        assert!(outcome.stdout.contains("emergency"), "{shell}");
    }
    let outcome = place.run(&["man"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert!(outcome.stdout.contains(".TH nix-deploy 1"), "{}", outcome.stdout);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "its standard output is a full device")]
fn an_answer_that_nobody_gets_says_where_it_should_have_gone() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nix-deploy"));
    let output = command.args(["explain", "syntax-error"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: the answer cannot be written to standard output\n"), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
}
