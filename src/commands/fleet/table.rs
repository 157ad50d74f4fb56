//! An answer as a table of text: a heading, a line per row, columns as wide as
//! what is in them.
//!
//! Invariant: a row is one line, whatever the database holds; foreign text is
//! cleaned and cut.

use console::{measure_text_width, truncate_str};

use crate::fleet::query::{Answer, Column, Kind};
use crate::fleet::{Cell, Cells};
use crate::model::text::clean_line;

/// The widest column.
const WIDEST: usize = 60;
/// How much of a commit's hash is shown.
const HASH: usize = 8;

/// The whole table; empty without rows.
pub(super) fn table(answer: &Answer) -> String {
    if answer.rows.is_empty() {
        return String::new();
    }
    let columns: Vec<(usize, &Column, &str)> = answer
        .columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| Some((index, column, column.heading?)))
        .collect();
    let mut lines: Vec<Vec<String>> =
        vec![columns.iter().map(|(_, _, heading)| (*heading).to_owned()).collect()];
    for row in &answer.rows {
        let mark = if is_dirty(answer, row) { "+dirty" } else { "" };
        let words = columns.iter().map(|(index, column, _)| {
            let word = word(column, row.get(*index));
            if column.name == "commit_hash" { word + mark } else { word }
        });
        lines.push(words.collect());
    }
    let kinds: Vec<Kind> = columns.iter().map(|(_, column, _)| column.kind).collect();
    aligned(&lines, &kinds)
}

/// Whether a row is about a tree with changes that are in no commit.
fn is_dirty(answer: &Answer, row: &Cells) -> bool {
    let index = answer.columns.iter().position(|column| column.name == "dirty");
    index.and_then(|index| row.get(index)).and_then(Cell::boolean) == Some(true)
}

/// Lines of words under each other, numbers to the right.
pub(super) fn aligned(lines: &[Vec<String>], kinds: &[Kind]) -> String {
    let width = |index: usize| {
        lines.iter().map(|words| words.get(index).map_or(0, |word| measure_text_width(word))).max()
    };
    let widths: Vec<usize> = (0..kinds.len()).map(|index| width(index).unwrap_or_default()).collect();
    let mut text = String::new();
    for words in lines {
        let mut line = String::new();
        for ((word, width), kind) in words.iter().zip(&widths).zip(kinds) {
            let gap = " ".repeat(width.saturating_sub(measure_text_width(word)));
            match kind {
                Kind::Integer | Kind::Real => line.extend([gap.as_str(), word]),
                _ => line.extend([word, gap.as_str()]),
            }
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn word(column: &Column, cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return String::new() };
    let word = match column.kind {
        Kind::Text => cell.text().map(|text| shortened(column.name, text)),
        Kind::Integer => cell.integer().map(|number| number.to_string()),
        Kind::Real => cell.real().map(|number| number.to_string()),
        Kind::Boolean => cell.boolean().map(|yes| if yes { "yes" } else { "no" }.to_owned()),
        Kind::Time => cell.time().map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()),
    };
    word.unwrap_or_else(|| "-".to_owned())
}

fn shortened(name: &str, text: &str) -> String {
    let line = clean_line(text);
    if name.ends_with("commit_hash") || name.ends_with("_commit") {
        return line.chars().take(HASH).collect();
    }
    truncate_str(&line, WIDEST, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::query::{HISTORY, STATUS};

    #[test]
    fn a_row_is_one_line_whatever_it_holds() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let row = |host: &str, status: &str| {
            let mut row = vec![Cell::Null; STATUS.columns.len()];
            row[0] = text(host);
            row[1] = text(status);
            row[3] = text("0123456789abcdef");
            row[8] = Cell::Integer(12);
            row[11] = Cell::Integer(1);
            row[13] = Cell::Boolean(false);
            row
        };
        let rows = vec![row("p620", "behind"), row("<b>\"o'brien\"</b>\u{1b}[2J\nx", &"e".repeat(10_000))];
        let table = table(&Answer { columns: STATUS.columns, rows });
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert!(lines[0].starts_with("HOST"), "{table}");
        assert!(lines[1].contains("behind") && lines[1].contains("01234567  ") && lines[1].contains("12"));
        assert!(lines[1].ends_with("yes        -            no"), "{table}");
        assert!(lines[2].starts_with("<b>\"o'brien\"</b> x"), "{table}");
        assert!(lines[2].contains("eee…"), "{table}");
    }

    #[test]
    fn a_commit_of_a_tree_with_changes_is_marked() {
        let row = |dirty: i64| {
            let mut row = vec![Cell::Null; HISTORY.columns.len()];
            row[5] = Cell::Text("0123456789abcdef".to_owned());
            row[6] = Cell::Integer(dirty);
            row
        };
        let table = table(&Answer { columns: HISTORY.columns, rows: vec![row(0), row(1)] });
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].contains("01234567  ") && !lines[1].contains("dirty"), "{table}");
        assert!(lines[2].contains("01234567+dirty"), "{table}");
    }

    #[test]
    fn no_rows_are_no_table() {
        assert_eq!(table(&Answer { columns: STATUS.columns, rows: Vec::new() }), "");
    }
}
