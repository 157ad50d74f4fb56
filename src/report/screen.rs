//! A block of lines at the bottom of a terminal that is redrawn in place.
//!
//! indicatif draws the block, one bar for each line. This file keeps the bars
//! in step with the lines, writes what stays above them, and looks after what
//! indicatif leaves open: where the cursor rests, and a block that a narrower
//! terminal has wrapped.
//!
//! Invariants: the cursor rests below the block, so neither the `^C` of the
//! terminal nor the prompt after a killed process tears it; no mode of the
//! terminal is changed.
//!
//! A terminal that becomes narrower is taken for one that wraps its lines anew,
//! as most do. Rows of the old block may stay above the new one when it does so
//! before it says its new width, or when the block no longer fits its height.

use std::io;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::terminal::EndedLines;

/// How often a second indicatif may draw by itself, which it does with every
/// line that changes. As rarely as it can: each frame is drawn once, whole.
const OWN_DRAWINGS: u8 = 1;

/// Rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// The block and its terminal.
pub(super) struct Screen {
    terminal: Box<dyn TermLike>,
    block: MultiProgress,
    bars: Vec<ProgressBar>,
    style: ProgressStyle,
    /// How wide the terminal was when the block was drawn; `None` without one.
    drawn_at: Option<usize>,
    /// The terminal took nothing any more.
    is_gone: bool,
}

impl Screen {
    /// Draws on a terminal that holds back what is written until it is flushed.
    pub(super) fn new<T: TermLike + Clone + 'static>(terminal: T) -> Self {
        let lines = Box::new(EndedLines::new(terminal.clone()));
        let target = ProgressDrawTarget::term_like_with_hz(lines, OWN_DRAWINGS);
        Self {
            terminal: Box::new(terminal),
            block: MultiProgress::with_draw_target(target),
            bars: Vec::new(),
            style: ProgressStyle::with_template("{wide_msg}").expect("this template is well formed"),
            drawn_at: None,
            is_gone: false,
        }
    }

    pub(super) fn size(&self) -> Size {
        Size { rows: self.terminal.height().into(), columns: self.terminal.width().into() }
    }

    /// Prints lines that stay and draws the block below them; no line of the
    /// block is empty.
    pub(super) fn draw(&mut self, printed: &[String], block: &[String]) {
        // A terminal that is gone shows nothing; the run goes on.
        self.is_gone = self.is_gone || self.try_draw(printed, block).is_err();
    }

    /// Lets the block stand as it is; the next one is drawn below.
    pub(super) fn leave(&mut self) {
        let lines: Vec<String> = self.bars.iter().map(ProgressBar::message).collect();
        self.draw(&lines, &[]);
    }

    fn try_draw(&mut self, printed: &[String], block: &[String]) -> io::Result<()> {
        let columns = self.size().columns;
        if let Some(before) = self.drawn_at.take() {
            self.terminal.clear_line()?;
            // To the last line of the block, where indicatif left the cursor.
            self.terminal.move_cursor_up(1)?;
            self.clear_wrapped(before, columns)?;
        }
        if !printed.is_empty() || block.is_empty() {
            self.block.clear()?;
        }
        for line in printed {
            self.terminal.write_line(line)?;
        }
        self.set_bars(block);
        if let Some(last) = self.bars.last() {
            last.force_draw();
            self.terminal.write_line("")?;
            self.drawn_at = Some(columns);
        }
        self.terminal.flush()
    }

    fn set_bars(&mut self, lines: &[String]) {
        for bar in self.bars.drain(lines.len().min(self.bars.len())..) {
            self.block.remove(&bar);
        }
        while self.bars.len() < lines.len() {
            let bar = ProgressBar::hidden().with_style(self.style.clone());
            self.bars.push(self.block.add(bar));
        }
        for (bar, line) in self.bars.iter().zip(lines) {
            bar.set_message(line.clone());
        }
    }

    /// Takes the block off a terminal that has wrapped its lines.
    fn clear_wrapped(&self, before: usize, now: usize) -> io::Result<()> {
        let width = |bar: &ProgressBar| console::measure_text_width(&bar.message()).min(before);
        let rows: usize = self.bars.iter().map(|bar| width(bar).div_ceil(now.max(1)).max(1)).sum();
        if rows == self.bars.len() {
            return Ok(());
        }
        for _ in 1..rows {
            self.terminal.clear_line()?;
            self.terminal.move_cursor_up(1)?;
        }
        self.terminal.clear_line()?;
        // indicatif goes up again, by as many lines as it drew.
        (1..self.bars.len()).try_for_each(|_| self.terminal.write_line(""))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU16, Ordering};

    use indicatif::InMemoryTerm;

    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn screen(rows: u16, columns: u16) -> (Screen, InMemoryTerm) {
        let terminal = InMemoryTerm::new(rows, columns);
        (Screen::new(terminal.clone()), terminal)
    }

    #[test]
    fn a_block_is_drawn_over_the_one_before_below_what_is_printed() {
        let (mut screen, terminal) = screen(10, 20);
        screen.draw(&[], &lines(&["one", "two", "three"]));
        assert_eq!(terminal.contents(), "one\ntwo\nthree");
        screen.draw(&lines(&["log", "", "log"]), &lines(&["1", "2"]));
        assert_eq!(terminal.contents(), "log\n\nlog\n1\n2");
        screen.draw(&[], &lines(&["4", "5", "6", "a line that is too long"]));
        assert_eq!(terminal.contents(), "log\n\nlog\n4\n5\n6\na line that is too l");
        screen.draw(&lines(&["end"]), &[]);
        assert_eq!(terminal.contents(), "log\n\nlog\nend");
    }

    #[test]
    fn a_block_that_is_left_stands_above_the_next() {
        let (mut screen, terminal) = screen(10, 20);
        screen.draw(&[], &lines(&["one", "two"]));
        screen.leave();
        screen.draw(&[], &lines(&["three"]));
        assert_eq!(terminal.contents(), "one\ntwo\nthree");
    }

    #[test]
    fn a_block_at_the_bottom_scrolls_what_is_above() {
        let (mut screen, terminal) = screen(4, 20);
        for number in 0..30 {
            screen.draw(&lines(&[&format!("log {number}")]), &lines(&["one", "two"]));
        }
        assert_eq!(terminal.contents(), "log 29\none\ntwo");
    }

    #[test]
    fn keys_that_the_terminal_shows_do_not_tear_the_block() {
        let (mut screen, terminal) = screen(10, 20);
        screen.draw(&[], &lines(&["one", "two"]));
        terminal.write_str("^C").unwrap();
        assert_eq!(terminal.contents(), "one\ntwo\n^C");
        screen.draw(&[], &lines(&["three", "four"]));
        assert_eq!(terminal.contents(), "three\nfour");
    }

    /// Says another width than it has: what is drawn then stands there as if the
    /// terminal had wrapped it anew.
    #[derive(Clone, Debug)]
    struct Resized {
        terminal: InMemoryTerm,
        said: Arc<AtomicU16>,
    }

    impl TermLike for Resized {
        fn width(&self) -> u16 {
            self.said.load(Ordering::Relaxed)
        }
        fn height(&self) -> u16 {
            self.terminal.height()
        }
        fn move_cursor_up(&self, count: usize) -> io::Result<()> {
            self.terminal.move_cursor_up(count)
        }
        fn move_cursor_down(&self, count: usize) -> io::Result<()> {
            self.terminal.move_cursor_down(count)
        }
        fn move_cursor_right(&self, count: usize) -> io::Result<()> {
            self.terminal.move_cursor_right(count)
        }
        fn move_cursor_left(&self, count: usize) -> io::Result<()> {
            self.terminal.move_cursor_left(count)
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.terminal.write_line(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.terminal.write_str(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.terminal.clear_line()
        }
        fn flush(&self) -> io::Result<()> {
            self.terminal.flush()
        }
    }

    #[test]
    fn a_block_that_the_terminal_wrapped_anew_is_replaced_and_nothing_else() {
        let block = [&"a".repeat(18), "b", &"c".repeat(11)];
        for now in [5, 9, 10, 18, 19, 40] {
            let terminal = InMemoryTerm::new(30, now);
            let resized = Resized { terminal: terminal.clone(), said: Arc::new(20.into()) };
            let mut screen = Screen::new(resized.clone());
            // In the beginning indicatif draws by itself more often.
            (0..25).for_each(|_| screen.draw(&[], &lines(&["zero"])));
            screen.draw(&lines(&["log 1", "log 2"]), &lines(&block));
            resized.said.store(now, Ordering::Relaxed);
            screen.draw(&[], &lines(&["four", "five", "six", "seven", "eight"]));
            let expected = "log 1\nlog 2\nfour\nfive\nsix\nseven\neight";
            assert_eq!(terminal.contents(), expected, "20 to {now}");
            screen.draw(&lines(&["log 3"]), &[]);
            assert_eq!(terminal.contents(), "log 1\nlog 2\nlog 3", "20 to {now}");
        }
    }

    #[test]
    fn lines_end_instead_of_being_filled() {
        let (mut screen, terminal) = screen(10, 20);
        screen.draw(&lines(&["log"]), &lines(&["one", "two"]));
        // A wider terminal would join rows that were filled up to the edge.
        let drawn = String::from_utf8(terminal.contents_formatted()).unwrap();
        assert!(!drawn.contains(' '), "{drawn:?}");
    }
}
