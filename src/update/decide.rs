//! Whether an update is applied: by itself, by a flag, by a person, or not.
//!
//! Pure: what is asked for, who can be asked and what the checks found make a
//! way. Asking is the business of whoever walks it.

use crate::model::{DecidedBy, FailureClass, Questions, RiskAssessment, RiskLevel, Verdict};

/// What the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Show everything, then ask.
    Guided,
    /// Ask only where something was found that is worse than this.
    Smart {
        /// `--accept-risk`.
        accept: RiskLevel,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A person says.
    Ask,
    /// It is applied.
    Apply {
        /// Who decided so.
        by: DecidedBy,
        /// Why, in a few words.
        reason: String,
    },
    /// It is not.
    Stop {
        /// Declined or blocked.
        verdict: Verdict,
        /// Why, in a few words.
        reason: String,
        /// What to do about it.
        hint: String,
    },
}

impl Verdict {
    /// The kind of failure that an update which is not applied ends with.
    pub(crate) fn class(self) -> FailureClass {
        match self {
            Self::Block => FailureClass::Blocked,
            Self::Apply | Self::Decline => FailureClass::Declined,
        }
    }
}

/// Decides as far as nobody has to be asked.
pub(crate) fn way(manner: Manner, questions: Questions, risk: &RiskAssessment) -> Way {
    let level = risk.level;
    let applied = |by, reason: &str| Way::Apply { by, reason: reason.to_owned() };
    let blocked =
        |reason: String, hint: &str| Way::Stop { verdict: Verdict::Block, reason, hint: hint.to_owned() };
    match (manner, questions) {
        (Manner::Smart { .. }, _) if level == RiskLevel::Critical => blocked(
            "something is known to break that cannot be taken back from afar".to_owned(),
            "hold back what brings it; a person may decide otherwise without --smart",
        ),
        (Manner::Smart { .. }, _) if level == RiskLevel::None => {
            applied(DecidedBy::Checks, "nothing was found that speaks against it")
        }
        (Manner::Smart { accept }, _) if level <= accept => {
            applied(DecidedBy::Flag, &format!("--accept-risk {}", accept.as_str()))
        }
        (_, Questions::Ask) => Way::Ask,
        (Manner::Smart { .. }, _) => blocked(
            format!("the risk is {}, and nobody can be asked", level.as_str()),
            &format!("to apply it all the same: --accept-risk {}", level.as_str()),
        ),
        (Manner::Guided, _) if level == RiskLevel::Critical => blocked(
            "the risk is critical, and no person is here to decide".to_owned(),
            "run it at a terminal without --yes to decide, or hold back what brings it",
        ),
        (Manner::Guided, Questions::AssumeYes) => applied(DecidedBy::Flag, "--yes"),
        (Manner::Guided, _) => Way::Stop {
            verdict: Verdict::Decline,
            reason: "nobody can be asked".to_owned(),
            hint: "use --yes to apply it without the question, or --smart to decide by risk".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(manner: Manner, questions: Questions, level: RiskLevel) -> String {
        match way(manner, questions, &RiskAssessment { level, ..RiskAssessment::default() }) {
            Way::Ask => "ask".to_owned(),
            Way::Apply { by, .. } => format!("apply by {}", by.as_str()),
            Way::Stop { verdict, .. } => format!("{} {:?}", verdict.as_str(), verdict.class()),
        }
    }

    #[test]
    fn a_guided_update_asks_whoever_can_be_asked() {
        use RiskLevel::{Critical, High, Medium, None};
        let guided = |questions, level| decided(Manner::Guided, questions, level);
        for level in [None, Medium, High, Critical] {
            assert_eq!(guided(Questions::Ask, level), "ask");
        }
        for level in [None, Medium, High] {
            assert_eq!(guided(Questions::AssumeYes, level), "apply by flag");
            assert_eq!(guided(Questions::NonInteractive, level), "decline Declined");
        }
        // A flag decides nothing that cannot be taken back.
        assert_eq!(guided(Questions::AssumeYes, Critical), "block Blocked");
        assert_eq!(guided(Questions::NonInteractive, Critical), "block Blocked");
    }

    #[test]
    fn a_smart_update_goes_on_by_itself_where_nothing_was_found() {
        use RiskLevel::{Critical, High, Medium, None};
        let smart = |accept, questions, level| decided(Manner::Smart { accept }, questions, level);
        for questions in [Questions::Ask, Questions::AssumeYes, Questions::NonInteractive] {
            assert_eq!(smart(None, questions, None), "apply by checks");
            assert_eq!(smart(High, questions, Critical), "block Blocked");
            assert_eq!(smart(Medium, questions, Medium), "apply by flag");
            assert_eq!(smart(High, questions, Medium), "apply by flag");
        }
        for level in [Medium, High] {
            assert_eq!(smart(None, Questions::Ask, level), "ask");
            // Saying yes to every question is not accepting a risk.
            assert_eq!(smart(None, Questions::AssumeYes, level), "block Blocked");
            assert_eq!(smart(None, Questions::NonInteractive, level), "block Blocked");
        }
        assert_eq!(smart(Medium, Questions::NonInteractive, High), "block Blocked");
    }
}
