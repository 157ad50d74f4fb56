//! Whose turn it is: hosts of a wave change when every host of the waves before
//! it has ended, and only if those they rest on ended well.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::model::{Failure, FailureClass, HostName, RunSpec, Strategy};
use crate::plan;
use crate::steps::shared::Roster;

/// The waves of a run.
pub(crate) struct Turns {
    waves: Vec<(Vec<HostName>, Roster)>,
    dependencies: Vec<(HostName, Vec<HostName>)>,
    /// With rolling and canary a failure anywhere stops the waves after it.
    any_failure_stops: bool,
    failed: Mutex<BTreeSet<HostName>>,
}

impl Turns {
    /// The turns that the plan gives.
    pub(crate) fn new(spec: &RunSpec) -> Self {
        let waves = plan::waves(&spec.hosts, spec.rollout.strategy);
        let dependencies = spec.hosts.iter().map(|host| (host.name.clone(), host.depends_on.clone()));
        Self {
            waves: waves.into_iter().map(|wave| (wave.clone(), Roster::new(wave))).collect(),
            dependencies: dependencies.collect(),
            any_failure_stops: spec.rollout.strategy != Strategy::Parallel,
            failed: Mutex::default(),
        }
    }

    /// A host's run has ended, well or not.
    pub(crate) fn ended(&self, host: &HostName, well: bool) {
        if !well {
            self.failed().insert(host.clone());
        }
        for (_, roster) in &self.waves {
            roster.strike(host);
        }
    }

    /// Waits for the host's turn.
    pub(crate) async fn wait(&self, host: &HostName) -> Result<(), Failure> {
        for (wave, roster) in &self.waves {
            if wave.contains(host) {
                break;
            }
            roster.complete().await;
        }
        let depends_on = self.dependencies.iter().find(|(name, _)| name == host).map(|(_, hosts)| hosts);
        let failed = self.failed();
        let stopping = failed
            .iter()
            .find(|failed| self.any_failure_stops || depends_on.is_some_and(|hosts| hosts.contains(failed)));
        match stopping {
            None => Ok(()),
            Some(other) => Err(Failure::new(
                FailureClass::Blocked,
                format!("{host} was not changed, because {other}, which comes before it, failed"),
            )
            .hint(format!("mend {other}, then run the same command again"))),
        }
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, BTreeSet<HostName>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::model::{Action, HostSpec, Mode, Questions, Rollout, RunId};

    fn name(text: &str) -> HostName {
        HostName::new(text).unwrap()
    }

    fn turns(strategy: Strategy, hosts: &[(&str, &[&str])]) -> Turns {
        let host = |(host, depends_on): &(&str, &[&str])| HostSpec {
            depends_on: depends_on.iter().map(|other| name(other)).collect(),
            ..HostSpec::with_defaults(name(host))
        };
        Turns::new(&RunSpec {
            id: RunId::generate(),
            goal: Default::default(),
            issue: None,
            flake: ".".to_owned(),
            flake_dir: None,
            mode: Mode::Standard,
            action: Action::Switch,
            reboot: false,
            questions: Questions::AssumeYes,
            rollout: Rollout { strategy, max_parallel: 8 },
            hosts: hosts.iter().map(host).collect(),
            builders: Vec::new(),
            lint: Default::default(),
            state_dir: "/nowhere".into(),
            run_dir: "/nowhere".into(),
            actor: String::new(),
        })
    }

    #[tokio::test]
    async fn a_host_waits_for_those_it_depends_on_and_not_for_others() {
        let turns = turns(Strategy::Parallel, &[("a", &[]), ("b", &["a"]), ("c", &[])]);
        assert_eq!(turns.wait(&name("c")).await, Ok(()));
        let host = name("b");
        let waiting = turns.wait(&host);
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        turns.ended(&name("c"), false);
        turns.ended(&name("a"), true);
        assert_eq!(waiting.await, Ok(()));
    }

    #[tokio::test]
    async fn a_failure_stops_those_that_rest_on_it() {
        let dependent = turns(Strategy::Parallel, &[("a", &[]), ("b", &["a"])]);
        dependent.ended(&name("a"), false);
        assert_eq!(dependent.wait(&name("b")).await.unwrap_err().class, FailureClass::Blocked);
        let rolling = turns(Strategy::Rolling, &[("a", &[]), ("b", &[])]);
        rolling.ended(&name("a"), false);
        assert!(rolling.wait(&name("b")).await.is_err());
    }
}
