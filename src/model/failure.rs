//! A failure as people and records read it: what, on which host, why, what
//! was done and what to do next. Errors of the single modules become one of
//! these at the edge of a step.

use serde::{Deserialize, Serialize};

/// The kind of a failure; it decides the exit code (see `exit.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Something nobody foresaw.
    Unexpected,
    /// Wrong usage or configuration.
    Usage,
    /// Blocked by validation or risk.
    Blocked,
    /// Evaluation or build failed.
    Build,
    /// The host cannot be reached or is not fit.
    Unfit,
    /// The deploy failed and the host is on its old system.
    RolledBack,
    /// The deploy failed and the host's state is not good or not known.
    HostNotWell,
    /// A person said no.
    Declined,
    /// Another deploy holds the host.
    Busy,
    /// The run was interrupted.
    Interrupted,
}

/// What failed and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind.
    pub class: FailureClass,
    /// What failed: a lowercase fragment that fits after "failed: ".
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// What to do next, in order.
    pub hints: Vec<String>,
    /// Evidence, for example the last lines of a log.
    pub evidence: Vec<String>,
    /// Whether nobody got through to the host; records of before do not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreached: bool,
}

impl Failure {
    /// A failure without cause or hint yet.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            evidence: Vec::new(),
            unreached: false,
        }
    }

    /// Takes message and causes from an error and its chain of sources.
    pub fn from_error(class: FailureClass, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut failure = Self::new(class, error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure.causes.push(cause.to_string());
            source = cause.source();
        }
        failure
    }

    /// Adds a cause below those known.
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a next thing to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds lines of evidence.
    pub fn evidence(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(lines);
        self
    }
}
