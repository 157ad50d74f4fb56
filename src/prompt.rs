//! Asking the person at the terminal.
//!
//! Owns the wording of the prompt, the reading of the answer and the echo of
//! the terminal. It does not decide when somebody is asked: questions arrive
//! through the hub of reporters.
//!
//! Invariants: a question ends soon after its token is cancelled, without an
//! answer; the echo is on again however a question ends; what was typed before
//! the question was shown never answers it.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tokio_util::sync::CancellationToken;

use crate::model::Secret;
use crate::model::text::clean_line;

/// How often a waiting question looks whether it was cancelled.
const CANCEL_CHECK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// A longer answer is not an answer, in bytes (the kernel's own limit for a line).
const LONGEST_ANSWER: usize = 4096;

/// Somebody, or something, that answers questions. Calls block.
pub(crate) trait Asker: Send {
    /// Asks for yes or no, where Enter alone is the default; `None` when nobody
    /// answers.
    fn confirm(&mut self, text: &str, default: bool, cancel: &CancellationToken) -> Option<bool>;

    /// Asks for a password; `None` when nobody answers.
    fn password(&mut self, text: &str, cancel: &CancellationToken) -> Option<Secret>;
}

/// Gives the same answer to every question, and never a password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedAsker {
    answer: Option<bool>,
}

impl FixedAsker {
    /// Takes every question as answered with yes.
    pub(crate) fn yes() -> Self {
        Self { answer: Some(true) }
    }

    /// Is for runs at which nobody can answer.
    pub(crate) fn nobody() -> Self {
        Self { answer: None }
    }
}

impl Asker for FixedAsker {
    fn confirm(&mut self, _text: &str, _default: bool, _cancel: &CancellationToken) -> Option<bool> {
        self.answer
    }

    fn password(&mut self, _text: &str, _cancel: &CancellationToken) -> Option<Secret> {
        None
    }
}

/// Asks at the terminal: prompts on standard error, reads standard input.
pub(crate) struct TerminalAsker {
    input: OwnedFd,
    output: Box<dyn Write + Send>,
    /// What was read behind the end of the last answer (only pipes give that).
    rest: Vec<u8>,
}

impl TerminalAsker {
    /// Takes this process's terminal.
    pub(crate) fn new() -> io::Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self::over(input, Box::new(console::Term::stderr())))
    }

    fn over(input: OwnedFd, output: Box<dyn Write + Send>) -> Self {
        Self { input, output, rest: Vec::new() }
    }

    /// Shows a text; a terminal that is gone shows in the reading that follows.
    fn show(&mut self, text: &str) {
        let _ = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
    }

    /// Reads one line; `None` at the end of input, on error, or when cancelled.
    fn read_line(&mut self, cancel: &CancellationToken) -> Option<String> {
        let mut line = std::mem::take(&mut self.rest);
        let mut chunk = [0_u8; 512];
        loop {
            if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                self.rest = line.split_off(end + 1);
                line.truncate(end);
                return String::from_utf8(line).ok();
            }
            if line.len() > LONGEST_ANSWER || !wait_readable(self.input.as_fd(), cancel) {
                return None;
            }
            match rustix::io::read(&self.input, &mut chunk) {
                Ok(0) => return None,
                Ok(count) => line.extend_from_slice(&chunk[..count]),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => return None,
            }
        }
    }

    /// Forgets keys that were pressed before the question was shown: an Enter
    /// meant for something else must not start a deploy.
    fn forget_typed(&mut self) {
        // What is not a terminal has no such queue and refuses; nothing is lost then.
        let _ = tcflush(&self.input, QueueSelector::IFlush);
    }
}

impl Asker for TerminalAsker {
    fn confirm(&mut self, text: &str, default: bool, cancel: &CancellationToken) -> Option<bool> {
        let prompt = format!("{} {} ", clean_line(text), if default { "[Y/n]" } else { "[y/N]" });
        self.forget_typed();
        loop {
            self.show(&prompt);
            let Some(line) = self.read_line(cancel) else {
                self.show("\n");
                return None;
            };
            match line.trim().to_ascii_lowercase().as_str() {
                "" => return Some(default),
                "y" | "yes" => return Some(true),
                "n" | "no" => return Some(false),
                _ => self.show("Please answer y (yes) or n (no).\n"),
            }
        }
    }

    fn password(&mut self, text: &str, cancel: &CancellationToken) -> Option<Secret> {
        let input = self.input.try_clone().ok()?;
        let echo = EchoOff::start(input.as_fd());
        self.forget_typed();
        self.show(&format!("{}: ", clean_line(text)));
        let line = self.read_line(cancel);
        if line.is_none() {
            // Half a password must not appear at the shell's prompt.
            self.forget_typed();
        }
        drop(echo);
        self.show("\n");
        line.map(|line| Secret::new(line.trim_end_matches('\r')))
    }
}

/// Waits until there is something to read; false when cancelled.
fn wait_readable(input: BorrowedFd<'_>, cancel: &CancellationToken) -> bool {
    loop {
        if cancel.is_cancelled() {
            return false;
        }
        let mut fds = [PollFd::from_borrowed_fd(input, PollFlags::IN)];
        match poll(&mut fds, Some(&CANCEL_CHECK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            // Hang-ups and errors show themselves in the read.
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
}

/// Keeps a terminal's echo off while it lives.
struct EchoOff<'fd> {
    input: BorrowedFd<'fd>,
    before: Termios,
}

impl<'fd> EchoOff<'fd> {
    /// `None` where there is no terminal and so no echo.
    fn start(input: BorrowedFd<'fd>) -> Option<Self> {
        let before = tcgetattr(input).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHONL);
        tcsetattr(input, OptionalActions::Now, &quiet).ok()?;
        Some(Self { input, before })
    }
}

impl Drop for EchoOff<'_> {
    fn drop(&mut self) {
        // A terminal that is gone has no echo to restore.
        let _ = tcsetattr(self.input, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn asker(input: &str) -> (TerminalAsker, Screen, io::PipeWriter) {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(input.as_bytes()).unwrap();
        let screen = Screen::default();
        (TerminalAsker::over(reader.into(), Box::new(screen.clone())), screen, writer)
    }

    fn confirm(input: &str) -> (Option<bool>, String) {
        let (mut asker, screen, writer) = asker(input);
        drop(writer);
        let answer = asker.confirm("Continue with deployment?", true, &CancellationToken::new());
        (answer, screen.text())
    }

    #[test]
    fn enter_and_yes_are_yes_and_the_end_of_input_is_no_answer() {
        for (input, answer) in [
            ("\n", Some(true)),
            ("y\n", Some(true)),
            (" YES \n", Some(true)),
            ("n\n", Some(false)),
            ("No\n", Some(false)),
            ("", None),
            ("y", None),
        ] {
            assert_eq!(confirm(input).0, answer, "{input:?}");
        }
    }

    #[test]
    fn where_a_yes_has_to_be_express_enter_is_a_no() {
        let (mut asker, screen, writer) = asker("\ny\n");
        drop(writer);
        let cancel = CancellationToken::new();
        assert_eq!(asker.confirm("Apply these updates?", false, &cancel), Some(false));
        assert_eq!(asker.confirm("Apply these updates?", false, &cancel), Some(true));
        assert!(screen.text().starts_with("Apply these updates? [y/N] "), "{}", screen.text());
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_asked_again() {
        let (answer, shown) = confirm("maybe\nn\n");
        assert_eq!(answer, Some(false));
        let prompt = "Continue with deployment? [Y/n] ";
        assert_eq!(shown, format!("{prompt}Please answer y (yes) or n (no).\n{prompt}"));
    }

    #[test]
    fn two_questions_take_a_line_each() {
        let (mut asker, _, writer) = asker("y\nhunter2\n");
        let cancel = CancellationToken::new();
        assert_eq!(asker.confirm("Continue?", true, &cancel), Some(true));
        assert_eq!(asker.password("sudo password", &cancel), Some(Secret::new("hunter2")));
        drop(writer);
    }

    #[test]
    fn a_cancelled_question_ends_without_an_answer() {
        let (mut asker, screen, _writer) = asker("");
        let cancel = CancellationToken::new();
        let canceller = cancel.clone();
        let started = Instant::now();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            canceller.cancel();
        });
        assert_eq!(asker.confirm("Continue?", true, &cancel), None);
        assert!(started.elapsed() < Duration::from_secs(5));
        thread.join().unwrap();
        assert_eq!(screen.text(), "Continue? [Y/n] \n");
    }

    #[test]
    fn foreign_text_in_a_question_cannot_drive_the_terminal() {
        let (mut asker, screen, writer) = asker("");
        drop(writer);
        asker.password("sudo password for \u{1b}[2Jroot\n@p620", &CancellationToken::new());
        assert_eq!(screen.text(), "sudo password for root @p620: \n");
    }

    #[test]
    fn a_fixed_asker_never_invents_a_password() {
        let cancel = CancellationToken::new();
        assert_eq!(FixedAsker::yes().confirm("?", false, &cancel), Some(true));
        assert_eq!(FixedAsker::nobody().confirm("?", true, &cancel), None);
        assert_eq!(FixedAsker::yes().password("?", &cancel), None);
    }
}
