//! Hosts that do not answer: tried again with growing pauses, and waited for when
//! that was asked for (`--wait-for-host`).
//!
//! Only before the host is being changed; after that `way.rs` waits, for as long
//! as the host needs to settle by itself.

use std::time::Duration;

use tokio::time::Instant;

use super::super::build;
use super::super::context::HostContext;
use super::tell_host;
use crate::host::{HostError, tailscale};
use crate::model::text::duration;
use crate::model::{Failure, Recovery, RecoveryKind, StepId};

/// The pause between the first tries; it doubles. OpenSSH 9.8 and newer penalise
/// sources whose logins fail in a row (PerSourcePenalties): no faster.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

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
    let trying = Trying { step: StepId::HostFacts, what: RecoveryKind::WaitForHost, patience };
    let why = error.to_string();
    let ahead = async {
        if let Ok(evaluated) = context.run.evaluation.get(context.name()).await {
            build::build_ahead(context, &evaluated);
        }
        std::future::pending().await
    };
    tokio::select! {
        tried = trying.until_it_answers(context, &error, &why) => tried,
        never = ahead => match never {},
    }
}

/// Makes a connection anew that was lost in the middle of something.
pub(in crate::steps) async fn reconnect(context: &HostContext, step: StepId, why: &str) -> Result<(), Failure> {
    context.link.drop_master().await;
    let waited_for = context.run.spec.recover.wait_for_host;
    let what = if waited_for.is_some() { RecoveryKind::WaitForHost } else { RecoveryKind::Reconnect };
    let patience = waited_for.unwrap_or_default().max(context.host.timeouts.reconnect);
    let trying = Trying { step, what, patience };
    let address = context.link.destination();
    let lost = HostError::Lost { address, detail: why.to_owned() };
    trying.until_it_answers(context, &lost, why).await
}

/// Whether the host may answer later. A name that is not known now may be known
/// when a network is back.
fn is_worth_waiting(error: &HostError) -> bool {
    error.is_transient() || matches!(error, HostError::Unresolved { .. })
}

/// Logins one after the other.
struct Trying {
    step: StepId,
    what: RecoveryKind,
    patience: Duration,
}

impl Trying {
    async fn until_it_answers(
        &self,
        context: &HostContext,
        first: &HostError,
        why: &str,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut error = first.clone();
        let mut tries = 0;
        loop {
            let left = self.patience.saturating_sub(begun.elapsed());
            let after = || format!("after {} and {tries} tries", duration(begun.elapsed()));
            if left.is_zero() || !is_worth_waiting(&error) {
                let result = format!("it did not answer, {}", after());
                tell_host(context, self.step, Recovery::in_vain(self.what, why, result));
                let mut failure = explained(context, &error).await;
                if self.what == RecoveryKind::WaitForHost {
                    let results = context.run.spec.run_dir.join("results");
                    failure = failure.hint(format!("what was built for it is kept in {}", results.display()));
                }
                return Err(failure);
            }
            let until = match self.what {
                RecoveryKind::WaitForHost => format!("waiting for the host ({} left)", duration(left)),
                _ => format!("trying again ({} left)", duration(left)),
            };
            context.progress(self.step, format!("{error}; {until}"));
            tokio::time::sleep(pause(tries).min(left)).await;
            tries += 1;
            match context.link.master_at_once().await {
                Ok(_) => {
                    let result = format!("it answered after {}, at try {tries}", duration(begun.elapsed()));
                    tell_host(context, self.step, Recovery::helped(self.what, why, result));
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
    let mut failure = error.failure();
    if !is_worth_waiting(error) {
        return failure;
    }
    let address = context.host.address.as_deref().unwrap_or_default();
    if let Some(diagnosis) = tailscale::diagnose(address).await {
        failure = failure.cause(diagnosis.finding);
        failure.hints.insert(0, diagnosis.hint);
    }
    if context.run.spec.recover.wait_for_host.is_none() {
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
