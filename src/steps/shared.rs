//! What hosts of a run share: a roster of those still on their way, and the
//! one evaluation and the one build that serve all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::{Failure, FailureClass, HostName};

/// Hosts that have not yet said whether they will come to a certain point.
#[derive(Clone, Debug)]
pub(crate) struct Roster(Arc<watch::Sender<BTreeSet<HostName>>>);

impl Roster {
    /// Everybody is still on their way.
    pub(crate) fn new(hosts: impl IntoIterator<Item = HostName>) -> Self {
        Self(Arc::new(watch::Sender::new(hosts.into_iter().collect())))
    }

    /// This host has come, or will never come.
    pub(crate) fn strike(&self, host: &HostName) {
        self.0.send_if_modified(|hosts| hosts.remove(host));
    }

    /// Those who are still on their way.
    pub(crate) fn missing(&self) -> BTreeSet<HostName> {
        self.0.borrow().clone()
    }

    /// Waits until nobody is on their way any more.
    pub(crate) async fn complete(&self) {
        // The sender lives as long as self: waiting cannot fail.
        let _ = self.0.subscribe().wait_for(BTreeSet::is_empty).await;
    }
}

/// Names of hosts that something holds for.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<BTreeSet<HostName>>);

impl Names {
    /// It holds for this host too.
    pub(crate) fn insert(&self, host: &HostName) {
        self.names().insert(host.clone());
    }

    /// Whether it holds for this host.
    pub(crate) fn contains(&self, host: &HostName) -> bool {
        self.names().contains(host)
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<HostName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A result per host that one task makes and many steps wait for.
#[derive(Clone, Debug)]
pub(crate) struct Results<T>(Arc<watch::Sender<Made<T>>>);

#[derive(Clone, Debug)]
struct Made<T> {
    results: BTreeMap<HostName, Result<T, Failure>>,
    /// Whoever makes them is gone: there will be no more.
    given_up: bool,
}

impl<T: Clone + Send + Sync + 'static> Results<T> {
    /// No result yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Made { results: BTreeMap::new(), given_up: false })))
    }

    /// Hands in a host's result.
    pub(crate) fn put(&self, host: HostName, result: Result<T, Failure>) {
        self.0.send_modify(|made| {
            made.results.insert(host, result);
        });
    }

    /// There will be no more results: who waits for one is told so.
    pub(crate) fn give_up(&self) {
        self.0.send_modify(|made| made.given_up = true);
    }

    /// Waits for a host's result.
    pub(crate) async fn get(&self, host: &HostName) -> Result<T, Failure> {
        let mut receiver = self.0.subscribe();
        let found = receiver.wait_for(|made| made.given_up || made.results.contains_key(host)).await;
        match found.ok().and_then(|made| made.results.get(host).cloned()) {
            Some(result) => result,
            None => Err(Failure::new(FailureClass::Unexpected, "a shared task of the run broke")
                .hint("this is a mistake in nix-deploy: please report it with the run's events.jsonl")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    #[tokio::test]
    async fn a_roster_is_complete_when_the_last_host_is_struck() {
        let roster = Roster::new([name("a"), name("b")]);
        let waiting = tokio::spawn({
            let roster = roster.clone();
            async move { roster.complete().await }
        });
        roster.strike(&name("a"));
        assert!(!waiting.is_finished());
        assert_eq!(roster.missing(), BTreeSet::from([name("b")]));
        roster.strike(&name("b"));
        roster.strike(&name("b"));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn results_reach_those_who_wait_and_those_who_come_late() {
        let results = Results::new();
        let early = tokio::spawn({
            let results = results.clone();
            async move { results.get(&name("a")).await }
        });
        results.put(name("a"), Ok(1));
        assert_eq!(early.await.unwrap(), Ok(1));
        assert_eq!(results.get(&name("a")).await, Ok(1));
    }

    #[tokio::test]
    async fn nobody_waits_for_results_that_will_not_be_made() {
        let results = Results::new();
        results.put(name("a"), Ok(1));
        let waiting = tokio::spawn({
            let results = results.clone();
            async move { results.get(&name("b")).await }
        });
        results.give_up();
        assert_eq!(waiting.await.unwrap().unwrap_err().class, FailureClass::Unexpected);
        assert_eq!(results.get(&name("a")).await, Ok(1));
    }
}
