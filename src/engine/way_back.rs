//! The run that takes a failed run's hosts back: which hosts, and to what.
//!
//! A host is taken back by a run of its own, with the same supervisor, proof
//! and record as any deploy. Nobody waits for anybody in it.

use crate::model::{
    Existing, Failure, FailureClass, Goal, HostName, HostOutcome, HostReport, Questions, Reboot, RunId,
    RunSpec, StorePath, Wanted,
};

/// The run that takes back what this one has deployed: `None` when it did not
/// fail, or has deployed nothing. A host of which nobody knows is among them.
pub(super) fn way_back(spec: &RunSpec, reports: &[(HostName, HostReport)]) -> Option<RunSpec> {
    let failed = reports.iter().any(|(_, report)| {
        report.failure_class().is_some_and(|class| !matches!(class, FailureClass::Interrupted))
    });
    let is_wanted = spec.rollout.rollback_fleet && spec.goal.is_configuration() && failed;
    let wanted: Vec<(HostName, Wanted)> = reports
        .iter()
        .filter(|_| is_wanted)
        .filter_map(|(host, report)| {
            let path = to_take_back(report)?.clone();
            Some((host.clone(), Wanted::System { path, said: format!("what ran before run {}", spec.id) }))
        })
        .collect();
    if wanted.is_empty() {
        return None;
    }
    let id = RunId::generate();
    let mut back = RunSpec {
        run_dir: spec.state_dir.join("runs").join(id.as_str()),
        id,
        goal: Goal::Existing(Existing { wanted: wanted.into_iter().collect(), ..Existing::default() }),
        action: crate::model::Action::Switch,
        reboot: if spec.reboot.is_asked() { Reboot::IfNeeded } else { Reboot::Never },
        // The flag has asked for it.
        questions: if spec.questions == Questions::NonInteractive {
            spec.questions
        } else {
            Questions::AssumeYes
        },
        takes_back: Some(spec.id.clone()),
        resumed: None,
        ..spec.clone()
    };
    let Goal::Existing(existing) = &back.goal else { return None };
    back.hosts.retain(|host| existing.wanted.contains_key(&host.name));
    back.at_once();
    Some(back)
}

/// What the host is taken back to, when it was changed or may have been.
fn to_take_back(report: &HostReport) -> Option<&StorePath> {
    let old = report.old.as_ref().filter(|old| report.new.as_ref().is_some_and(|new| new != *old))?;
    let keeps = report
        .truth
        .as_ref()
        .is_some_and(|truth| truth.current_system == report.new || truth.profile == report.new);
    (keeps || report.outcome == HostOutcome::Unknown).then_some(old)
}

/// A host that is not back keeps what the failed run gave it: that is worse than
/// the reason why it could not be reached or changed.
pub(super) fn not_back(spec: &RunSpec, host: &HostName, report: &mut HostReport) {
    let Some(failed_run) = spec.takes_back.as_ref().filter(|_| !report.outcome.is_success()) else { return };
    let message = format!("{host} was not taken back: it keeps what run {failed_run} deployed");
    let mut failure = Failure::new(FailureClass::HostNotWell, message);
    if let Some(first) = report.failure.take() {
        failure.causes.push(first.message);
        failure.causes.extend(first.causes);
        failure.evidence = first.evidence;
        failure.hints = first.hints;
    }
    if let Goal::Existing(existing) = &spec.goal
        && let Wanted::System { path, .. } = existing.of(host)
    {
        failure.hints.push(format!("when it answers: nix-deploy rollback {host} --to {path}"));
    }
    report.failure = Some(failure);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Truth;

    fn path(letter: char) -> StorePath {
        StorePath::new(format!("/nix/store/{}-nixos-system", letter.to_string().repeat(32))).unwrap()
    }

    fn report(outcome: HostOutcome, runs: Option<char>) -> HostReport {
        let truth = runs.map(|letter| Truth {
            current_system: Some(path(letter)),
            profile: Some(path(letter)),
            generation: None,
            state: None,
            supervisor_alive: false,
            boot_id: String::new(),
        });
        let failure = (!outcome.is_success()).then(|| Failure::new(FailureClass::Unfit, "asleep"));
        let (old, new) = (Some(path('0')), Some(path('1')));
        HostReport {
            outcome,
            old,
            new,
            truth,
            failure,
            ..super::super::failed_report(Failure::new(FailureClass::Unfit, ""))
        }
    }

    #[test]
    fn taken_back_is_what_runs_the_new_system_or_may_do_so() {
        use HostOutcome::{Deployed, Failed, RolledBack, Unchanged, Unknown};
        let rows = [
            (report(Deployed, Some('1')), true),
            // Not well, and kept.
            (report(Failed, Some('1')), true),
            (report(Unknown, None), true),
            (report(RolledBack, Some('0')), false),
            (report(Failed, None), false),
            (HostReport { new: Some(path('0')), ..report(Unchanged, Some('0')) }, false),
        ];
        for (report, expected) in rows {
            assert_eq!(to_take_back(&report).is_some(), expected, "{report:?}");
        }
    }
}
