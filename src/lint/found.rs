//! What rules say, before settings and suppressions.

use crate::model::Severity;

use super::RuleInfo;
use super::tree::{NodeId, Span};

/// A piece of text put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) span: Span,
    pub(crate) text: String,
}

impl Edit {
    pub(crate) fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    pub(crate) fn remove(span: Span) -> Self {
        Self::new(span, "")
    }
}

/// A finding whose place is bytes.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) info: &'static RuleInfo,
    pub(crate) severity: Severity,
    /// The severity on a virtual machine behind its host, if another.
    pub(crate) guest_severity: Option<Severity>,
    pub(crate) span: Span,
    pub(crate) subject: String,
    pub(crate) message: String,
    pub(crate) mend: String,
    /// What mends it without a change of meaning; empty when nothing does.
    pub(crate) edits: Vec<Edit>,
}

impl Hit {
    /// A finding with the rule's own severity.
    pub(crate) fn new(info: &'static RuleInfo, span: Span, message: impl Into<String>) -> Self {
        Self {
            info,
            severity: info.severity,
            guest_severity: None,
            span,
            subject: String::new(),
            message: message.into(),
            mend: String::new(),
            edits: Vec::new(),
        }
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn guest_severity(mut self, severity: Severity) -> Self {
        self.guest_severity = Some(severity);
        self
    }

    pub(crate) fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = mend.into();
        self
    }

    pub(crate) fn edits(mut self, edits: Vec<Edit>) -> Self {
        self.edits = edits;
        self
    }
}

/// Collects what rules find in one file.
pub(crate) struct Found<'f> {
    pub(crate) hits: &'f mut Vec<Hit>,
    /// Text that must never be shown.
    pub(crate) secrets: &'f mut Vec<Span>,
}

impl Found<'_> {
    pub(crate) fn push(&mut self, hit: Hit) {
        self.hits.push(hit);
    }

    /// Says that a string holds a secret.
    pub(crate) fn secret(&mut self, tree: &super::tree::Tree<'_>, node: NodeId) {
        self.secrets.push(tree.span(node));
    }
}
