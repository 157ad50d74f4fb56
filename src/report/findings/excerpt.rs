//! The line of the source that a finding is about, with carets below the place.
//!
//! Invariant: every character of the line keeps its column on the screen, so
//! that the carets stand below what they mean: control characters, tabs and
//! what could turn the line around become one space each.

use console::measure_text_width;

use crate::model::Place;

/// A longer line is cut around the place, in characters.
const LONGEST: usize = 100;

/// The line as it is shown, and the text below it; `None` below when the place
/// is not on the line any more, because something in it was masked.
pub(super) fn excerpt(source_line: &str, place: &Place) -> (String, Option<String>) {
    let characters: Vec<char> = source_line.chars().map(visible).collect();
    let column = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    let end = match place.end_line == place.line {
        true => usize::try_from(place.end_column).unwrap_or(1).saturating_sub(1),
        false => characters.len(),
    };
    let skipped = match characters.len() > LONGEST {
        true => column.saturating_sub(LONGEST / 3).min(characters.len() - LONGEST),
        false => 0,
    };
    let shown: String = characters.iter().skip(skipped).take(LONGEST).collect();
    let shown = shown.trim_end();
    let before = if skipped > 0 { "…" } else { "" };
    let after = if skipped + LONGEST < characters.len() { "…" } else { "" };
    let line = format!("{before}{shown}{after}");
    if column > characters.len() {
        return (line, None);
    }
    let width = |part: &[char]| measure_text_width(&part.iter().collect::<String>());
    let last = end.clamp(column, characters.len()).min(skipped + LONGEST);
    let indent = width(&characters[skipped..column.max(skipped)]) + before.chars().count();
    let carets = width(&characters[column..last.max(column)]).max(1);
    (line, Some(format!("{}{}", " ".repeat(indent), "^".repeat(carets))))
}

fn visible(character: char) -> char {
    match character {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        control if control.is_control() => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn place(column: u32, end_line: u32, end_column: u32) -> Place {
        Place { file: PathBuf::new(), line: 1, column, end_line, end_column, start: 0, end: 0 }
    }

    #[test]
    fn carets_stand_below_what_they_mean_whatever_stands_before() {
        let (line, below) = excerpt("\t日本 = bad; # x", &place(7, 1, 10));
        assert_eq!(line, " 日本 = bad; # x");
        assert_eq!(below.unwrap(), format!("{}^^^", " ".repeat(8)));
    }

    #[test]
    fn a_place_of_several_lines_is_marked_to_the_end_of_the_first() {
        assert_eq!(excerpt("a = {", &place(5, 3, 2)).1.unwrap(), "    ^");
        assert_eq!(excerpt("a = {", &place(1, 3, 2)).1.unwrap(), "^^^^^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}bad{}", "x".repeat(5000), "y".repeat(5000));
        let (line, below) = excerpt(&text, &place(5001, 1, 5004));
        assert!(line.chars().count() <= LONGEST + 2 && line.starts_with('…') && line.ends_with('…'));
        let column = line.chars().position(|character| character == 'b');
        assert_eq!(below.unwrap().chars().position(|character| character == '^'), column);
    }

    #[test]
    fn a_place_beyond_a_masked_line_has_no_carets() {
        assert_eq!(excerpt("short", &place(40, 1, 50)), ("short".to_owned(), None));
        assert_eq!(excerpt("", &place(1, 1, 1)).1.as_deref(), Some("^"));
    }
}
