//! Our verdict against that of the installed Nix on thousands of broken files.

use std::path::Path;

use nix_deploy::lint::{Policy, check_text};

use crate::judge::parse_all;
use crate::mutate::mutants;

/// How many are made; those that differ in nothing from Nix' view count too.
const MUTANTS: usize = 2100;

/// Whether we call a text broken, and in which words.
pub(crate) fn broken(text: &str) -> Option<String> {
    let report = check_text(Path::new("m.nix"), text.as_bytes(), &Policy::new());
    let own = ["syntax-error", "duplicate-attr", "undefined-var"];
    let hit = report.findings.iter().find(|finding| own.contains(&finding.rule.as_str()));
    hit.map(|finding| format!("{}: {}", finding.rule, finding.message))
}

#[test]
fn our_verdict_on_mutants_is_that_of_nix() {
    let texts = crate::fixtures();
    assert!(texts.len() >= 40, "only {} fixtures", texts.len());
    let mut all: Vec<String> = texts.iter().map(|(_, text)| text.clone()).collect();
    all.extend(mutants(&texts, MUTANTS, 20_240_501));
    let verdicts = parse_all(&all);
    let refused = verdicts.iter().filter(|verdict| verdict.is_none()).count();
    assert!(refused > MUTANTS / 3, "only {refused} mutants are broken");
    assert!(all.len() - refused > MUTANTS / 10, "only {} mutants are whole", all.len() - refused);
    let mut missed = Vec::new();
    let mut alarms = Vec::new();
    for (text, verdict) in all.iter().zip(&verdicts) {
        let ours = broken(text);
        match (&ours, verdict) {
            (Some(words), Some(_)) => alarms.push(format!("{words}\n{text}")),
            (None, None) => missed.push(text.clone()),
            _ => {}
        }
    }
    let agreed = all.len() - missed.len() - alarms.len();
    println!(
        "{} files, {refused} refused by Nix; {agreed} agreed, {} missed, {} false alarms",
        all.len(),
        missed.len(),
        alarms.len()
    );
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n========\n"));
    assert!(agreed * 1000 >= all.len() * 999, "missed {}:\n{}", missed.len(), missed.join("\n========\n"));
}
