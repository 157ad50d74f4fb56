//! Suppression by comment: `# nix-deploy: allow RULE[, RULE] -- reason`.
//!
//! On a line with code it holds for that line, on a line of its own for the
//! next line of code, before all code for the file. A reason is required.

use super::file::File;
use super::find_rule;
use super::found::Hit;
use super::rules::{self, nearest_rule};
use super::tree::Span;

/// One rule that a comment allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allow {
    pub(crate) rule: String,
    pub(crate) reason: String,
    /// The line it holds for; `None` for the whole file.
    pub(crate) line: Option<u32>,
    /// The comment.
    pub(crate) span: Span,
}

const MARK: &str = "nix-deploy:";

/// Reads the comments of a file. What is wrong with them becomes hits.
pub(crate) fn read(file: &File<'_>, hits: &mut Vec<Hit>) -> Vec<Allow> {
    let mut allows = Vec::new();
    let tree = &file.tree;
    for span in &tree.comments {
        let text = tree.slice(*span);
        let body = text.trim_start_matches(['#', '/', '*', ' ', '\t']);
        let Some(order) = body.strip_prefix(MARK) else { continue };
        let order = order.trim().trim_end_matches("*/").trim_end();
        let word = order.split([' ', '\t', ':', '=']).next().unwrap_or_default();
        let known = ["allow", "ignore", "disable", "suppress", "skip"];
        if !known.iter().any(|known| strsim::damerau_levenshtein(word, known) <= 1) {
            // A sentence that only begins with the program's name.
            continue;
        }
        if word != "allow" {
            let message = format!("`{word}` is not known here, so this comment allows nothing");
            hits.push(Hit::new(&rules::BAD_SUPPRESSION, *span, message).mend(FORM));
            continue;
        }
        let rest = order["allow".len()..].trim();
        let (rules, reason) = match rest.split_once("--") {
            Some((rules, reason)) => (rules, reason.trim()),
            None => (rest, ""),
        };
        let line = applies_to(file, *span);
        if reason.is_empty() {
            let hit = Hit::new(
                &rules::BAD_SUPPRESSION,
                *span,
                "this suppression gives no reason, so it does not count",
            );
            hits.push(hit.severity(crate::model::Severity::Warning).mend(FORM));
        }
        let ids = rules.split([',', ' ', '\t']).filter(|id| !id.is_empty());
        for id in ids {
            if find_rule(id).is_none() {
                let near = nearest_rule(id).map_or(String::new(), |near| format!(", did you mean `{near}`?"));
                let message = format!("there is no rule `{id}`{near}");
                let hit = Hit::new(&rules::BAD_SUPPRESSION, *span, message).subject(id);
                hits.push(hit.mend("run `nix-deploy check --list-rules` for all names"));
            } else if !reason.is_empty() {
                allows.push(Allow { rule: id.to_owned(), reason: reason.to_owned(), line, span: *span });
            }
        }
    }
    allows
}

const FORM: &str = "write `# nix-deploy: allow RULE -- reason`";

fn applies_to(file: &File<'_>, span: Span) -> Option<u32> {
    let tree = &file.tree;
    let code_start = tree.span(tree.root()).start;
    if span.end <= code_start {
        return None;
    }
    let line = file.lines.line(span.start);
    let before = tree.text.get(file.lines.start(line) as usize..span.start as usize).unwrap_or_default();
    if !before.trim().is_empty() {
        return Some(line);
    }
    // The next line that is neither empty nor a comment.
    let mut position = span.end as usize;
    let bytes = tree.text.as_bytes();
    loop {
        while position < bytes.len() && bytes[position].is_ascii_whitespace() {
            position += 1;
        }
        let next = tree.comments.partition_point(|comment| (comment.start as usize) < position);
        match tree.comments.get(next) {
            Some(comment) if comment.start as usize == position => position = comment.end as usize,
            _ => return Some(file.lines.line(position as u32)),
        }
    }
}
