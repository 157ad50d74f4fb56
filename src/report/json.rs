//! `--output json`: every event as one line on standard output.
//!
//! Nothing else goes to standard output, and each line is there at once, so
//! that a program can follow. A reader that leaves (`| head`) is no error.

use std::io::{self, Write};

use super::Reporter;
use crate::event::Envelope;
use crate::model::text::clean_line;

/// Writes events for programs.
pub(crate) struct Json {
    output: Box<dyn Write + Send>,
    talk: Box<dyn Write + Send>,
    /// Standard output is gone; the run goes on.
    closed: bool,
}

impl Json {
    /// Writes to this process's standard output; troubles go to standard error.
    pub(crate) fn new() -> Self {
        Self::over(Box::new(io::stdout()), Box::new(io::stderr()))
    }

    fn over(output: Box<dyn Write + Send>, talk: Box<dyn Write + Send>) -> Self {
        Self { output, talk, closed: false }
    }

    fn write(&mut self, envelope: &Envelope) -> io::Result<()> {
        // One write for the whole line: a reader never sees half an event.
        let mut line = serde_json::to_vec(envelope)?;
        line.push(b'\n');
        self.output.write_all(&line)?;
        self.output.flush()
    }
}

impl Reporter for Json {
    fn event(&mut self, envelope: &Envelope) {
        if self.closed {
            return;
        }
        if let Err(error) = self.write(envelope) {
            self.closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.notice(&format!("the events cannot be written to standard output: {error}"));
            }
        }
    }

    fn notice(&mut self, text: &str) {
        // Where standard error is gone, too, nobody is left to tell.
        let _ = writeln!(self.talk, "warning: {}", clean_line(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit;
    use crate::report::story::{Broken, NASTY, Paper, Story, host, success};

    fn story() -> Story {
        let warning =
            crate::event::Event::Warning { host: Some(host("p620")), message: NASTY.to_owned(), hint: None };
        let story = Story::of(&["p620"]).plan("p620", 5).at(7, warning);
        story.ended("p620", 10, success()).finished(20, exit::OK)
    }

    #[test]
    fn every_event_is_one_line_that_reads_back() {
        let (output, talk) = (Paper::default(), Paper::default());
        let mut json = Json::over(Box::new(output.clone()), Box::new(talk.clone()));
        story().tell(&mut json);
        json.notice("disk full");
        let text = output.take();
        let read: Vec<Envelope> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, story().envelopes());
        assert_eq!(talk.take(), "warning: disk full\n");
    }

    #[test]
    fn a_reader_that_left_is_no_error_and_a_full_disk_is_told_once() {
        for (kind, told) in [
            (io::ErrorKind::BrokenPipe, ""),
            (io::ErrorKind::StorageFull, "warning: the events cannot be written to standard output: "),
        ] {
            let talk = Paper::default();
            story().tell(&mut Json::over(Box::new(Broken(kind)), Box::new(talk.clone())));
            let text = talk.take();
            assert!(text.starts_with(told) && text.lines().count() <= 1, "{text}");
            assert_eq!(text.is_empty(), told.is_empty());
        }
    }
}
