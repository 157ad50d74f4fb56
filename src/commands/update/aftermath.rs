//! After an update: what is known of what is installed now, and what has
//! become available.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::Update;
use super::checks::Findings;
use crate::event::Event;
use crate::issues::{Check, package_set_day};
use crate::model::StepOutcome;
use crate::model::UpdateCheck;
use crate::update::running;

impl Update<'_> {
    /// Reads what the hosts run now, and tells. The deploy has ended well: what
    /// cannot be told is only said.
    pub(super) async fn look_again(&self, findings: &Findings) {
        for host in &findings.previewed.hosts {
            if let Some(packages) = host.preview.new_packages.as_ref().filter(|packages| !packages.is_empty()) {
                let (host, packages) = (host.preview.host.clone(), packages.clone());
                self.send(Event::NewPackages { host, packages });
            }
        }
        let Some(known) = &findings.known else { return };
        let clock = self.begin(UpdateCheck::Issues, "of what is installed now");
        let hosts = &self.spec.hosts;
        let asked = join_all(hosts.iter().map(|host| running::ask(host, &self.nix))).await;
        let mut count = 0;
        for (host, asked) in hosts.iter().zip(asked) {
            let (packages, day) = match asked {
                Ok(running) => (running.packages(), running.system.as_ref().and_then(package_set_day)),
                Err(failure) => {
                    self.running.sink.warn(Some(&host.name), failure.message, None);
                    continue;
                }
            };
            let issues = known.relevant(day);
            let check = Check {
                host: &host.name,
                running: &packages,
                next: None,
                issues: &issues,
                as_of: Some(known.as_of),
                ignore: &self.asked.issues.settings.ignore,
                package_set: findings.trial.package_set(),
                now: Timestamp::now(),
            };
            let report = check.report(|number| self.asked.issues.tracker.issue_url(number));
            count += report.findings.iter().filter(|finding| finding.ignored.is_none()).count();
            self.send(Event::KnownIssues { report: Box::new(report), afterwards: true });
        }
        let summary = match count {
            0 => "nothing known of what is installed now".to_owned(),
            count => format!("{count} of what is installed now"),
        };
        let outcome = if count == 0 { StepOutcome::Passed } else { StepOutcome::Warned };
        self.end(clock, outcome, summary);
    }
}
