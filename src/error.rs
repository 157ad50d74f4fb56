//! Why a command failed, and how that is printed.
//!
//! The kind of each failure decides the exit code (`exit.rs`); with several
//! the worst one does. What is printed goes to standard error:
//!
//! ```text
//! error: what failed
//!   evidence, for example the line of hosts.toml
//! caused by: why
//! hint: what to do next
//! ```
//!
//! Invariant: a cause that the line above it already says is not said again,
//! and no control character reaches the terminal.

use std::io::Write;

use crate::exit::{self, ExitCode};
use crate::model::text::{clean, clean_line};
use crate::model::{Failure, FailureClass};
use crate::settings::SettingsError;

/// Why a command failed: one failure or several at once.
#[derive(Debug, Clone)]
pub(crate) struct CommandError {
    failures: Vec<Failure>,
}

impl CommandError {
    /// A failure of a kind, without a cause.
    pub(crate) fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Failure::new(class, message).into()
    }

    /// A failure of a kind with an error and its causes.
    pub(crate) fn from_error(class: FailureClass, error: &(dyn std::error::Error + 'static)) -> Self {
        Failure::from_error(class, error).into()
    }

    /// Several failures at once.
    pub(crate) fn several(failures: Vec<Failure>) -> Self {
        Self { failures }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(last) = self.failures.last_mut() {
            last.hints.push(hint.into());
        }
        self
    }

    /// Every failure.
    pub(crate) fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The exit code of the worst failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        exit::worst(self.failures.iter().map(|failure| exit::of(failure.class)))
    }

    /// Prints every failure.
    pub(crate) fn write(&self, output: &mut impl Write) -> std::io::Result<()> {
        for (index, failure) in self.failures.iter().enumerate() {
            if index > 0 {
                writeln!(output)?;
            }
            write_failure(failure, output)?;
        }
        Ok(())
    }
}

fn write_failure(failure: &Failure, output: &mut impl Write) -> std::io::Result<()> {
    let message = clean_line(&failure.message);
    writeln!(output, "error: {message}")?;
    for line in &failure.evidence {
        writeln!(output, "  {}", clean(line).replace('\n', " ").trim_end())?;
    }
    let mut said = message;
    for cause in failure.causes.iter().map(|cause| clean_line(cause)) {
        if !cause.is_empty() && !said.contains(&cause) {
            writeln!(output, "caused by: {cause}")?;
            said = cause;
        }
    }
    for hint in &failure.hints {
        writeln!(output, "hint: {}", clean_line(hint))?;
    }
    Ok(())
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self { failures: vec![failure] }
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        Self { failures: error.into_failures() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(error: &CommandError) -> String {
        let mut output = Vec::new();
        error.write(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_failure_is_printed_with_evidence_causes_and_hints() {
        let failure = Failure::new(FailureClass::Unfit, "cannot reach p620")
            .evidence(["2 | x".to_owned()])
            .cause("ssh ended with exit code 255")
            .cause("connection refused")
            .hint("is it switched on?");
        assert_eq!(
            printed(&failure.into()),
            "error: cannot reach p620\n  2 | x\ncaused by: ssh ended with exit code 255\n\
             caused by: connection refused\nhint: is it switched on?\n"
        );
    }

    #[test]
    fn a_cause_is_never_said_twice() {
        let failure = Failure::new(FailureClass::Unexpected, "cannot read x: no such file")
            .cause("no such file")
            .cause("no such file");
        assert_eq!(printed(&failure.into()), "error: cannot read x: no such file\n");
    }

    #[test]
    fn foreign_text_cannot_drive_the_terminal() {
        let failure = Failure::new(FailureClass::Unfit, "host said \u{1b}[2Jbye\r\nerror: fake").hint("\u{7}x");
        assert_eq!(printed(&failure.into()), "error: host said bye error: fake\nhint: x\n");
    }

    #[test]
    fn the_worst_failure_decides_the_exit_code() {
        let error = CommandError {
            failures: vec![
                Failure::new(FailureClass::Unfit, "a"),
                Failure::new(FailureClass::RolledBack, "b"),
                Failure::new(FailureClass::Usage, "c"),
            ],
        };
        assert_eq!(error.exit_code(), exit::ROLLED_BACK);
        assert_eq!(printed(&error), "error: a\n\nerror: b\n\nerror: c\n");
    }
}
