//! Hosts that do not answer: tried again with growing pauses, and waited for when
//! that was asked for (`--wait-for-host`).
//!
//! Only before the host is being changed; after that `way.rs` waits, for as long
//! as the host needs to settle by itself.

use std::time::Duration;

use tokio::time::Instant;

use super::super::build;
use super::super::context::{HostContext, RunContext};
use super::{say, tell};
use crate::host::{HostError, Link, tailscale};
use crate::model::text::duration;
use crate::model::{Failure, HostName, HostSpec, Recovery, RecoveryKind, StepId};

/// The pause between the first tries; it doubles. OpenSSH 9.8 and newer penalise
/// sources whose logins fail in a row (PerSourcePenalties): no faster.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How often something goes on, or is done anew, after the connection was lost in it.
pub(in crate::steps) const RECONNECTS: u32 = 3;

/// Connects. A host that does not answer is waited for when that was asked for;
/// what was evaluated for it is built meanwhile.
pub(in crate::steps) async fn connect(context: &HostContext) -> Result<(), Failure> {
    let error = match context.link.master().await {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    let Some(patience) = context.run.spec.recover.wait_for_host.filter(|_| is_worth_waiting(&error)) else {
        return Err(explained(context, &error).await);
    };
    // Others connect meanwhile.
    context.give_back_place();
    let what = (RecoveryKind::WaitForHost, patience);
    let trying = Trying { what, ..Trying::of(context, StepId::HostFacts) };
    let why = error.to_string();
    let ahead = async {
        if let Ok(evaluated) = context.run.evaluation.get(context.name()).await {
            build::build_ahead(context, &evaluated);
        }
        std::future::pending().await
    };
    tokio::select! {
        tried = trying.until_it_answers(&error, &why) => tried,
        never = ahead => match never {},
    }
}

/// Makes a connection anew that was lost in the middle of something.
pub(in crate::steps) async fn reconnect(context: &HostContext, step: StepId, why: &str) -> Result<(), Failure> {
    context.link.drop_master().await;
    let address = context.link.destination();
    let lost = HostError::Lost { address, detail: why.to_owned() };
    Trying::of(context, step).until_it_answers(&lost, why).await
}

/// Does what can be done twice. When the connection is lost in it, or none comes
/// about, the host is tried for `timeouts.reconnect`, and it is done anew. The outer
/// error is that of a host which stayed away. Once a supervisor may have been started
/// nothing is done anew: then `settle` finds out where the host stands.
pub(in crate::steps) async fn persist<T, F>(
    context: &HostContext,
    step: StepId,
    mut attempt: impl FnMut() -> F,
) -> Result<Result<T, HostError>, Failure>
where
    F: Future<Output = Result<T, HostError>>,
{
    let mut reconnects = 0;
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(Ok(done)),
            Err(error) => error,
        };
        if context.activation().begun || !is_worth_waiting(&error) || reconnects >= most_reconnects(&error) {
            return Ok(Err(error));
        }
        if matches!(error, HostError::Deadline { .. }) {
            // It may be silent for good, and still look as if it stood.
            context.link.drop_master().await;
        }
        reconnects += 1;
        Trying::of(context, step).until_it_answers(&error, &error.to_string()).await?;
    }
}

/// Connects to the host that built for this one, and that the step needs again.
pub(in crate::steps) async fn connect_builder(
    context: &HostContext,
    step: StepId,
    link: &Link,
    builder: &HostSpec,
) -> Result<(), Failure> {
    let Err(error) = link.master().await else { return Ok(()) };
    if !is_worth_waiting(&error) {
        return Err(error.failure());
    }
    let what = patience(&context.run, builder);
    let trying = Trying { link, host: builder, what, ..Trying::of(context, step) };
    trying.until_it_answers(&error, &error.to_string()).await
}

/// Waits for a host whose connection was lost in a build on it, as `why` says. `true`
/// when the host answers again.
pub(super) async fn rebuild(
    run: &RunContext,
    link: &Link,
    builder: &HostSpec,
    hosts: &[HostName],
    why: &str,
) -> bool {
    let what = patience(run, builder);
    let trying = Trying { run, hosts, link, host: builder, step: StepId::Build, what };
    let lost = HostError::Lost { address: link.destination(), detail: why.to_owned() };
    // What the build failed with is said; that the host stayed away is in the report.
    trying.until_it_answers(&lost, why).await.is_ok()
}

/// A command that does not end may be slow: it gets one more chance, not several.
fn most_reconnects(error: &HostError) -> u32 {
    if matches!(error, HostError::Deadline { .. }) { 1 } else { RECONNECTS }
}

/// What trying again is called, and for how long it is done.
fn patience(run: &RunContext, host: &HostSpec) -> (RecoveryKind, Duration) {
    match run.spec.recover.wait_for_host {
        Some(waits) => (RecoveryKind::WaitForHost, waits.max(host.timeouts.reconnect)),
        None => (RecoveryKind::Reconnect, host.timeouts.reconnect),
    }
}

/// Whether the host may answer later. A name that is not known now may be known
/// when a network is back.
fn is_worth_waiting(error: &HostError) -> bool {
    error.is_transient() || matches!(error, HostError::Unresolved { .. })
}

/// Logins one after the other.
struct Trying<'a> {
    run: &'a RunContext,
    /// The hosts that wait for it.
    hosts: &'a [HostName],
    link: &'a Link,
    host: &'a HostSpec,
    step: StepId,
    what: (RecoveryKind, Duration),
}

impl<'a> Trying<'a> {
    fn of(context: &'a HostContext, step: StepId) -> Self {
        Self {
            run: &context.run,
            hosts: std::slice::from_ref(context.name()),
            link: &context.link,
            host: &context.host,
            step,
            what: patience(&context.run, &context.host),
        }
    }

    async fn until_it_answers(&self, first: &HostError, why: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        let (what, patience) = self.what;
        let mut error = first.clone();
        let mut tries = 0;
        loop {
            let left = patience.saturating_sub(begun.elapsed());
            let after = || format!("after {} and {tries} tries", duration(begun.elapsed()));
            if left.is_zero() || !is_worth_waiting(&error) {
                let result = format!("it did not answer, {}", after());
                tell(self.run, self.hosts, self.step, Recovery::in_vain(what, why, result));
                let mut failure = explain(self.run, self.host, &error).await;
                if what == RecoveryKind::WaitForHost {
                    let results = self.run.spec.run_dir.join("results");
                    failure = failure.hint(format!("what was built for it is kept in {}", results.display()));
                }
                return Err(failure);
            }
            let until = match what {
                RecoveryKind::WaitForHost => format!("waiting for the host ({} left)", duration(left)),
                _ => format!("trying again ({} left)", duration(left)),
            };
            say(self.run, self.hosts, self.step, &format!("{error}; {until}"));
            tokio::time::sleep(pause(tries).min(left)).await;
            tries += 1;
            match self.link.master_at_once().await {
                Ok(_) => {
                    let result = format!("it answered after {}, at try {tries}", duration(begun.elapsed()));
                    tell(self.run, self.hosts, self.step, Recovery::helped(what, why, result));
                    return Ok(());
                }
                Err(next) => error = next,
            }
        }
    }
}

/// How long to wait after so many tries.
fn pause(tries: u32) -> Duration {
    (FIRST_PAUSE * 2_u32.saturating_pow(tries.min(8))).min(LONGEST_PAUSE)
}

/// The failure of a host that does not answer, with what Tailscale knows about it
/// when its address is Tailscale's.
pub(in crate::steps) async fn explained(context: &HostContext, error: &HostError) -> Failure {
    explain(&context.run, &context.host, error).await
}

async fn explain(run: &RunContext, host: &HostSpec, error: &HostError) -> Failure {
    let mut failure = error.failure();
    if !is_worth_waiting(error) {
        return failure;
    }
    let address = host.address.as_deref().unwrap_or_default();
    if let Some(diagnosis) = tailscale::diagnose(address).await {
        failure = failure.cause(diagnosis.finding);
        failure.hints.insert(0, diagnosis.hint);
    }
    if run.spec.recover.wait_for_host.is_none() {
        failure = failure.hint("--wait-for-host builds meanwhile and deploys when the host answers");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bearable() {
        let pauses: Vec<u64> = (0..6).map(|tries| pause(tries).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 15, 15, 15]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_command_that_does_not_end_is_done_anew_once() {
        let address = "p620".to_owned();
        let slow = HostError::Deadline { address: address.clone(), deadline: FIRST_PAUSE };
        assert_eq!(most_reconnects(&slow), 1);
        assert_eq!(most_reconnects(&HostError::Lost { address, detail: String::new() }), RECONNECTS);
    }

    #[test]
    fn what_a_person_has_to_mend_is_not_waited_for() {
        let (address, detail) = ("p620".to_owned(), String::new());
        let error = |make: fn(String, String) -> HostError| make(address.clone(), detail.clone());
        for waits in [
            error(|address, detail| HostError::Unreachable { address, detail }),
            error(|address, detail| HostError::Unresolved { address, detail }),
            error(|address, detail| HostError::Lost { address, detail }),
        ] {
            assert!(is_worth_waiting(&waits), "{waits}");
        }
        for refuses in [
            error(|address, detail| HostError::LoginRefused { address, detail }),
            error(|address, detail| HostError::HostKeyChanged { address, detail }),
            error(|address, detail| HostError::HostKeyUnknown { address, detail }),
            error(|address, detail| HostError::Elevation { address, detail }),
        ] {
            assert!(!is_worth_waiting(&refuses), "{refuses}");
        }
    }
}
