//! Judges the matcher of `nix-deploy issues` on labelled issues.
//!
//! `cargo run --release --example judge_matcher -- ISSUES.json INVENTORY.txt`
//! prints what was missed and what was wrong, and last the figures as one line
//! of JSON.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the output of this program is its purpose")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [issues, inventory] = &arguments[..] else {
        eprintln!("usage: judge_matcher ISSUES.json INVENTORY.txt");
        return ExitCode::from(2);
    };
    let read = |path: &String| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let judged = read(issues).and_then(|issues_json| {
        let inventory = read(inventory)?;
        nix_deploy::issues::judge(&issues_json, &inventory).map_err(|error| format!("{issues}: {error}"))
    });
    match judged {
        Ok(judgement) => {
            print!("{judgement}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
