//! Mode and action decide which steps run; each step names those it needs.
//!
//! Invariant: activation waits for every step that can refuse it. `changes`
//! runs beside `copy`, everything after activation is one chain.

use crate::model::{Action, Mode, Phase, RunSpec, StepId};
use StepId::{
    Activate, Antipatterns, Audit, Build, Changes, Commit, Copy, Decide, Evaluate, Git, HostFacts, Logs,
    Network, Preview, Prove, Reboot, Resources, Services, Settle, Soak, Syntax, Verify,
};

/// The steps of each host of a run, in the order of the report.
pub(crate) fn steps_of(run_spec: &RunSpec) -> Vec<StepId> {
    let mut steps = steps(run_spec.mode, run_spec.action, run_spec.reboot.is_asked());
    steps.retain(|step| *step != Soak || run_spec.soaks());
    if run_spec.resumed.as_ref().is_some_and(|resumed| resumed.source.is_some()) {
        // It was judged by the run that is taken up; what lies there now is not deployed.
        steps.retain(|step| !matches!(step, Syntax | Antipatterns));
    }
    if !run_spec.goal.is_configuration() {
        steps.retain(|step| !is_of_configuration(*step));
    }
    steps
}

/// Steps that only a system needs which the configuration describes; one that
/// the host has was judged, built and copied when it was deployed.
fn is_of_configuration(step: StepId) -> bool {
    matches!(step, Git | Syntax | Antipatterns | Evaluate | Build | Audit | Copy)
}

fn steps(mode: Mode, action: Action, reboot: bool) -> Vec<StepId> {
    // What is no boot default is not entered by a reboot.
    let reboot = reboot && action.commits();
    let planned = |step: &StepId| match step {
        Reboot => reboot,
        // A host that is rebooted runs the new system after all.
        _ if reboot && step.phase() == Phase::Observe => in_mode(*step, mode, action),
        _ => in_mode(*step, mode, action) && in_action(*step, action),
    };
    StepId::ALL.into_iter().filter(planned).collect()
}

fn in_mode(step: StepId, mode: Mode, action: Action) -> bool {
    match mode {
        Mode::Standard => true,
        Mode::Fast => !matches!(step, Antipatterns | Audit | Resources | Network | Logs),
        // The preview is all that `dry-activate` is for.
        Mode::Emergency if step == Preview => action == Action::DryActivate,
        Mode::Emergency => {
            !matches!(step, Git | Syntax | Antipatterns | Audit | Changes | Resources | Network | Logs)
        }
    }
}

fn in_action(step: StepId, action: Action) -> bool {
    match action {
        Action::Switch => true,
        // `commit` is also the confirmation, without which the host goes back.
        Action::Test => true,
        // The running system stays: there is nothing to prove and to observe.
        Action::Boot => !matches!(step, Prove | Verify) && step.phase() != Phase::Observe,
        Action::DryActivate => step <= Preview,
    }
}

/// The steps a step needs when all of them run.
pub(crate) fn needs(step: StepId) -> &'static [StepId] {
    match step {
        Git | HostFacts | Evaluate => &[],
        // Which files are judged depends on what the host runs.
        Syntax | Antipatterns => &[HostFacts],
        Decide => &[Evaluate, HostFacts],
        Build => &[Decide],
        // What the source says of new services is decided on what was built.
        Audit => &[Build, Antipatterns],
        Changes => &[Build],
        Copy => &[Build],
        Preview => &[Copy],
        Activate => &[Preview, Changes, Git, Syntax, Antipatterns, Audit],
        Prove => &[Activate],
        Verify => &[Prove],
        Commit => &[Verify],
        Settle => &[Commit],
        Reboot => &[Settle],
        // They look at the proven system, and delay neither commit nor settle.
        Services | Resources | Network | Logs => &[Verify],
        Soak => &[Settle],
    }
}

/// The steps a step needs among those that run: one that does not run stands
/// for what it would need itself.
pub(crate) fn needs_among(step: StepId, running: &[StepId]) -> Vec<StepId> {
    let mut found = Vec::new();
    let mut waiting: Vec<StepId> = needs(step).to_vec();
    // After a reboot there is another system to look at.
    if step.phase() == Phase::Observe && running.contains(&Reboot) {
        waiting = vec![Reboot];
    }
    while let Some(need) = waiting.pop() {
        if !running.contains(&need) {
            waiting.extend(needs(need));
        } else if !found.contains(&need) {
            found.push(need);
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_and_action_decide_the_steps() {
        let rows = [
            (
                Mode::Standard,
                Action::Switch,
                "git, host facts, syntax, antipatterns, evaluate, decide, build, audit, changes, copy, preview, activate, \
                prove, verify, commit, settle, services, resources, network, logs, soak",
            ),
            (
                Mode::Standard,
                Action::Test,
                "git, host facts, syntax, antipatterns, evaluate, decide, build, audit, changes, copy, preview, activate, \
                prove, verify, commit, settle, services, resources, network, logs, soak",
            ),
            (
                Mode::Standard,
                Action::Boot,
                "git, host facts, syntax, antipatterns, evaluate, decide, build, audit, changes, copy, preview, activate, \
                commit, settle",
            ),
            (
                Mode::Standard,
                Action::DryActivate,
                "git, host facts, syntax, antipatterns, evaluate, decide, build, audit, changes, copy, preview",
            ),
            (
                Mode::Fast,
                Action::Switch,
                "git, host facts, syntax, evaluate, decide, build, changes, copy, preview, activate, \
                prove, verify, commit, settle, services, soak",
            ),
            (
                Mode::Fast,
                Action::Boot,
                "git, host facts, syntax, evaluate, decide, build, changes, copy, preview, activate, \
                commit, settle",
            ),
            (
                Mode::Fast,
                Action::DryActivate,
                "git, host facts, syntax, evaluate, decide, build, changes, copy, preview",
            ),
            (
                Mode::Emergency,
                Action::Switch,
                "host facts, evaluate, decide, build, copy, activate, prove, verify, commit, \
                settle, services, soak",
            ),
            (
                Mode::Emergency,
                Action::Boot,
                "host facts, evaluate, decide, build, copy, activate, commit, settle",
            ),
            (Mode::Emergency, Action::DryActivate, "host facts, evaluate, decide, build, copy, preview"),
        ];
        for (mode, action, expected) in rows {
            let names: Vec<&str> = steps(mode, action, false).into_iter().map(StepId::as_str).collect();
            assert_eq!(names.join(", "), expected, "{mode} {action}");
        }
    }

    #[test]
    fn a_reboot_is_planned_only_when_asked_for_and_when_it_enters_the_new_system() {
        for mode in [Mode::Standard, Mode::Fast, Mode::Emergency] {
            for action in [Action::Switch, Action::Boot] {
                assert!(!steps(mode, action, false).contains(&Reboot), "{mode} {action}");
                let steps = steps(mode, action, true);
                assert_eq!(needs_among(Reboot, &steps), [Settle], "{mode} {action}");
                assert_eq!(needs_among(Services, &steps), [Reboot], "{mode} {action}");
            }
            for action in [Action::Test, Action::DryActivate] {
                assert_eq!(steps(mode, action, true), steps(mode, action, false), "{mode} {action}");
            }
        }
    }

    #[test]
    fn every_change_that_runs_is_proven_verified_and_confirmed_in_every_mode() {
        for mode in [Mode::Standard, Mode::Fast, Mode::Emergency] {
            for action in [Action::Switch, Action::Test] {
                let steps = steps(mode, action, false);
                for step in [Prove, Verify, Commit, Settle] {
                    assert!(steps.contains(&step), "{mode} {action} lacks {step}");
                }
            }
        }
    }

    #[test]
    fn a_step_only_needs_steps_before_it_so_there_is_no_circle() {
        for step in StepId::ALL {
            assert!(needs(step).iter().all(|need| *need < step), "{step}");
        }
    }

    #[test]
    fn a_step_that_does_not_run_stands_for_its_own_needs() {
        let emergency = steps(Mode::Emergency, Action::Switch, false);
        assert_eq!(needs_among(Activate, &emergency), [HostFacts, Build, Copy]);
        let boot = steps(Mode::Standard, Action::Boot, false);
        assert_eq!(needs_among(Commit, &boot), [Activate]);
        assert_eq!(needs_among(Changes, &boot), [Build]);
    }

    #[test]
    fn nothing_is_activated_before_every_step_that_can_refuse_it() {
        for mode in [Mode::Standard, Mode::Fast, Mode::Emergency] {
            let running = steps(mode, Action::Switch, false);
            let mut reached = vec![Activate];
            let mut position = 0;
            while let Some(step) = reached.get(position).copied() {
                let more = needs_among(step, &running);
                reached.extend(more.into_iter().filter(|need| !reached.contains(need)).collect::<Vec<_>>());
                position += 1;
            }
            let before = running.iter().filter(|step| **step < Activate);
            assert!(before.into_iter().all(|step| reached.contains(step)), "{mode}: {reached:?}");
        }
    }
}
