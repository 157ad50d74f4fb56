//! Something that the evaluated layer saw, before settings were asked.

use crate::lint::Policy;
use crate::model::{Finding, HostName, Severity, Suppression};

/// Something about a built system that a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The rule.
    pub(super) rule: &'static str,
    /// How much it matters unless settings say otherwise. Never critical: the
    /// evaluated layer warns.
    pub(super) severity: Severity,
    /// A unit or an option; with the rule it says what is the same in two systems.
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) mend: String,
}

impl Seen {
    /// The finding on a host under these settings; `None` when the rule is off.
    pub(super) fn finding(self, host: &HostName, policy: &Policy) -> Option<Finding> {
        let severity = policy.severity(self.rule, self.severity)?;
        let actor = policy.allowed_by(self.rule);
        Some(Finding {
            rule: self.rule.to_owned(),
            severity,
            place: None,
            fingerprint: format!("{}:{host}:{}", self.rule, self.subject),
            subject: self.subject,
            message: self.message,
            mend: self.mend,
            source_line: String::new(),
            host: Some(host.clone()),
            suppressed: actor.map(|actor| Suppression::Flag { actor: actor.to_owned() }),
        })
    }
}
