//! How things look: named roles, their colours, and signs without Unicode.
//!
//! Owns every colour and every sign of the screen. Reports are written with
//! Unicode signs and roles; this file turns them into what the output shows,
//! as the settings decided. Nothing is said by colour alone.

use console::Style;

use crate::model::{FailureClass, HostOutcome, HostReport, StepOutcome};

/// What a piece of text is; decides its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    #[default]
    Plain,
    Strong,
    Dim,
    Ok,
    Warning,
    Error,
    Host,
    Path,
    /// Something to type; it is never broken.
    Command,
}

impl Role {
    /// The role of a host's outcome.
    fn of_outcome(outcome: HostOutcome) -> Self {
        match outcome {
            HostOutcome::Unchanged => Self::Plain,
            HostOutcome::Deployed | HostOutcome::Previewed => Self::Ok,
            HostOutcome::DeployedWithWarnings | HostOutcome::RebootRequired | HostOutcome::Skipped => {
                Self::Warning
            }
            HostOutcome::RolledBack
            | HostOutcome::RollbackFailed
            | HostOutcome::Unknown
            | HostOutcome::Failed => Self::Error,
        }
    }

    /// The role of how a host ended: what a person stopped is no error.
    pub(super) fn of_report(report: &HostReport) -> Self {
        let class = report.failure.as_ref().map(|failure| failure.class);
        match (report.outcome, class) {
            (HostOutcome::Failed, Some(FailureClass::Declined | FailureClass::Interrupted)) => Self::Warning,
            (outcome, _) => Self::of_outcome(outcome),
        }
    }

    /// The role of a step's outcome.
    pub(super) fn of_step(outcome: StepOutcome) -> Self {
        match outcome {
            StepOutcome::Passed => Self::Ok,
            StepOutcome::Warned => Self::Warning,
            StepOutcome::Failed => Self::Error,
            StepOutcome::Skipped | StepOutcome::Cancelled => Self::Dim,
        }
    }
}

/// The sign before the word for how a host ended.
pub(super) fn sign_of(role: Role) -> &'static str {
    match role {
        Role::Error => "✗",
        Role::Warning => "!",
        _ => "✓",
    }
}

/// The sign before a step's outcome.
pub(super) fn step_sign(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Passed => "✓",
        StepOutcome::Warned => "!",
        StepOutcome::Failed => "✗",
        StepOutcome::Skipped | StepOutcome::Cancelled => "-",
    }
}

/// What an output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Styles {
    pub(super) color: bool,
    pub(super) unicode: bool,
}

impl Styles {
    /// Gives text the colour of its role.
    pub(super) fn paint(self, role: Role, text: &str) -> String {
        let style = Style::new();
        let style = match role {
            Role::Plain => return text.to_owned(),
            _ if !self.color => return text.to_owned(),
            Role::Strong => style.bold(),
            Role::Dim => style.dim(),
            Role::Ok => style.green(),
            Role::Warning => style.yellow(),
            Role::Error => style.red().bold(),
            Role::Host => style.bold(),
            Role::Path | Role::Command => style.cyan(),
        };
        style.force_styling(true).apply_to(text).to_string()
    }

    /// Text with signs that the output can show.
    pub(super) fn signs(self, text: String) -> String {
        if self.unicode || text.is_ascii() {
            return text;
        }
        let mut ascii = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '✓' => ascii.push('+'),
                '✗' => ascii.push('x'),
                '→' => ascii.push_str("->"),
                '…' => ascii.push_str("..."),
                '±' => ascii.push_str("+/-"),
                '·' | '—' => ascii.push('-'),
                '•' => ascii.push('*'),
                '│' => ascii.push('|'),
                plain if plain.is_ascii() => ascii.push(plain),
                _ => ascii.push('?'),
            }
        }
        ascii
    }

    /// The sign of something that runs, at a frame of its movement.
    pub(super) fn spinner(self, frame: usize) -> &'static str {
        const UNICODE: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
        if self.unicode { UNICODE[frame % UNICODE.len()] } else { ASCII[frame % ASCII.len()] }
    }
}

#[cfg(test)]
impl Styles {
    /// Unicode without colour, as most tests want it.
    pub(super) const UNICODE: Self = Self { color: false, unicode: true };
    /// Neither.
    pub(super) const ASCII: Self = Self { color: false, unicode: false };
    /// Both.
    pub(super) const COLOR: Self = Self { color: true, unicode: true };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_unicode_every_sign_is_ascii() {
        let text = Styles::ASCII.signs("✓ 1 → 2 · ± … ü │ • — ✗".to_owned());
        assert_eq!(text, "+ 1 -> 2 - +/- ... ? | * - x");
        assert!(Styles::ASCII.spinner(7).is_ascii());
    }

    #[test]
    fn no_colour_means_no_escape() {
        assert_eq!(Styles::UNICODE.paint(Role::Error, "x"), "x");
        assert!(Styles::COLOR.paint(Role::Error, "x").contains("\u{1b}["));
    }
}
