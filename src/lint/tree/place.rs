//! Bytes to lines and columns.

use super::Span;

/// Where lines begin.
#[derive(Debug)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(index, _)| index as u32 + 1)).collect();
        Self { text, starts }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// Where a line begins; lines count from 1.
    pub(crate) fn start(&self, line: u32) -> u32 {
        self.starts.get(line.saturating_sub(1) as usize).copied().unwrap_or(self.text.len() as u32)
    }

    /// The bytes of a line without its end.
    pub(crate) fn span(&self, line: u32) -> Span {
        let start = self.start(line);
        let end = self.starts.get(line as usize).map_or(self.text.len() as u32, |next| next - 1);
        let carriage = end > start && self.text.as_bytes()[end as usize - 1] == b'\r';
        Span { start, end: end - u32::from(carriage) }
    }

    /// Line and column, both from 1, the column in characters.
    pub(crate) fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.start(line);
        let before = self.text.get(start as usize..offset as usize).unwrap_or_default();
        // A byte order mark is no character that a person sees.
        let column = before.trim_start_matches('\u{feff}').chars().count();
        (line, column as u32 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let lines = Lines::new("\u{feff}a\r\n  ä = b;\n");
        assert_eq!(lines.position(3), (1, 1));
        let offset = lines.text.find('b').unwrap() as u32;
        assert_eq!(lines.position(offset), (2, 7));
        assert_eq!(&lines.text[lines.span(2).range()], "  ä = b;");
        assert_eq!(&lines.text[lines.span(1).range()], "\u{feff}a");
        assert_eq!(lines.position(lines.text.len() as u32), (3, 1));
    }
}
