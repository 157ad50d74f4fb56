//! What a run sets right by itself: no room, a lost connection, a host that does
//! not answer, a binary cache that is gone, memory that is too small.
//!
//! A file per way. Each attempt is an event and stands in the report, with its
//! reason and what came of it; each is made once, or for a time that is limited.
//! Nothing here is tried once the host is being changed: then its supervisor
//! decides.

pub(super) mod building;
pub(super) mod caches;
pub(super) mod connection;
pub(super) mod room;

use std::sync::{Mutex, PoisonError};

use super::context::{HostContext, RunContext};
use crate::event::Event;
use crate::model::{HostName, Questions, Recovery, StepId};

/// The attempts of a run, for the reports of its hosts.
#[derive(Debug, Default)]
pub(crate) struct Recoveries(Mutex<Vec<(Vec<HostName>, Recovery)>>);

impl Recoveries {
    /// What was tried for a host, in order.
    pub(crate) fn of(&self, host: &HostName) -> Vec<Recovery> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(hosts, _)| hosts.contains(host)).map(|(_, recovery)| recovery.clone()).collect()
    }

    fn add(&self, hosts: Vec<HostName>, recovery: Recovery) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((hosts, recovery));
    }
}

/// Says what was tried and what came of it.
pub(super) fn tell(run: &RunContext, hosts: &[HostName], step: StepId, recovery: Recovery) {
    run.recoveries.add(hosts.to_vec(), recovery.clone());
    run.sink.send(Event::Recovery { hosts: hosts.to_vec(), step, recovery: Box::new(recovery) });
}

/// The same for one host.
pub(super) fn tell_host(context: &HostContext, step: StepId, recovery: Recovery) {
    tell(&context.run, std::slice::from_ref(context.name()), step, recovery);
}

/// Says how far a step of hosts is.
fn say(run: &RunContext, hosts: &[HostName], step: StepId, doing: &str) {
    for host in hosts {
        let (host, doing) = (host.clone(), doing.to_owned());
        run.sink.send(Event::StepProgress { host, step, doing, done: None, expected: None });
    }
}

/// Whether something may be done that takes things away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consent {
    /// The settings or a person say so.
    Given,
    /// A person said no.
    Refused,
    /// The settings do not say so, and nobody was asked.
    Missing,
}

/// What the settings say, else a person who is there. `--yes` answers whether to
/// deploy, not whether to delete.
async fn consent(run: &RunContext, is_set: bool, question: String) -> Consent {
    if is_set {
        return Consent::Given;
    }
    if run.spec.questions != Questions::Ask {
        return Consent::Missing;
    }
    run.sink.send(Event::Asked { question: question.clone() });
    match run.sink.confirm(question.clone()).await {
        Some(yes) => {
            run.sink.send(Event::Answered { question, yes, by_person: true });
            if yes { Consent::Given } else { Consent::Refused }
        }
        None => Consent::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecoveryKind;

    #[test]
    fn a_host_is_told_what_concerns_it_in_order() {
        let name = |text: &str| HostName::new(text).unwrap();
        let recoveries = Recoveries::default();
        let recovery = |why: &str| Recovery::helped(RecoveryKind::Reconnect, why, "");
        recoveries.add(vec![name("a"), name("b")], recovery("first"));
        recoveries.add(vec![name("b")], recovery("second"));
        assert_eq!(recoveries.of(&name("a")), [recovery("first")]);
        assert_eq!(recoveries.of(&name("b")), [recovery("first"), recovery("second")]);
        assert!(recoveries.of(&name("c")).is_empty());
    }
}
