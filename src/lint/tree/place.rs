//! Bytes to lines and columns.

use std::cell::OnceCell;

use super::Span;

/// Bytes between two counts of characters.
const STRIDE: usize = 1024;

/// Where lines begin.
#[derive(Debug)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
    /// Characters before every so many bytes: a line may be as long as a file.
    counts: OnceCell<Vec<u32>>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(index, _)| index as u32 + 1)).collect();
        Self { text, starts, counts: OnceCell::new() }
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
        let mut start = self.start(line) as usize;
        let offset = (offset as usize).clamp(start, self.text.len());
        if start == 0 && self.text.starts_with('\u{feff}') {
            // A byte order mark is no character that a person sees.
            start = offset.min('\u{feff}'.len_utf8());
        }
        let near = offset - start <= STRIDE;
        let column = if near {
            characters(&self.text.as_bytes()[start..offset])
        } else {
            self.before(offset) - self.before(start)
        };
        (line, column + 1)
    }

    /// How many characters begin before a byte.
    fn before(&self, offset: usize) -> u32 {
        let bytes = self.text.as_bytes();
        let counts = self.counts.get_or_init(|| {
            let mut total = 0;
            let chunks = bytes.chunks(STRIDE).map(|chunk| {
                let before = total;
                total += characters(chunk);
                before
            });
            chunks.collect()
        });
        let chunk = offset / STRIDE;
        let known = counts.get(chunk).copied();
        match known {
            Some(known) => known + characters(&bytes[chunk * STRIDE..offset]),
            None => counts.last().map_or(0, |last| last + characters(&bytes[(counts.len() - 1) * STRIDE..])),
        }
    }
}

/// Bytes that begin a character.
fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count() as u32
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

    #[test]
    fn columns_of_long_lines_are_exact() {
        let text = format!("x\n{}", "äb".repeat(3000));
        let lines = Lines::new(&text);
        for (index, (offset, _)) in text.char_indices().enumerate().skip(2) {
            assert_eq!(lines.position(offset as u32), (2, index as u32 - 1));
        }
        assert_eq!(lines.position(text.len() as u32), (2, 6001));
    }
}
