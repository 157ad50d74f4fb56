//! Why a program could not be run to its end.

use std::time::Duration;

/// Why a command could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecError {
    /// The program is not on PATH.
    #[error("{program} is not installed or not on PATH")]
    NotFound {
        /// Which program.
        program: String,
    },
    /// It could not be started or read.
    #[error("cannot run {program}")]
    Io {
        /// Which program.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It took longer than allowed and was killed.
    #[error("{program} did not end within {} and was stopped", crate::model::text::duration(*.deadline))]
    Deadline {
        /// Which program.
        program: String,
        /// The deadline.
        deadline: Duration,
        /// The last lines of standard error.
        stderr_tail: Vec<String>,
    },
    /// It said nothing for longer than allowed and was killed.
    #[error("{program} made no progress for {} and was stopped", crate::model::text::duration(*.stall))]
    Stalled {
        /// Which program.
        program: String,
        /// How long it may be silent.
        stall: Duration,
        /// The last lines of standard error.
        stderr_tail: Vec<String>,
    },
    /// It ended with another exit code than 0.
    #[error("{program} {}", ended(*.code))]
    Failed {
        /// Which program.
        program: String,
        /// The exit code; `None` for a signal.
        code: Option<i32>,
        /// The last lines of standard error.
        stderr_tail: Vec<String>,
    },
}

fn ended(code: Option<i32>) -> String {
    match code {
        Some(code) => format!("ended with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    }
}

impl ExecError {
    /// The last lines of standard error, where there are any.
    pub(crate) fn stderr_tail(&self) -> &[String] {
        match self {
            Self::Deadline { stderr_tail, .. }
            | Self::Stalled { stderr_tail, .. }
            | Self::Failed { stderr_tail, .. } => stderr_tail,
            Self::NotFound { .. } | Self::Io { .. } => &[],
        }
    }
}
