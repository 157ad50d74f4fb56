//! The text of a settings file and what is wrong in it, shown with line,
//! column, the line itself and a caret.
//!
//! Invariant: a line that is shown never shows a password: whatever looks like
//! the userinfo of a URL is covered, also in a line that could not be parsed.

use std::ops::Range;
use std::path::{Path, PathBuf};

use console::measure_text_width;

use crate::model::text::clean_line;
use crate::model::{Failure, FailureClass};

/// A longer line is cut around the place that matters, in characters.
const SHOWN_LINE: usize = 100;

/// A settings file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    text: String,
    /// Where each line begins, in bytes.
    line_starts: Vec<usize>,
}

/// Something wrong in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where, in bytes; `None` when it is the file as a whole.
    span: Option<Range<usize>>,
    message: String,
    hint: Option<String>,
    /// Whether the line itself may be shown.
    show_line: bool,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), hint: None, show_line: true }
    }

    /// A problem of the whole file.
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into(), hint: None, show_line: true }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the line from being shown, because it may hold a secret.
    pub(crate) fn without_line(mut self) -> Self {
        self.show_line = false;
        self
    }

    /// Where it starts, for sorting; problems of the whole file come first.
    pub(crate) fn start(&self) -> usize {
        self.span.as_ref().map_or(0, |span| span.start)
    }
}

impl Source {
    /// A file with its text. A byte order mark is left out, so that columns
    /// are those of an editor.
    pub(crate) fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        Self { path: path.into(), text, line_starts }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where it was read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Line and column of a byte, both counted from 1, columns in characters.
    fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The line that holds a byte, and where it begins.
    fn line_at(&self, offset: usize) -> (usize, &str) {
        let (line, _) = self.position(offset);
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        (start, self.text[start..end].trim_end_matches(['\n', '\r']))
    }

    /// The problem as people read it, `shown` being the file's name for them.
    pub(crate) fn explain(&self, problem: &Problem, shown: &str) -> Failure {
        let place = match &problem.span {
            Some(span) => {
                let (line, column) = self.position(span.start);
                format!("{shown}:{line}:{column}")
            }
            None => shown.to_owned(),
        };
        let mut failure =
            Failure::new(FailureClass::Usage, format!("{place}: {}", clean_line(&problem.message)));
        if let (Some(span), true) = (&problem.span, problem.show_line)
            && !self.is_webhook(span.start)
        {
            failure = failure.evidence(self.excerpt(span));
        }
        match &problem.hint {
            Some(hint) => failure.hint(clean_line(hint)),
            None => failure,
        }
    }

    /// Whether a line of `[notify]` holds an address, under whatever key: the
    /// path of a webhook is its secret.
    fn is_webhook(&self, offset: usize) -> bool {
        let (start, line) = self.line_at(offset);
        let section = self.text[..start].lines().rev().map(str::trim_start).find(|line| line.starts_with('['));
        let notifies = |text: &str| text.trim_start_matches(['[', ' ', '"']).starts_with("notify");
        line.contains("://") && (notifies(line.trim_start()) || section.is_some_and(notifies))
    }

    /// The line with a caret below the place.
    fn excerpt(&self, span: &Range<usize>) -> Vec<String> {
        let (number, column) = self.position(span.start);
        let (start, line) = self.line_at(span.start);
        let gutter = number.to_string();
        let blank = " ".repeat(gutter.len());
        let covered = cover_passwords(line);
        if covered != line {
            // The columns have moved: the place in the message has to do.
            return vec![format!("{gutter} | {}", shorten(&covered, 0).0)];
        }
        let (shown, skipped) = shorten(line, column - 1);
        let marked = self.text.get(span.start..span.end.min(start + line.len())).unwrap_or_default();
        let before: String = line.chars().take(column - 1).skip(skipped).collect();
        let dots = if skipped > 0 { 1 } else { 0 };
        let indent = " ".repeat(measure_text_width(&printable(&before)) + dots);
        let carets = "^".repeat(measure_text_width(&printable(marked)).clamp(1, SHOWN_LINE / 2));
        vec![format!("{blank} |"), format!("{gutter} | {shown}"), format!("{blank} | {indent}{carets}")]
    }
}

/// One line fit for a screen in which every character keeps its column.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Cuts a long line around a column; says how many characters were left out in front.
fn shorten(line: &str, column: usize) -> (String, usize) {
    let line = printable(line);
    let count = line.chars().count();
    if count <= SHOWN_LINE {
        return (line, 0);
    }
    let skipped = column.saturating_sub(SHOWN_LINE / 2).min(count - SHOWN_LINE);
    let part: String = line.chars().skip(skipped).take(SHOWN_LINE).collect();
    let before = if skipped > 0 { "…" } else { "" };
    let after = if skipped + SHOWN_LINE < count { "…" } else { "" };
    (format!("{before}{part}{after}"), skipped)
}

/// Replaces what may be a password in a URL: everything from the colon behind
/// the user name up to the last `@` of the line, and the value of `password=`.
/// A line cut off before its `@` loses everything behind a colon that begins no port.
fn cover_passwords(line: &str) -> String {
    let mut covered = line.to_owned();
    if let Some(scheme_end) = covered.find("://").map(|index| index + 3)
        && let Some(colon) = covered[scheme_end..].find(':').map(|index| scheme_end + index + 1)
    {
        let at = covered.rfind('@').filter(|at| *at >= colon);
        let is_port = covered[colon..].starts_with(|next: char| next.is_ascii_digit());
        match at {
            Some(at) => covered.replace_range(colon..at, "***"),
            None if is_port => {}
            None => covered.replace_range(colon.., "***"),
        }
    }
    if let Some(start) = covered.find("password=").map(|index| index + "password=".len()) {
        let end = covered[start..].find(['&', '"', '\'', ' ']).map_or(covered.len(), |index| start + index);
        covered.replace_range(start..end, "***");
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(text: &str, part: &str) -> Failure {
        let source = Source::new("hosts.toml", text);
        let start = source.text().find(part).unwrap();
        source.explain(&Problem::at(start..start + part.len(), "is wrong"), "hosts.toml")
    }

    #[test]
    fn the_line_is_shown_with_a_caret_below_the_place() {
        let failure = explain("a = 1\r\nkey = bad # x\r\n", "bad");
        assert_eq!(failure.message, "hosts.toml:2:7: is wrong");
        assert_eq!(failure.evidence, ["  |", "2 | key = bad # x", "  |       ^^^"]);
    }

    #[test]
    fn a_byte_order_mark_tabs_and_wide_characters_keep_the_column() {
        let failure = explain("\u{feff}\tname = \"日本\" bad", "bad");
        assert_eq!(failure.message, "hosts.toml:1:14: is wrong");
        assert_eq!(failure.evidence[1], "1 |  name = \"日本\" bad");
        assert_eq!(failure.evidence[2], format!("  | {}^^^", " ".repeat(15)));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let failure = explain(&format!("{}bad{}", "x".repeat(5000), "y".repeat(5000)), "bad");
        assert_eq!(failure.message, "hosts.toml:1:5001: is wrong");
        assert!(failure.evidence[1].chars().count() < 120);
        let column = failure.evidence[1].chars().position(|character| character == 'b').unwrap();
        assert_eq!(failure.evidence[2].chars().position(|character| character == '^'), Some(column));
    }

    #[test]
    fn no_address_of_a_webhook_is_shown_whatever_its_key_is_called() {
        let bad = "urll = \"https://hooks.example.org/T0/s3cret\"";
        for text in [
            format!("[notify.ops]\nkind = \"slack\"\n{bad}\n"),
            format!("notify.ops.{bad}\n"),
            format!(" [ notify.ops ]\n{bad}\n"),
        ] {
            assert!(explain(&text, "urll").evidence.is_empty(), "{text}");
        }
        assert!(
            !explain(&format!("[notify.ops]\n{bad}\n[issues]\nurll = \"http://a\"\n"), "urll = \"http://a")
                .evidence
                .is_empty()
        );
    }

    #[test]
    fn no_password_of_a_url_is_shown() {
        for line in [
            "url = \"postgres://ada:hunter2@db/fleet\" bad",
            "url = \"postgres://ada:hun\"ter2@db/fleet bad",
            "url = 'postgres://db/fleet?password=hunter2&x=1' bad",
            "url = \"postgres://ada:p@hunter2@db/fleet\" bad",
            "url = \"postgres://ada:hunter2 bad",
        ] {
            let shown = explain(line, "bad").evidence.join("\n");
            assert!(!shown.contains("unter2") && !shown.contains("ter2"), "{shown}");
            assert!(shown.contains("***"), "{shown}");
        }
    }

    #[test]
    fn the_end_of_the_file_is_a_place_too() {
        let source = Source::new("hosts.toml", "a = ");
        let failure = source.explain(&Problem::at(4..4, "is cut off"), "hosts.toml");
        assert_eq!(failure.message, "hosts.toml:1:5: is cut off");
        assert_eq!(failure.evidence[2], "  |     ^");
    }
}
