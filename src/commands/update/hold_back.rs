//! What can be done about an update that is blocked: the input that brings
//! what blocks is found by trying the inputs one by one, and the package can
//! stay at the revision from before.

use std::collections::BTreeSet;

use super::Update;
use super::checks::{Asked, Findings};
use crate::error::CommandError;
use crate::event::Event;
use crate::model::{InputMove, IssueFinding, IssueReport, StepOutcome, UpdateCheck, UpdateOffer};
use crate::update::{Previewed, Trial, offers};

/// What one input brings by itself.
struct Alone {
    input: String,
    /// What of it stands in the way.
    brings: Vec<String>,
}

impl Update<'_> {
    /// Offers what can be done about issues that block.
    pub(super) async fn offer(&self, findings: &Findings) -> Result<(), CommandError> {
        let Some(known) = &findings.known else { return Ok(()) };
        let wanted = blocking(&findings.reports);
        if wanted.is_empty() {
            return Ok(());
        }
        let culprits = self
            .try_each(&findings.trial, &findings.running, |previewed| {
                let reports = self.reports(known, previewed, findings.trial.package_set());
                let found =
                    blocking(&reports).into_iter().filter(|one| wanted.iter().any(|other| same(one, other)));
                found.map(|finding| named(&finding)).collect()
            })
            .await;
        let culprits = match culprits.is_empty() {
            // Together they bring what none brings alone, or there is only one.
            true => vec![Alone {
                input: moved_roots(&findings.trial).join(", "),
                brings: wanted.iter().map(named).collect(),
            }],
            false => culprits,
        };
        self.send_hold_backs(&findings.trial, &culprits);
        self.send_pins(findings, &wanted, &culprits);
        Ok(())
    }

    /// Offers what can be done about an update that does not evaluate or build.
    pub(super) async fn offer_for_failure(&self, trial: &Trial, running: &Asked) {
        if moved_roots(trial).len() < 2 {
            return;
        }
        let culprits = self
            .try_each(trial, running, |previewed| {
                previewed.failures.iter().map(|failure| failure.message.clone()).take(1).collect()
            })
            .await;
        self.send_hold_backs(trial, &culprits);
    }

    /// Tries each input that moves by itself, and keeps those that bring something.
    async fn try_each(
        &self,
        trial: &Trial,
        running: &Asked,
        brings: impl Fn(&Previewed) -> Vec<String>,
    ) -> Vec<Alone> {
        let roots = moved_roots(trial);
        if roots.len() < 2 {
            return Vec::new();
        }
        let mut found = Vec::new();
        for input in roots {
            let clock = self.begin(UpdateCheck::Preview, &format!("trying {input} by itself"));
            // What cannot be tried alone, because it needs another one, is no culprit by itself.
            let Ok(alone) = self.trial(std::slice::from_ref(&input), &|_| {}).await else {
                self.end(clock, StepOutcome::Skipped, format!("{input} cannot be tried by itself"));
                continue;
            };
            let brings = brings(&self.previewed(&alone, running).await);
            match brings.is_empty() {
                true => self.end(
                    clock,
                    StepOutcome::Passed,
                    format!("{input} by itself brings nothing that blocks"),
                ),
                false => {
                    self.end(
                        clock,
                        StepOutcome::Warned,
                        format!("{input} by itself brings {}", brings.join(", ")),
                    );
                    found.push(Alone { input, brings });
                }
            }
        }
        found
    }

    fn send_hold_backs(&self, trial: &Trial, culprits: &[Alone]) {
        let is_culprit =
            |root: &String| culprits.iter().any(|alone| alone.input.split(", ").any(|name| name == root));
        let others: Vec<String> = moved_roots(trial).into_iter().filter(|root| !is_culprit(root)).collect();
        for Alone { input, brings } in culprits {
            let (input, others, brings) = (input.clone(), others.clone(), brings.join(", "));
            self.send(Event::UpdateOffer { offer: Box::new(UpdateOffer::HoldBack { input, others, brings }) });
        }
    }

    /// A package that runs now can stay as it is; a new one can only be left out.
    fn send_pins(&self, findings: &Findings, wanted: &[IssueFinding], culprits: &[Alone]) {
        let mut pinned = BTreeSet::new();
        for finding in wanted {
            let running = findings.previewed.hosts.iter().flat_map(|host| &host.before);
            let version = running
                .filter(|package| package.name == finding.package)
                .find_map(|package| package.versions.last());
            let culprit = culprits.iter().find(|alone| alone.brings.contains(&named(finding)));
            let moved = culprit.and_then(|alone| move_of(findings.trial.moves(), &alone.input));
            if let (Some(version), Some(moved)) = (version, moved)
                && pinned.insert(finding.package.clone())
                && let Some(offer) = offers::pin(&finding.package, version, moved)
            {
                self.send(Event::UpdateOffer { offer: Box::new(offer) });
            }
        }
    }
}

/// The flake's own inputs that move, or have inputs that do.
fn moved_roots(trial: &Trial) -> Vec<String> {
    let known = trial.inputs();
    let roots = trial.moves().iter().filter_map(|moved| moved.input.split('/').next());
    let roots: BTreeSet<&str> = roots.filter(|root| known.contains(root)).collect();
    roots.into_iter().map(str::to_owned).collect()
}

fn move_of<'a>(moves: &'a [InputMove], root: &str) -> Option<&'a InputMove> {
    moves.iter().find(|moved| moved.input == root)
}

fn blocking(reports: &[IssueReport]) -> Vec<IssueFinding> {
    let findings = reports.iter().flat_map(|report| &report.findings);
    findings.filter(|finding| finding.blocks()).cloned().collect()
}

fn same(one: &IssueFinding, other: &IssueFinding) -> bool {
    (one.number, &one.package) == (other.number, &other.package)
}

fn named(finding: &IssueFinding) -> String {
    format!("{} {} (#{})", finding.package, finding.versions.join(", "), finding.number)
}
