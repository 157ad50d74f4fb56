//! Text with roles, fitted to a width.
//!
//! Owns measuring, cutting, wrapping and rendering. Everything that is shown
//! is first a [`Line`].
//!
//! Invariants: no span holds a control character, whatever it was made from,
//! so a rendered line is exactly one line of the terminal; widths are columns,
//! not characters.

use super::styles::{Role, Styles};
use crate::model::text::clean;

/// The widest report, in columns.
const WIDEST: usize = 78;
/// Below this many columns a report uses narrower labels.
const NARROW: usize = 60;
/// So far to the right a wrapped quotation stays.
const MOST_INDENT: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    role: Role,
    text: String,
}

/// One line of text whose parts have roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    spans: Vec<Span>,
}

impl Line {
    /// An empty line.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A line of plain text.
    pub(super) fn plain(text: &str) -> Self {
        Self::new().with(Role::Plain, text)
    }

    /// The same line with more text at its end.
    pub(super) fn with(mut self, role: Role, text: &str) -> Self {
        self.push(role, text);
        self
    }

    /// Adds text; line ends become spaces.
    pub(super) fn push(&mut self, role: Role, text: &str) {
        let text = clean(text).replace('\n', " ");
        if !text.is_empty() {
            self.spans.push(Span { role, text });
        }
    }

    /// Adds another line at the end.
    pub(super) fn append(&mut self, other: Self) {
        self.spans.extend(other.spans);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many columns it takes.
    pub(super) fn width(&self) -> usize {
        self.spans.iter().map(|span| width_of(&span.text)).sum()
    }

    /// How many spaces it begins with.
    fn indent(&self) -> usize {
        let text = self.spans.first().map_or("", |span| span.text.as_str());
        text.len() - text.trim_start_matches(' ').len()
    }

    /// Adds spaces up to a width.
    pub(super) fn padded(mut self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.push(Role::Plain, &" ".repeat(missing));
        self
    }

    /// Splits at spaces; the words keep their roles, and a command is one word.
    fn words(&self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut word = Self::new();
        for span in &self.spans {
            if span.role == Role::Command {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                words.push(Self { spans: vec![span.clone()] });
                continue;
            }
            for (index, part) in span.text.split(' ').enumerate() {
                if index > 0 && !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                word.push(span.role, part);
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
        words
    }

    /// Splits behind a number of columns; the first part has at least one character.
    fn split(&self, width: usize) -> (Self, Self) {
        let (mut head, mut tail) = (Self::new(), Self::new());
        let mut used = 0;
        for span in &self.spans {
            let mut end = 0;
            for character in span.text.chars() {
                let wide = width_of(character.encode_utf8(&mut [0; 4]));
                if !tail.is_empty() || (used + wide > width && used > 0) {
                    break;
                }
                used += wide;
                end += character.len_utf8();
            }
            head.push(span.role, &span.text[..end]);
            tail.push(span.role, &span.text[end..]);
        }
        (head, tail)
    }
}

fn width_of(text: &str) -> usize {
    console::measure_text_width(text)
}

/// Where lines are shown: what it can show and how wide it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    styles: Styles,
    width: usize,
}

impl Page {
    /// A page of an output that is `columns` wide; `None` when it is no terminal.
    pub(super) fn new(styles: Styles, columns: Option<usize>) -> Self {
        // The last column stays free: some terminals wrap when it is used.
        let width = columns.map_or(WIDEST, |columns| columns.saturating_sub(1).clamp(20, WIDEST));
        Self { styles, width }
    }

    /// The width of reports.
    pub(super) fn width(self) -> usize {
        self.width
    }

    /// What the output can show.
    pub(super) fn styles(self) -> Styles {
        self.styles
    }

    /// Columns of the labels at the left of a report.
    fn label_width(self) -> usize {
        if self.width < NARROW { 10 } else { 14 }
    }

    /// A label below a headline, set in; by less where labels are narrow.
    pub(super) fn below(self, label: &str) -> String {
        format!("{}{label}", if self.width < NARROW { " " } else { "  " })
    }

    /// Turns a line into text for the output.
    pub(super) fn render(self, line: &Line) -> String {
        let spans = line.spans.iter();
        let text: String =
            spans.map(|span| self.styles.paint(span.role, &self.styles.signs(span.text.clone()))).collect();
        text.trim_end().to_owned()
    }

    /// Turns lines into text with line ends.
    pub(super) fn render_all(self, lines: &[Line]) -> String {
        lines.iter().map(|line| self.render(line) + "\n").collect()
    }

    /// The line with the signs of this output, so that its width is true.
    fn signs(self, mut line: Line) -> Line {
        for span in &mut line.spans {
            span.text = self.styles.signs(std::mem::take(&mut span.text));
        }
        line
    }

    /// Cuts a line to a width and says so with `…`.
    pub(super) fn fit(self, line: Line, width: usize) -> Line {
        fit(self.signs(line), width, &self.styles.signs("…".to_owned()))
    }

    /// A host's name, cut in its middle: names of a fleet often differ at their end.
    pub(super) fn host_name(self, name: &str, width: usize) -> Line {
        let ellipsis = self.styles.signs("…".to_owned());
        let count = name.chars().count();
        let Some(room) = width.checked_sub(width_of(&ellipsis)).filter(|_| count > width) else {
            return Line::new().with(Role::Host, name);
        };
        let head: String = name.chars().take(room / 2).collect();
        let tail: String = name.chars().skip(count - (room - room / 2)).collect();
        Line::new().with(Role::Host, &head).with(Role::Dim, &ellipsis).with(Role::Host, &tail)
    }

    /// Puts `right` at the right edge of the report, or below when both do not fit.
    pub(super) fn edges(self, left: Line, right: Line) -> Vec<Line> {
        let (left, right) = (self.signs(left), self.signs(right));
        if left.width() + 2 + right.width() <= self.width {
            let mut line = left.padded(self.width - right.width());
            line.append(right);
            return vec![line];
        }
        vec![self.fit(left, self.width), self.fit(right, self.width)]
    }

    /// Sets items one after the other with a separator. A line is broken
    /// between items, an item only when it is wider than the width, and only
    /// between words: a path or a command that is wider still has a line of its
    /// own, or nobody could copy it.
    pub(super) fn flow(self, items: Vec<Line>, separator: &str, width: usize) -> Vec<Line> {
        let mut lines = vec![Line::new()];
        for item in items {
            let item = self.signs(item);
            if item.width() <= width {
                place(&mut lines, item, separator, width);
                continue;
            }
            let mut separator = separator;
            for word in item.words() {
                place(&mut lines, word, separator, width);
                separator = " ";
            }
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// A label at the left and lines beside it; nothing without lines. Each of
    /// `paragraphs` starts a new line and is wrapped.
    pub(super) fn row(self, label: &str, paragraphs: Vec<Line>) -> Vec<Line> {
        let width = self.width - self.label_width();
        let lines = paragraphs.into_iter().flat_map(|line| self.flow(vec![line], " ", width));
        self.labelled(label, lines.collect())
    }

    /// A label at the left and items beside it, see [`Self::flow`].
    pub(super) fn row_of_items(self, label: &str, items: Vec<Line>, separator: &str) -> Vec<Line> {
        let width = self.width - self.label_width();
        self.labelled(label, self.flow(items, separator, width))
    }

    /// A label at the left and foreign lines beside it behind a bar, so that
    /// nobody takes them for the report's own words. What is wrapped stays as
    /// far to the right as it began.
    pub(super) fn quote(self, label: &str, quoted: Vec<Line>) -> Vec<Line> {
        let width = self.width - self.label_width() - 2;
        let mut lines = Vec::new();
        for line in quoted {
            if line.width() <= width {
                lines.push(self.behind_bar(0, line));
                continue;
            }
            let indent = line.indent().min(MOST_INDENT);
            let wrapped = self.flow(vec![line], " ", width - indent);
            lines.extend(wrapped.into_iter().map(|line| self.behind_bar(indent, line)));
        }
        self.labelled(label, lines)
    }

    fn behind_bar(self, indent: usize, line: Line) -> Line {
        let mut behind_bar = Line::new().with(Role::Dim, "│ ").with(Role::Plain, &" ".repeat(indent));
        behind_bar.append(self.signs(line));
        behind_bar
    }

    fn labelled(self, label: &str, lines: Vec<Line>) -> Vec<Line> {
        let mut label = label;
        let mut rows = Vec::new();
        for line in lines {
            let mut row = Line::new().with(Role::Strong, label).padded(self.label_width());
            row.append(line);
            rows.push(row);
            label = "";
        }
        rows
    }
}

fn fit(line: Line, width: usize, ellipsis: &str) -> Line {
    if line.width() <= width {
        return line;
    }
    if width <= width_of(ellipsis) {
        return if width == 0 { Line::new() } else { line.split(width).0 };
    }
    let (mut head, _) = line.split(width - width_of(ellipsis));
    head.push(Role::Dim, ellipsis);
    head
}

fn place(lines: &mut Vec<Line>, item: Line, separator: &str, width: usize) {
    match lines.last_mut() {
        Some(last) if last.is_empty() => *last = item,
        Some(last) if last.width() + width_of(separator) + item.width() <= width => {
            last.push(Role::Plain, separator);
            last.append(item);
        }
        _ => lines.push(item),
    }
}

#[cfg(test)]
pub(super) fn page(columns: usize) -> Page {
    Page::new(Styles::UNICODE, Some(columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(page: Page, lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| page.render(line)).collect()
    }

    #[test]
    fn no_line_holds_a_control_character() {
        let line = Line::plain("a\u{1b}[2Jb\r\nc\td\u{9b}31m");
        assert_eq!(page(80).render(&line), "ab c d31m");
    }

    #[test]
    fn cutting_counts_columns_and_says_so() {
        let page = page(80);
        let cut = |text: &str, width| page.render(&page.fit(Line::plain(text), width));
        assert_eq!(cut("hello", 5), "hello");
        assert_eq!(cut("hello world", 8), "hello w…");
        assert_eq!(cut("日本語日本語", 6), "日本…");
        assert_eq!(cut("hello", 1), "h");
        assert_eq!(cut("hello", 0), "");
        let ascii = Page::new(Styles::ASCII, Some(80));
        assert_eq!(ascii.render(&ascii.fit(Line::plain("1 → 2 and more"), 10)), "1 -> 2 ...");
    }

    #[test]
    fn hosts_whose_names_differ_at_the_end_are_told_apart() {
        let name = |text: &str, width| page(80).render(&page(80).host_name(text, width));
        assert_eq!(name("building-of-the-north-7", 12), "build…orth-7");
        assert_eq!(name("p620", 4), "p620");
        assert_eq!((name("p620", 1).as_str(), name("p620", 2).as_str()), ("…", "…0"));
    }

    #[test]
    fn items_stay_whole_until_they_are_wider_than_the_line() {
        let page = page(80);
        let items = ["one two", "three four", "a-very-long-word and more"].map(Line::plain).to_vec();
        let lines = page.flow(items, "   ", 12);
        assert_eq!(render(page, &lines), ["one two", "three four", "a-very-long-word", "and more"]);
    }

    #[test]
    fn what_is_to_be_copied_is_never_broken() {
        let page = page(40);
        let log = "/home/ada/.local/state/nix-deploy/runs/1/build-nginx-1.26.1.log";
        let rows = page.row("Next", vec![Line::plain(&format!("see the whole log: {log} now"))]);
        let expected =
            ["Next      see the whole log:".to_owned(), format!("          {log}"), "          now".to_owned()];
        assert_eq!(render(page, &rows), expected);
        let quoted = page.quote("Evidence", vec![Line::plain(&format!("log at {log}"))]);
        assert!(render(page, &quoted).contains(&format!("          │ {log}")));
        let command = Line::plain("type ").with(Role::Command, "nix-env -p /a/path --set /another/path");
        let rows = page.row("Next", vec![command]);
        let expected = ["Next      type", "          nix-env -p /a/path --set /another/path"];
        assert_eq!(render(page, &rows), expected);
    }

    #[test]
    fn a_quotation_that_is_wrapped_stays_as_far_to_the_right_as_it_began() {
        let page = page(40);
        let quoted = ["web.service:", "  short", "  a line of a journal that is too long"].map(Line::plain);
        let expected = [
            "Evidence  │ web.service:",
            "          │   short",
            "          │   a line of a journal that",
            "          │   is too long",
        ];
        assert_eq!(render(page, &page.quote("Evidence", quoted.to_vec())), expected);
    }

    #[test]
    fn a_label_and_what_stands_beside_it_never_touch() {
        for (columns, expected) in [(40, " Packages none"), (80, "  Packages    none")] {
            let page = page(columns);
            let rows = page.row(&page.below("Packages"), vec![Line::plain("none")]);
            assert_eq!(render(page, &rows), [expected]);
        }
    }

    #[test]
    fn rows_hang_below_their_label() {
        let page = page(40);
        let rows = page.row("Why", vec![Line::plain("first cause that is long enough"), Line::plain("second")]);
        let expected = ["Why       first cause that is long", "          enough", "          second"];
        assert_eq!(render(page, &rows), expected);
        assert!(page.row("Why", Vec::new()).is_empty());
    }

    #[test]
    fn both_edges_share_a_line_only_when_they_fit() {
        let page = page(31);
        let edges = |left: &str| render(page, &page.edges(Line::plain(left), Line::plain("SUCCESS")));
        assert_eq!(edges("REPORT: p620"), ["REPORT: p620           SUCCESS"]);
        assert_eq!(edges("REPORT: a-rather-long-name"), ["REPORT: a-rather-long-name", "SUCCESS"]);
    }
}
