//! What was found as a failure of the deploy, with what may tell why.

use super::Findings;
use crate::host::Session;
use crate::host::checks::CheckFailure;
use crate::host::judge::Judgement;
use crate::host::{causes, observe};
use crate::model::{Check, CheckKind, Failure, FailureClass, UnitPlan};
use crate::steps::context::HostContext;

/// How many services are named whose journals may tell why a check failed.
const SUSPECTS: usize = 3;

/// What was found as a failure, with the last words of the units.
pub(in crate::steps) async fn failure(
    context: &HostContext,
    session: &Session,
    findings: &Findings,
) -> Failure {
    let Findings { judgement: Judgement { ailing, .. }, failed_checks: checks, network, limits, activation } =
        findings;
    let mut parts: Vec<String> =
        ailing.iter().map(|ailing| format!("{} {}", ailing.unit, ailing.why)).collect();
    parts.extend(checks.iter().map(|check| format!("check {:?} failed", check.name)));
    parts.extend(network.iter().cloned());
    parts.extend(limits.iter().cloned());
    if !activation.is_empty() {
        parts.push("the activation could not start or reload a unit (exit code 4)".to_owned());
    }
    let mut failure = Failure::new(FailureClass::RolledBack, parts.join("; "));
    for check in checks {
        failure = failure.cause(check.why.clone());
    }
    if !activation.is_empty() {
        failure.hints.extend(causes::suggestions(activation));
        failure = failure.evidence(activation.clone());
    }
    let units: Vec<String> = ailing.iter().map(|ailing| ailing.unit.clone()).collect();
    if let Some(first) = units.first() {
        let since = context.activation().since;
        let lines = observe::evidence(&context.link, session, &units, &since, context.command_deadline());
        if let Ok(lines) = lines.await {
            failure.hints.extend(causes::suggestions(&lines));
            failure = failure.evidence(lines);
        }
        failure = failure.hint(format!("on the host: journalctl -u {first} -b"));
    } else if !checks.is_empty() {
        let plan = context.preview.get().and_then(|preview| preview.plan.as_ref());
        let units = suspects(&context.host.checks, checks, plan);
        if !units.is_empty() {
            failure = failure.hint(format!("on the host: journalctl -u {} -b", units.join(" -u ")));
        }
    }
    failure
}

/// The services whose journals may tell why checks failed: those that their commands name,
/// else those that the switch has touched.
fn suspects(checks: &[Check], failed: &[CheckFailure], plan: Option<&UnitPlan>) -> Vec<String> {
    let is_failed = |check: &&Check| failed.iter().any(|failure| failure.name == check.name);
    let named = checks.iter().filter(is_failed).flat_map(|check| match &check.kind {
        CheckKind::Command { argv } => argv.as_slice(),
        _ => &[],
    });
    let mut units: Vec<String> = named.filter(|word| word.ends_with(".service")).cloned().collect();
    if units.is_empty() {
        units = plan.map(UnitPlan::touched).unwrap_or_default();
        units.retain(|unit| unit.ends_with(".service"));
    }
    units.truncate(SUSPECTS);
    units
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failed_check_names_the_services_whose_journals_may_tell_why() {
        let check = |name: &str, kind| {
            let (timeout, grace) = (Duration::ZERO, Duration::ZERO);
            Check { name: name.to_owned(), kind, timeout, retries: 0, grace }
        };
        let argv = ["systemctl", "is-active", "db.service"].map(str::to_owned).to_vec();
        let url = "http://p620/".to_owned();
        let checks = [
            check("web", CheckKind::Http { url, expect_status: 200 }),
            check("db", CheckKind::Command { argv }),
        ];
        let failed = |name: &str| [CheckFailure { name: name.to_owned(), why: String::new() }];
        let restart = ["a.target", "b.service", "c.service", "d.service", "e.service"].map(str::to_owned);
        let plan = UnitPlan { restart: restart.to_vec(), ..UnitPlan::default() };
        assert_eq!(suspects(&checks, &failed("db"), Some(&plan)), ["db.service"]);
        assert_eq!(suspects(&checks, &failed("web"), Some(&plan)), ["b.service", "c.service", "d.service"]);
        assert!(suspects(&checks, &failed("web"), None).is_empty());
    }
}
