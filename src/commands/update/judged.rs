//! `update` and `update --smart`: everything is looked at first, then it is
//! decided, by a person or by what was found.

use super::checks::Findings;
use super::{Kept, Update};
use crate::error::CommandError;
use crate::event::Event;
use crate::exit::{self, ExitCode};
use crate::model::{DecidedBy, Failure, Questions, RiskAssessment, RiskLevel, Verdict};
use crate::update::decide::{Manner, Way, way};
use crate::update::risk;

const QUESTION: &str = "Apply these updates?";

impl Update<'_> {
    /// Looks, decides, and goes on or not.
    pub(super) async fn judged(&self, manner: Manner) -> Result<ExitCode, CommandError> {
        let findings = self.interruptible(self.look()).await?;
        if findings.trial.moves().is_empty() {
            self.running.sink.warn(None, "all inputs are at their newest: there is nothing to update", None);
            return Ok(exit::OK);
        }
        let assessment = risk::assess(&findings.evidence());
        self.send(Event::Risk { risk: Box::new(assessment.clone()) });
        if assessment.level == RiskLevel::Critical {
            self.interruptible(self.offer(&findings)).await?;
        }
        self.decide(manner, &assessment).await?;
        let code = self.apply(findings.trial.lock_text(), Kept::Moved(findings.trial.moves().to_vec())).await?;
        if code == exit::OK {
            self.look_again(&findings).await;
        }
        Ok(code)
    }

    /// Everything about the update, on the screen and in the record.
    async fn look(&self) -> Result<Findings, CommandError> {
        let findings = self.check().await?;
        for report in &findings.reports {
            self.send(Event::KnownIssues { report: Box::new(report.clone()), afterwards: false });
        }
        for finding in &findings.found {
            for host in &self.spec.hosts {
                self.send(Event::Finding { host: host.name.clone(), finding: Box::new(finding.clone()) });
            }
        }
        Ok(findings)
    }

    /// An error where the update is not to be made.
    async fn decide(&self, manner: Manner, assessment: &RiskAssessment) -> Result<(), CommandError> {
        let stopped = |verdict: Verdict, by, reason: &str| {
            self.decided(verdict, by, reason);
            Failure::new(verdict.class(), format!("the update is not applied: {reason}"))
        };
        match way(manner, self.spec.questions, assessment) {
            Way::Apply { by, reason } => {
                if by == DecidedBy::Flag && self.spec.questions != Questions::Ask {
                    self.send(Event::Answered { question: QUESTION.to_owned(), yes: true, by_person: false });
                }
                self.decided(Verdict::Apply, by, &reason);
                Ok(())
            }
            Way::Stop { verdict, reason, hint } => {
                Err(stopped(verdict, DecidedBy::Checks, &reason).hint(hint).into())
            }
            Way::Ask => {
                let question = QUESTION.to_owned();
                self.send(Event::Asked { question: question.clone() });
                let answer = self.running.sink.confirm_expressly(QUESTION).await;
                if let Some(yes) = answer {
                    self.send(Event::Answered { question, yes, by_person: true });
                }
                match answer {
                    Some(true) => {
                        self.decided(Verdict::Apply, DecidedBy::Person, "the answer was yes");
                        Ok(())
                    }
                    Some(false) => {
                        Err(stopped(Verdict::Decline, DecidedBy::Person, "the answer was no").into())
                    }
                    None if self.running.interrupt.asked() => {
                        self.decided(Verdict::Decline, DecidedBy::Person, "interrupted");
                        self.interruptible(std::future::pending()).await
                    }
                    None => Err(stopped(Verdict::Decline, DecidedBy::Checks, "nobody answered").into()),
                }
            }
        }
    }
}
