//! The terminal as indicatif is to see it: one whose lines end.
//!
//! indicatif ends no line. It fills each with spaces up to the edge, where the
//! terminal goes on in the next row by itself; to the terminal the whole block
//! is then one long line. When its width changes it rewraps that line, and
//! indicatif clears rows that are not its own: a plan or a warning is gone.
//! Here each line ends where its text ends.
//!
//! Relies on two habits of indicatif, which the tests of `screen.rs` watch: a
//! line is written as its text and then its spaces, and each drawing begins by
//! moving the cursor.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::TermLike;

/// Ends lines instead of filling them.
#[derive(Debug)]
pub(super) struct EndedLines<T> {
    terminal: T,
    /// A line was written that has not been ended.
    is_open: AtomicBool,
}

impl<T: TermLike> EndedLines<T> {
    pub(super) fn new(terminal: T) -> Self {
        Self { terminal, is_open: AtomicBool::new(false) }
    }

    /// The terminal, with the cursor about to be placed elsewhere.
    fn placed(&self) -> &T {
        self.is_open.store(false, Ordering::Relaxed);
        &self.terminal
    }
}

impl<T: TermLike> TermLike for EndedLines<T> {
    fn width(&self) -> u16 {
        self.terminal.width()
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.placed().move_cursor_up(count)
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.placed().move_cursor_down(count)
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.placed().move_cursor_right(count)
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.placed().move_cursor_left(count)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.placed().write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.bytes().all(|byte| byte == b' ') {
            self.is_open.store(true, Ordering::Relaxed);
            return Ok(());
        }
        if self.is_open.swap(false, Ordering::Relaxed) {
            self.terminal.write_line("")?;
        }
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.placed().clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.terminal.flush()
    }
}
