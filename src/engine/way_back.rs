//! The run that takes a failed run's hosts back: which hosts, and to what.
//!
//! A host is taken back by a run of its own, with the same supervisor, proof
//! and record as any deploy. Nobody waits for anybody in it.

use crate::model::{
    DoneHost, Existing, Failure, FailureClass, Goal, HostName, HostOutcome, HostReport, Questions, Reboot,
    Replaced, RunId, RunSpec, Wanted,
};

/// The run that takes back what this one has deployed, and what the run had that
/// it takes up: `None` when it did not fail, or nothing was deployed. A host of
/// which nobody knows is among them.
pub(super) fn way_back(spec: &RunSpec, reports: &[(HostName, HostReport)]) -> Option<RunSpec> {
    let failed = reports.iter().any(|(_, report)| {
        report.failure_class().is_some_and(|class| !matches!(class, FailureClass::Interrupted))
    });
    let is_wanted = spec.rollout.rollback_fleet && spec.goal.is_configuration() && failed;
    if !is_wanted {
        return None;
    }
    let before = |run: &RunId| format!("what ran before run {run}");
    let ours = reports.iter().filter_map(|(host, report)| {
        let (Replaced { old, new }, is_seen) = to_take_back(spec, host, report)?;
        // One that was not looked at since may have been given something else.
        let instead_of = (!is_seen).then_some(new);
        Some((host.clone(), Wanted::System { path: old, said: before(&spec.id), instead_of }))
    });
    let done: Vec<&DoneHost> = spec.resumed.iter().flat_map(|resumed| &resumed.done).collect();
    let theirs = spec.resumed.iter().flat_map(|resumed| {
        resumed.done.iter().filter_map(|done| {
            let Replaced { old, new } = done.systems.clone()?;
            done.host.as_ref()?;
            let wanted = Wanted::System { path: old, said: before(&resumed.run), instead_of: Some(new) };
            Some((done.name.clone(), wanted))
        })
    });
    let wanted: Vec<(HostName, Wanted)> = ours.chain(theirs).collect();
    if wanted.is_empty() {
        return None;
    }
    let mut hosts = spec.hosts.clone();
    hosts.extend(done.iter().filter_map(|done| done.host.clone()));
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
        updates: false,
        hosts,
        ..spec.clone()
    };
    let Goal::Existing(existing) = &back.goal else { return None };
    back.hosts.retain(|host| existing.wanted.contains_key(&host.name));
    back.at_once();
    Some(back)
}

/// What a host of the run was given and had before, when it has to go back, and
/// whether this run saw that it runs it. One that the run had only to find as
/// another one left it, or never came to, was changed by that one.
fn to_take_back(spec: &RunSpec, host: &HostName, report: &HostReport) -> Option<(Replaced, bool)> {
    if let Some(replaced) = report.replaced().filter(|_| report.outcome != HostOutcome::Unchanged) {
        return Some((replaced, true));
    }
    if report.truth.is_some() {
        return None;
    }
    let committed = spec.resumed.as_ref()?.committed.get(host)?;
    let (old, new) = committed.old.clone().zip(report.new.clone())?;
    let is_seen = report.outcome == HostOutcome::Unchanged;
    (old != new).then_some((Replaced { old, new }, is_seen))
}

/// A host that is not back keeps what the failed run gave it: that is worse than
/// the reason why it could not be reached or changed.
pub(super) fn not_back(spec: &RunSpec, host: &HostName, report: &mut HostReport) {
    let Some(failed_run) = spec.takes_back.as_ref().filter(|_| !report.outcome.is_success()) else { return };
    let wanted = match &spec.goal {
        Goal::Existing(existing) => existing.of(host),
        Goal::Configuration => Wanted::Previous,
    };
    let keeps = match &wanted {
        Wanted::System { instead_of: Some(given), .. } => {
            format!("{given}, which it was given before run {failed_run} began")
        }
        _ => format!("what run {failed_run} deployed"),
    };
    let message = format!("{host} was not taken back: it keeps {keeps}");
    let mut failure = Failure::new(FailureClass::HostNotWell, message);
    if let Some(first) = report.failure.take() {
        failure.causes.push(first.message);
        failure.causes.extend(first.causes);
        failure.evidence = first.evidence;
        failure.hints = first.hints;
    }
    if let Wanted::System { path, .. } = wanted {
        failure.hints.push(format!("when it answers: nix-deploy rollback {host} --to {path}"));
    }
    report.failure = Some(failure);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::turns::tests::{resumed, spec};
    use crate::model::{Committed, HostSpec, Resumed, StorePath, Truth};

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
            assert_eq!(report.replaced().is_some(), expected, "{report:?}");
        }
    }

    fn back(resumed: Option<Resumed>, reports: &[(&str, HostReport)]) -> Option<RunSpec> {
        let name = |name: &str| HostName::new(name).unwrap();
        let host = |(host, _): &(&str, HostReport)| HostSpec::with_defaults(name(host));
        let mut spec = spec(reports.iter().map(host).collect());
        spec.rollout.rollback_fleet = true;
        spec.resumed = resumed;
        let reports: Vec<_> = reports.iter().map(|(host, report)| (name(host), report.clone())).collect();
        way_back(&spec, &reports)
    }

    #[test]
    fn hosts_of_the_run_that_was_taken_up_are_taken_back_with_the_others() {
        use HostOutcome::{Deployed, RolledBack, Skipped, Unchanged};
        let name = |name: &str| HostName::new(name).unwrap();
        let replaced = Some(Replaced { old: path('0'), new: path('1') });
        let done = |host: &str, systems: &Option<Replaced>| DoneHost {
            name: name(host),
            host: Some(HostSpec::with_defaults(name(host))),
            is_changed: systems.is_some(),
            systems: systems.clone(),
        };
        let gone = DoneHost { host: None, ..done("gone", &replaced) };
        let committed = Committed { old: Some(path('0')), boot_id: String::new(), reboot_needed: false };
        let resumed = Resumed {
            done: vec![done("a", &replaced), done("b", &None), gone],
            committed: [(name("c"), committed.clone()), (name("g"), committed)].into(),
            ..resumed()
        };
        let found = HostReport { old: Some(path('1')), ..report(Unchanged, None) };
        // It waited for its turn when another one failed.
        let never_came = HostReport { old: Some(path('1')), ..report(Skipped, None) };
        let reports = [
            ("c", found.clone()),
            ("d", report(Deployed, Some('1'))),
            ("e", report(RolledBack, Some('0'))),
            ("f", found),
            ("g", never_came),
        ];
        let back = back(Some(resumed.clone()), &reports).unwrap();
        let hosts: Vec<&str> = back.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(hosts, ["c", "d", "g", "a"]);
        let Goal::Existing(existing) = &back.goal else { panic!("it is a deploy") };
        let wanted = |host: &str, run: &RunId, instead_of: Option<StorePath>| {
            let said = format!("what ran before run {run}");
            assert_eq!(existing.of(&name(host)), Wanted::System { path: path('0'), said, instead_of });
        };
        // Nobody has looked at it in this run: somebody may have changed it since.
        wanted("a", &resumed.run, Some(path('1')));
        let failed = back.takes_back.clone().unwrap();
        wanted("c", &failed, None);
        wanted("d", &failed, None);
        wanted("g", &failed, Some(path('1')));
    }

    #[test]
    fn a_run_that_went_well_takes_nothing_back() {
        let well = [("d", report(HostOutcome::Deployed, Some('1')))];
        assert!(back(None, &well).is_none());
    }
}
