//! Fixes keep the meaning and the comments, and a second run changes nothing.

use std::path::Path;

use nix_deploy::lint::{Policy, fix_text};

use crate::judge::parse_all;
use crate::mutate::mutants;

fn fixed(text: &str) -> Option<String> {
    fix_text(Path::new("m.nix"), text, &Policy::new()).map(|fixed| fixed.text)
}

/// Every comment's words, whatever stands between them.
fn comments(text: &str) -> Vec<String> {
    rnix::tokenize(text)
        .filter(|(kind, _)| *kind == rnix::SyntaxKind::TOKEN_COMMENT)
        .map(|(_, comment)| comment.trim().to_owned())
        .collect()
}

/// What Nix prints for an expression, with what our fixes may change brought
/// to one form: `rec` that nothing uses, the two ways to inherit, an empty
/// `let`, `let` in `let`.
fn meaning(printed: &str) -> Vec<&str> {
    // Bindings are printed in the order of their names, which a merge of two
    // `let` changes: compared as a bag of words.
    let signs = |next: char| next.is_whitespace() || "().;=".contains(next);
    let frame = ["rec", "let", "in", "inherit", "{", "}"];
    printed.split(signs).filter(|word| !word.is_empty() && !frame.contains(word)).collect()
}

#[test]
fn fixes_of_every_fixture_and_of_mutants_keep_the_meaning() {
    let mut texts = crate::fixtures();
    let mut all: Vec<String> = texts.iter().map(|(_, text)| text.clone()).collect();
    texts.retain(|(_, text)| fixed(text).is_some());
    assert!(texts.len() >= 3, "only {} fixtures can be mended", texts.len());
    all.extend(mutants(&texts, 1500, 7));
    let changed: Vec<(String, String)> =
        all.iter().filter_map(|text| Some((text.clone(), fixed(text)?))).collect();
    assert!(changed.len() > 100, "only {} files were mended", changed.len());
    for (before, after) in &changed {
        assert_eq!(fixed(after), None, "a second run changes:\n{after}");
        assert_eq!(comments(before), comments(after), "{before}");
    }
    let (before, after): (Vec<String>, Vec<String>) = changed.into_iter().unzip();
    let (was, is) = (parse_all(&before), parse_all(&after));
    let mut wrong = Vec::new();
    for (index, (was, is)) in was.iter().zip(&is).enumerate() {
        // Paths are printed in full, with the number of the file.
        let (Some(was), Some(is)) = (was, is) else {
            if was.is_some() {
                wrong.push(format!("no longer parses:\n{}", after[index]));
            }
            continue;
        };
        if was != is && !same_meaning(was, is) {
            wrong.push(format!("{}\n--- was\n{was}\n--- is\n{is}", after[index]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), was.len(), wrong.join("\n======\n"));
}

/// `x = x` is printed with a name more than `inherit x`; everything else has to
/// be there as often as before.
fn same_meaning(was: &str, is: &str) -> bool {
    let count = |printed: &str| {
        let mut counts = std::collections::BTreeMap::new();
        meaning(printed).into_iter().for_each(|word| *counts.entry(word.to_owned()).or_insert(0_i32) += 1);
        counts
    };
    let inherits = |printed: &str| printed.matches("inherit ").count() as i32;
    let (before, now) = (count(was), count(is));
    let mut fewer = 0;
    for (word, times) in &before {
        let left = now.get(word).copied().unwrap_or(0);
        if left > *times || left == 0 {
            return false;
        }
        fewer += times - left;
    }
    before.len() == now.len() && fewer == inherits(is) - inherits(was)
}

#[test]
fn each_fix_alone_is_the_same_expression_for_nix() {
    // Where the printed expression is the same before and after.
    let same = [
        "{ url = https://example.org/a?b=c; }",
        "let a = 1; in (a)",
        "x: [ (x) ((x 1)) ({ }) ([ ]) (\"a\") ]",
        "f: { a = (f 1); b = (x: x); c = (if f then 1 else 2); }",
        "f: f(f)(f)",
        "x: { a = (x.a); b = [ (x.b.c) ]; }",
    ];
    let before: Vec<String> = same.iter().map(|text| (*text).to_owned()).collect();
    let after: Vec<String> = before.iter().map(|text| fixed(text).unwrap()).collect();
    assert_eq!(parse_all(&before), parse_all(&after), "{after:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the installed Nix evaluates both")]
fn fixes_that_change_the_expression_evaluate_to_the_same() {
    let cases = [
        "let in { a = 1; }",
        "let x = 1; in let y = x; z = y; in [ x y z ]",
        "let f = args: { args = args; b = args.b; c = args.d.c; }; in f { b = 2; d.c = 3; }",
        "let x = 5; in rec { a = x; b = { c = x; }; }",
        "let a = { b = 1; }; in let b = a.b; in rec { c = b; }",
        "let x = 1; in { x = x; y = let x = 2; in { x = x; }; }",
    ];
    for before in cases {
        let after = fixed(before).unwrap();
        let evaluate = |text: &str| {
            let output = std::process::Command::new("nix-instantiate")
                .args(["--eval", "--strict", "--json", "-E", text])
                .env("NIX_CONFIG", "build-users-group =")
                .output()
                .unwrap_or_else(|error| panic!("this test needs the installed Nix: {error}"));
            assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert_eq!(evaluate(before), evaluate(&after), "{after}");
    }
}
