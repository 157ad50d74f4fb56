//! The way to a supervisor while the switch may take connections with it: one
//! session, replaced by a fresh login when it breaks, for as long as the host
//! may need to take the change back by itself.

use std::time::Duration;

use tokio::time::Instant;

use super::context::HostContext;
use crate::host::supervisor::{self, Standing, Until, Word};
use crate::host::{HostError, Session};
use crate::model::StepId;
use crate::model::text::duration;

/// What a host may take beyond its own deadlines.
const GRACE: Duration = Duration::from_secs(60);
/// The pause between logins that fail at once. OpenSSH 9.8 and newer penalise
/// sources whose logins fail in a row (PerSourcePenalties): no faster.
const PAUSE: Duration = Duration::from_secs(2);

/// The current session to the host, if any.
pub(super) struct Way {
    session: Option<Session>,
    step: StepId,
    /// What last stood in the way.
    trouble: Option<HostError>,
}

impl Way {
    /// Begins with the master connection.
    pub(super) async fn over_master(context: &HostContext) -> Self {
        Self { session: context.link.standing_master().await, step: StepId::Activate, trouble: None }
    }

    /// Begins with the connection of the proof, or the master.
    pub(super) async fn for_settling(context: &HostContext) -> Self {
        let session = match context.proof.get() {
            Some(proof) if proof.is_alive().await => Some(proof.clone()),
            // Activate has waited for the host in vain: no need to do that again.
            _ if context.activation().unreachable_since.is_some() => None,
            _ => context.link.standing_master().await,
        };
        Self { session, step: StepId::Settle, trouble: None }
    }

    /// Waits for the supervisor as [`supervisor::wait`] does, reconnecting when
    /// the connection is lost.
    pub(super) async fn wait(
        &mut self,
        context: &HostContext,
        until: Until,
        word: Option<Word>,
        patience: Duration,
    ) -> Result<Standing, HostError> {
        let run = context.run.spec.id.as_str();
        loop {
            let session = self.connected(context).await?;
            match supervisor::wait(&context.link, &session, run, until, word, patience).await {
                Err(error @ (HostError::Lost { .. } | HostError::Deadline { .. })) => {
                    tracing::debug!(%error, "lost the way to the supervisor");
                    // The first time it is the old connection that is gone; a host that lets
                    // us in and does not answer is as good as one that does not.
                    let is_first = context.activation().unreachable_since.is_none();
                    let since = unreachable_since(context);
                    self.session = None;
                    if since.elapsed() >= patience_with(context) {
                        return Err(error);
                    }
                    if !is_first {
                        self.wait_a_moment(context, &error, since).await;
                    }
                    self.trouble = Some(error);
                }
                // The new system took the way to root: the old one brings it back.
                Err(error @ HostError::Elevation { .. }) => {
                    let since = unreachable_since(context);
                    if since.elapsed() >= patience_with(context) {
                        return Err(error);
                    }
                    self.wait_a_moment(context, &error, since).await;
                    self.trouble = Some(error);
                    // Words of sudo beside a lost answer look the same.
                    if !session.is_alive().await {
                        self.session = None;
                    }
                }
                result => {
                    context.update_activation(|activation| activation.unreachable_since = None);
                    return result;
                }
            }
        }
    }

    /// A session that stands; logs in anew until the host has had time enough
    /// to take the change back.
    async fn connected(&mut self, context: &HostContext) -> Result<Session, HostError> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        context.link.drop_master().await;
        let since = unreachable_since(context);
        let limit = patience_with(context);
        loop {
            match context.link.fresh().await {
                Ok(fresh) => {
                    self.session = Some(fresh.clone());
                    return Ok(fresh);
                }
                Err(error) if since.elapsed() >= limit => return Err(error),
                Err(error) => {
                    self.wait_a_moment(context, &error, since).await;
                    self.trouble = Some(error);
                }
            }
        }
    }

    async fn wait_a_moment(&self, context: &HostContext, error: &HostError, since: Instant) {
        let left = duration(patience_with(context).saturating_sub(since.elapsed()));
        context.progress(
            self.step,
            format!("{error}; the host takes the change back by itself (given up in {left})"),
        );
        tokio::time::sleep(PAUSE).await;
    }

    /// What last stood in the way, also when it is open again.
    pub(super) fn into_trouble(self) -> Option<HostError> {
        self.trouble
    }

    /// The session, for more than waiting.
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }
}

/// When the host was lost: now, unless it has been before.
fn unreachable_since(context: &HostContext) -> Instant {
    let mut since = Instant::now();
    context.update_activation(|activation| since = *activation.unreachable_since.get_or_insert(since));
    since
}

/// How long an unreachable host is waited for: its confirmation time, the time
/// that activating the old system takes, and a little more. A rollback is held
/// to the activation timeout; one that takes longer than two minutes is rare
/// enough to be called unknown.
fn patience_with(context: &HostContext) -> Duration {
    let policy = &context.host.rollback;
    policy.confirm_timeout + policy.activation_timeout.min(Duration::from_secs(120)) + GRACE
}
