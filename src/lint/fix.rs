//! Mends what can be mended without a change of meaning.
//!
//! Each rule says how; here edits that touch each other are put off to the
//! next round, and rounds go on until nothing is left. A round whose result
//! would not parse is taken back edit by edit, so that a mistake of a rule can
//! never break a file.

use std::collections::BTreeMap;
use std::path::Path;

use super::Policy;
use super::engine::with_stack;
use super::found::{Edit, Found, Hit};
use super::judge::{is_syntax, parsed};
use super::rules;
use super::suppress;
use super::tree::Lines;

/// A text after fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// Which rules were mended, how often; sorted by rule.
    pub fixes: Vec<(&'static str, usize)>,
}

/// Rounds at most. A fix makes the text simpler, so each ends by itself; the
/// bound is for what one does not think of.
const ROUNDS: usize = 64;

/// Mends all there is to mend, until nothing is left; `None` when nothing was
/// or when the text does not parse. Suppressed findings and rules that are off
/// are left alone.
pub fn fix_text(shown: &Path, text: &str, policy: &Policy) -> Option<Fixed> {
    if policy.ignores(shown) {
        return None;
    }
    let mut current = text.to_owned();
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let Some(fixes) = with_stack(|| fixes(&current, policy)).flatten().filter(|fixes| !fixes.is_empty())
        else {
            break;
        };
        let mended = apply(&current, fixes.iter().map(|(_, edits)| edits.as_slice()));
        if with_stack(|| is_valid(&mended)) == Some(true) {
            fixes.iter().for_each(|(rule, _)| *counts.entry(rule).or_default() += 1);
            current = mended;
            continue;
        }
        // One of them is wrong: all that are right, one after the other from the
        // end, so that the places of the others still hold.
        let mut progress = false;
        for (rule, edits) in fixes.iter().rev() {
            let mended = apply(&current, std::iter::once(edits.as_slice()));
            if with_stack(|| is_valid(&mended)) == Some(true) {
                *counts.entry(rule).or_default() += 1;
                current = mended;
                progress = true;
                break;
            }
        }
        if !progress {
            break;
        }
    }
    (current != text).then(|| Fixed { text: current, fixes: counts.into_iter().collect() })
}

/// The fixes of one round, in source order; none touches another.
fn fixes(text: &str, policy: &Policy) -> Option<Vec<(&'static str, Vec<Edit>)>> {
    let (file, mut secrets) = parsed(text).ok()?;
    let mut hits = Vec::new();
    let allows = suppress::read(&file, &mut Vec::new());
    rules::run(&file, &mut Found { hits: &mut hits, secrets: &mut secrets });
    if hits.iter().any(|hit| is_syntax(hit.info.id)) {
        return None;
    }
    let lines = Lines::new(text);
    let wanted = |hit: &Hit| {
        let line = lines.line(hit.span.start);
        let allowed =
            allows.iter().any(|allow| allow.rule == hit.info.id && allow.line.is_none_or(|at| at == line));
        let level = policy.severity(hit.info.id, hit.severity);
        !hit.edits.is_empty() && !allowed && level.is_some() && policy.allowed_by(hit.info.id).is_none()
    };
    let mut fixes: Vec<(&'static str, Vec<Edit>)> =
        hits.into_iter().filter(wanted).map(|hit| (hit.info.id, hit.edits)).collect();
    let reach = |edits: &[Edit]| {
        let start = edits.iter().map(|edit| edit.span.start).min().unwrap_or_default();
        let end = edits.iter().map(|edit| edit.span.end).max().unwrap_or_default();
        (start, end)
    };
    fixes.sort_by_key(|(_, edits)| reach(edits));
    let mut end = 0;
    fixes.retain(|(_, edits)| {
        let (from, to) = reach(edits);
        // Side by side is too near: spaces between them would be counted twice.
        let apart = end == 0 || from > end;
        if apart {
            end = to.max(1);
        }
        apart
    });
    Some(fixes)
}

fn apply<'e>(text: &str, fixes: impl Iterator<Item = &'e [Edit]>) -> String {
    let mut edits: Vec<&Edit> = fixes.flatten().collect();
    edits.sort_by_key(|edit| edit.span);
    let mut mended = String::with_capacity(text.len());
    let mut position = 0;
    for edit in edits {
        let range = edit.span.range();
        mended.push_str(text.get(position..range.start).unwrap_or_default());
        mended.push_str(&edit.text);
        position = range.end;
    }
    mended.push_str(text.get(position..).unwrap_or_default());
    mended
}

fn is_valid(text: &str) -> bool {
    let Ok((file, _)) = parsed(text) else { return false };
    let mut hits = Vec::new();
    super::judge::name_hits(&file, &mut hits);
    hits.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str) -> String {
        fix_text(Path::new("a.nix"), text, &Policy::new()).map_or_else(|| text.to_owned(), |fixed| fixed.text)
    }

    #[test]
    fn each_safe_rule_mends_and_keeps_comments() {
        let cases = [
            ("{ a = github:a/b; } # c", "{ a = \"github:a/b\"; } # c"),
            ("rec { a = 1; }", "{ a = 1; }"),
            ("x: rec /* why */ { a = x; }", "x: /* why */ { a = x; }"),
            ("let in 1", "1"),
            ("a: { b =let in 1; }", "a: { b = 1; }"),
            ("let # none\nin 1", " # none\n 1"),
            ("a: { a = a; b = a.b; }", "a: { inherit a; inherit (a) b; }"),
            ("a: { a = /* same */ a; }", "a: { a = /* same */ a; }"),
            ("let a = 1; in let b = a; in b", "let a = 1;  b = a; in b"),
            ("let a = 1; in # two\n  let b = a; in b", "let a = 1;  # two\n   b = a; in b"),
            ("b: let a = b; in let b = a; in b", "b: let a = b; in let b = a; in b"),
            ("x: [ (x) ((x 1)) ]", "x: [ x (x 1) ]"),
            ("f: f(f)(f)", "f: f f f"),
            ("{ a = ( # why\n 1 + 2 ); }", "{ a =  # why\n 1 + 2 ; }"),
            ("x: (x.a).b or 1", "x: (x.a).b or 1"),
            // Several in one file, one inside of the other.
            ("let in rec { a = (github:a/b); }", "{ a = \"github:a/b\"; }"),
            // What cannot be mended safely stays.
            ("x: y: map (z: x z) y", "x: y: map (z: x z) y"),
            ("x: x == true", "x: x == true"),
            ("{ a = }", "{ a = }"),
        ];
        for (before, after) in cases {
            assert_eq!(fixed(before), after);
            assert_eq!(fixed(after), after, "a second run changes nothing");
        }
    }

    #[test]
    fn what_is_suppressed_or_off_is_left_alone() {
        let text = "# nix-deploy: allow rec-unneeded -- shown to students\nrec { a = (1); b = (a: a); }";
        let fixed = fix_text(Path::new("a.nix"), text, &Policy::new()).unwrap();
        assert!(fixed.text.ends_with("rec { a = 1; b = a: a; }"), "{}", fixed.text);
        assert_eq!(fixed.fixes, [("useless-parens", 2)]);
        let mut policy = Policy::new();
        policy.set_level("useless-parens", super::super::Level::Off).unwrap();
        assert_eq!(fix_text(Path::new("a.nix"), "{ a = (1); }", &policy), None);
    }
}
