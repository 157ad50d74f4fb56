//! A host that an interrupted run had changed, and that nobody has seen through its
//! reboot or its watch: it gets no new system any more, and still comes to its end.
//!
//! `decide` finds that the host is one. It waits for its turn like any other, is
//! asked what it runs, and goes on with `reboot` and `soak`.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use super::{Done, StepResult, changes};
use crate::host::{HostError, Session, supervisor};
use crate::model::{
    Action, Committed, Failure, FailureClass, HostFacts, HostOutcome, Reboot, StepId, StorePath, Truth,
};

/// The pause between logins that fail: see `way.rs`.
const PAUSE: Duration = Duration::from_secs(2);
/// Steps that such a host has behind it.
pub(crate) const PASSED_OVER: [StepId; 12] = [
    StepId::Build,
    StepId::Audit,
    StepId::Changes,
    StepId::Copy,
    StepId::Preview,
    StepId::Prove,
    StepId::Verify,
    StepId::Commit,
    StepId::Services,
    StepId::Resources,
    StepId::Network,
    StepId::Logs,
];

/// Whether an unchanged host is one, and has anything left to be done.
pub(super) fn is_open(context: &HostContext, facts: &HostFacts, new: &StorePath) -> Option<Committed> {
    let spec = &context.run.spec;
    let committed = spec.resumed.as_ref()?.committed.get(context.name())?;
    let differs = || changes::reboot(context, facts).0;
    let reboots = spec.action.commits() && awaits_reboot(spec.reboot, committed, facts, new, differs);
    (reboots || spec.soaks()).then(|| committed.clone())
}

/// Whether a reboot is left to be done or to be proven.
fn awaits_reboot(
    asked: Reboot,
    committed: &Committed,
    facts: &HostFacts,
    new: &StorePath,
    differs: impl FnOnce() -> bool,
) -> bool {
    match asked {
        Reboot::Never => false,
        Reboot::Always => true,
        Reboot::IfNeeded => {
            // A reboot that was made and that nobody has proven is left, too.
            is_rebooted(committed, &facts.boot_id)
                || committed.reboot_needed
                || facts.current_system.as_ref() != Some(new)
                || differs()
        }
    }
}

/// Whether the host has been rebooted since it was changed, by what was seen last.
pub(super) fn is_rebooted(committed: &Committed, boot_id: &str) -> bool {
    !committed.boot_id.is_empty() && committed.boot_id != boot_id
}

/// What is on the host, over a login of its own; it is proven by `reboot` and `soak`.
pub(super) async fn settle(context: &HostContext, new: &StorePath) -> StepResult {
    // It may be going down yet, because the interrupted run had told it to.
    let patience = context.host.timeouts.reboot;
    let asked_at = Instant::now();
    let (session, truth) = loop {
        match look(context).await {
            Ok(found) => break found,
            Err(error) if asked_at.elapsed() + PAUSE >= patience => {
                let mut failure = error.failure();
                failure.class = FailureClass::HostNotWell;
                return Err(failure);
            }
            Err(error) => context.progress(StepId::Settle, format!("{error}; trying again")),
        }
        tokio::time::sleep(PAUSE).await;
    };
    let Some(outcome) = outcome(context.run.spec.action, new, &truth) else {
        let host = context.name();
        return Err(Failure::new(FailureClass::Busy, format!("somebody else changed {host} meanwhile"))
            .hint("run the same command again"));
    };
    // The plan runs this step once per host.
    let _ = context.proof.set(session);
    let _ = context.truth.set(truth);
    let _ = context.settled.set(outcome);
    Ok(Done::passed("as the interrupted run had left it"))
}

/// One login and one look.
async fn look(context: &HostContext) -> Result<(Session, Truth), HostError> {
    let session = context.link.fresh().await?;
    let run = context.run.spec.id.as_str();
    let truth = supervisor::truth(&context.link, &session, run, true, context.command_deadline()).await?;
    Ok((session, truth))
}

fn outcome(action: Action, new: &StorePath, truth: &Truth) -> Option<HostOutcome> {
    let is_new = |path: &Option<StorePath>| path.as_ref() == Some(new);
    match (is_new(&truth.current_system), is_new(&truth.profile)) {
        (true, true) => Some(HostOutcome::Deployed),
        (true, false) if action == Action::Test => Some(HostOutcome::Deployed),
        (false, true) => Some(HostOutcome::RebootRequired),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(letter: char) -> StorePath {
        StorePath::new(format!("/nix/store/{}-nixos-system", letter.to_string().repeat(32))).unwrap()
    }

    fn facts(runs: char) -> HostFacts {
        let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
            "uid": 0, "user": "root", "elevation": "root", "machine_id": "m", "boot_id": "b1",
            "hostname": "p", "systemd": true, "machine": "x86_64",
            "trusted": true, "baseline": {}, "orphans": []
        }))
        .unwrap();
        facts.current_system = Some(path(runs));
        facts
    }

    fn committed(reboot_needed: bool) -> Committed {
        Committed { old: Some(path('0')), boot_id: "b1".to_owned(), reboot_needed }
    }

    #[test]
    fn a_reboot_is_left_where_it_is_asked_for_and_changes_what_runs() {
        use Reboot::{Always, IfNeeded, Never};
        let rows = [
            (Never, true, '1', true, false),
            (Always, false, '1', false, true),
            (IfNeeded, false, '1', false, false),
            (IfNeeded, true, '1', false, true),
            (IfNeeded, false, '1', true, true),
            // It waits for a boot to enter its system at all.
            (IfNeeded, false, '0', false, true),
        ];
        for (asked, needed, runs, differs, expected) in rows {
            let found = awaits_reboot(asked, &committed(needed), &facts(runs), &path('1'), || differs);
            assert_eq!(found, expected, "{asked:?} {needed} {runs} {differs}");
        }
        // It came up with the new system, and the interrupted run did not look any more.
        let rebooted = Committed { boot_id: "b0".to_owned(), ..committed(false) };
        assert!(awaits_reboot(IfNeeded, &rebooted, &facts('1'), &path('1'), || false));
        assert!(!awaits_reboot(Never, &rebooted, &facts('1'), &path('1'), || false));
    }

    #[test]
    fn another_boot_is_one_that_is_known_to_be_another() {
        assert!(!is_rebooted(&committed(true), "b1"));
        assert!(is_rebooted(&committed(true), "b2"));
        assert!(!is_rebooted(&Committed { boot_id: String::new(), ..committed(true) }, "b2"));
    }

    #[test]
    fn what_the_host_runs_and_boots_says_where_it_stands() {
        let truth = |runs, boots| Truth {
            current_system: Some(path(runs)),
            profile: Some(path(boots)),
            generation: None,
            state: None,
            supervisor_alive: false,
            boot_id: "b1".to_owned(),
        };
        let of = |action, runs, boots| outcome(action, &path('1'), &truth(runs, boots));
        assert_eq!(of(Action::Switch, '1', '1'), Some(HostOutcome::Deployed));
        assert_eq!(of(Action::Boot, '0', '1'), Some(HostOutcome::RebootRequired));
        assert_eq!(of(Action::Test, '1', '0'), Some(HostOutcome::Deployed));
        assert_eq!(of(Action::Switch, '1', '0'), None);
        assert_eq!(of(Action::Switch, '0', '0'), None);
    }
}
