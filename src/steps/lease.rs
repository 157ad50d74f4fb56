//! How long a host waits for the word while its health is looked at: `confirm_timeout`
//! from when it last heard of the deployer. It is told so again and again, since looking
//! may take minutes: whatever cuts the way or ends the deployer meanwhile, the host misses
//! it in time and takes the change back.

use std::convert::Infallible;
use std::time::Duration;

use super::context::HostContext;
use crate::host::{Session, supervisor};

/// What the host is asked for, from the moment on that it is asked.
pub(super) fn time(context: &HostContext) -> Duration {
    context.host.rollback.confirm_timeout
}

/// The pause between two signs of life, and what one may take: two may be lost.
fn pause(time: Duration) -> Duration {
    time / 3
}

/// Does some work while the host is told that somebody is there.
pub(super) async fn kept<T>(context: &HostContext, session: &Session, work: impl Future<Output = T>) -> T {
    tokio::select! {
        result = work => result,
        never = renew(context, session) => match never {},
    }
}

/// Tells it for as long as it is polled. What stands in the way of it stands in the way of
/// the looks as well, and they say so.
async fn renew(context: &HostContext, session: &Session) -> Infallible {
    let time = time(context);
    let pause = pause(time);
    loop {
        tokio::time::sleep(pause).await;
        let run = context.run.spec.id.as_str();
        let told = supervisor::hold(&context.link, session, run, time, pause.max(Duration::from_secs(1)));
        if let Err(error) = told.await {
            tracing::debug!(%error, "the host was not told that somebody is there");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_signs_of_life_may_be_lost() {
        for seconds in [1, 10, 60, 3600] {
            let time = Duration::from_secs(seconds);
            assert!(pause(time) * 3 <= time, "{time:?}");
        }
    }
}
