//! One text through parser, name passes and every rule, independent of path
//! and policy: what the cache keeps.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::Severity;

use super::RuleInfo;
use super::duplicates::duplicates;
use super::file::File;
use super::found::{Found, Hit};
use super::mask::{Secrets, masked};
use super::rules;
use super::scope::resolve;
use super::suppress::{self, Allow};
use super::tree::{self, Broken, Limit, Lines, Span};

/// A finding without the file it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawFinding {
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) guest_severity: Option<Severity>,
    /// First and last line and column.
    pub(crate) lines: [u32; 4],
    pub(crate) span: Span,
    pub(crate) subject: String,
    pub(crate) message: String,
    pub(crate) mend: String,
    pub(crate) source_line: String,
    /// What the fingerprint is made of, besides rule and path.
    pub(crate) code: u64,
}

/// A suppression with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawAllow {
    pub(crate) rule: String,
    pub(crate) reason: String,
    /// The line it holds for; 0 for the whole file.
    pub(crate) line: u32,
    pub(crate) lines: [u32; 4],
    pub(crate) span: Span,
    pub(crate) source_line: String,
}

/// All there is to say about a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<RawFinding>,
    pub(crate) allows: Vec<RawAllow>,
}

/// Characters of a source line that are shown at most.
const LONGEST_LINE: usize = 400;

/// Judges bytes. Needs a stack as [`engine`](super::engine) gives it.
pub(crate) fn judge(bytes: &[u8]) -> Judged {
    let text = String::from_utf8_lossy(bytes);
    // The parser is not ours; a bug of it must not end the program.
    match catch_unwind(AssertUnwindSafe(|| judge_text(&text, matches!(text, std::borrow::Cow::Owned(_))))) {
        Ok(judged) => judged,
        Err(_) => {
            let hit = Hit::new(&rules::UNREADABLE_FILE, Span::new(0, 0), "the parser gave up on this file")
                .mend("make it simpler, or leave it out with `[lint] ignore`");
            finish(&text, &Lines::new(&text), vec![hit], &[], Vec::new())
        }
    }
}

fn judge_text(text: &str, lossy: bool) -> Judged {
    let lines = Lines::new(text);
    let mut hits = Vec::new();
    if lossy {
        let at = text.find('\u{fffd}').unwrap_or_default();
        let span = Span::new(at, at + '\u{fffd}'.len_utf8().min(text.len() - at));
        let hit = Hit::new(&rules::UNREADABLE_FILE, span, "the file is not UTF-8");
        hits.push(hit.severity(Severity::Warning).mend("save it as UTF-8"));
    }
    match parsed(text) {
        Ok((file, secrets)) => {
            let mut secrets = secrets;
            let lines = &file.lines;
            let allows = suppress::read(&file, &mut hits);
            rules::run(&file, &mut Found { hits: &mut hits, secrets: &mut secrets });
            finish(text, lines, hits, &allows, secrets)
        }
        Err(found) => {
            hits.extend(found);
            finish(text, &lines, hits, &[], Vec::new())
        }
    }
}

/// A text as a file for rules, or what keeps it from being one.
pub(crate) fn parsed(text: &str) -> Result<(File<'_>, Vec<Span>), Vec<Hit>> {
    if let Some(limit) = tree::exceeded(text) {
        return Err(vec![beyond(limit)]);
    }
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        let span = Span::new(0, text.len() - rest.len());
        let message = "the file begins with a byte order mark, which Nix does not read";
        return Err(vec![
            Hit::new(&rules::SYNTAX_ERROR, span, message).mend("save it as UTF-8 without a mark"),
        ]);
    }
    let tree = tree::parse(text).map_err(|broken| broken.into_iter().map(syntax_error).collect::<Vec<_>>())?;
    let scopes = resolve(&tree);
    Ok((File::new(tree, scopes, Lines::new(text)), Vec::new()))
}

fn syntax_error(broken: Broken) -> Hit {
    if broken.message == tree::TOO_DEEP {
        return beyond(Limit::Depth(broken.span.start as usize));
    }
    Hit::new(&rules::SYNTAX_ERROR, broken.span, broken.message)
}

fn beyond(limit: Limit) -> Hit {
    let (at, message) = match limit {
        Limit::Depth(at) => (at, "nested more than 512 levels deep: the file cannot be judged"),
        Limit::Length(at) => (at, "an expression of more than 8,000 words: the file cannot be judged"),
        Limit::Cost(at) => (at, "a run of names too long to read: the file cannot be judged"),
    };
    Hit::new(&rules::UNREADABLE_FILE, Span::new(at, at), message)
        .mend("split it, or read the data from a JSON file")
}

/// The hits of the name passes.
pub(crate) fn name_hits(file: &File<'_>, hits: &mut Vec<Hit>) {
    let tree = &file.tree;
    for (count, span) in file.scopes.undefined.iter().enumerate() {
        let name = tree.slice(*span);
        // After so many it is no slip of the pen.
        let near = if count < 50 { near_name(file, name) } else { None };
        let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
        let hit =
            Hit::new(&rules::UNDEFINED_VAR, *span, format!("`{name}` is not defined{near}")).subject(name);
        hits.push(hit.mend("define it, or take it from a function argument"));
    }
    for duplicate in duplicates(tree) {
        let line = file.lines.line(duplicate.first.start);
        let what = if duplicate.argument { "argument" } else { "attribute" };
        let message = format!("{what} `{}` is already defined in line {line}", duplicate.name);
        let hit = Hit::new(&rules::DUPLICATE_ATTR, duplicate.span, message).subject(duplicate.name);
        hits.push(hit.mend("keep one of the two"));
    }
}

/// A defined name that is only a slip away. Looks at few, to stay linear.
fn near_name<'f>(file: &'f File<'_>, name: &str) -> Option<&'f str> {
    let names = file.scopes.definitions.iter().take(200).map(|definition| file.tree.slice(definition.name));
    let near = names.map(|known| (strsim::damerau_levenshtein(known, name), known));
    near.filter(|(distance, known)| (1..=2).contains(distance) && *distance < known.len().min(name.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn finish(text: &str, lines: &Lines<'_>, mut hits: Vec<Hit>, allows: &[Allow], secrets: Vec<Span>) -> Judged {
    let secrets = Secrets::new(secrets);
    hits.sort_by(|a, b| (a.span, a.info.id, &a.message).cmp(&(b.span, b.info.id, &b.message)));
    // Many findings may stand in one line, which may be long.
    let mut last: Option<(u32, String)> = None;
    let mut line_of = |span: Span| {
        let number = lines.line(span.start);
        if let Some((known, shown)) = &last
            && *known == number
        {
            return shown.clone();
        }
        let line = lines.span(number);
        let mut shown = masked(&text[line.range()], line.start, &secrets);
        if let Some((cut, _)) = shown.char_indices().nth(LONGEST_LINE) {
            shown.truncate(cut);
            shown.push('…');
        }
        last = Some((number, shown.clone()));
        shown
    };
    let places = |span: Span| {
        let (line, column) = lines.position(span.start);
        let (end_line, end_column) = lines.position(span.end);
        [line, column, end_line, end_column]
    };
    let code_of = |hit: &Hit| {
        let source = text.get(hit.span.range()).unwrap_or_default();
        let code: String = source.chars().take(4000).filter(|next| !next.is_whitespace()).take(400).collect();
        super::hash::hash(format!("{}\0{code}", hit.subject).as_bytes()) as u64
    };
    let findings: Vec<RawFinding> = hits
        .into_iter()
        .map(|hit| RawFinding {
            rule: hit.info.id,
            severity: hit.severity,
            guest_severity: hit.guest_severity,
            lines: places(hit.span),
            span: hit.span,
            code: code_of(&hit),
            // Both may quote the code.
            subject: masked(&hit.subject, 0, &Secrets::default()),
            message: masked(&hit.message, 0, &Secrets::default()),
            mend: hit.mend,
            source_line: line_of(hit.span),
        })
        .collect();
    let allows = allows.iter().map(|allow| RawAllow {
        rule: allow.rule.clone(),
        reason: masked(&allow.reason, 0, &Secrets::default()),
        line: allow.line.unwrap_or_default(),
        lines: places(allow.span),
        span: allow.span,
        source_line: line_of(allow.span),
    });
    Judged { findings, allows: allows.collect() }
}

/// The rules whose findings the installed Nix confirms.
pub(crate) fn is_syntax(rule: &str) -> bool {
    [&rules::SYNTAX_ERROR, &rules::DUPLICATE_ATTR, &rules::UNDEFINED_VAR]
        .iter()
        .any(|info: &&RuleInfo| info.id == rule)
}
