//! A host that reboots: the word, and the end of the boot.

use std::time::Duration;

use super::error::HostError;
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::Script;

const REBOOT: &str = include_str!("../../templates/reboot.sh");
const BOOTED: &str = include_str!("../../templates/booted.sh");

/// Tells the host to reboot. A connection that breaks meanwhile is no error:
/// the reboot may be what broke it.
pub(crate) async fn ask(link: &Link, session: &Session, deadline: Duration) -> Result<(), HostError> {
    match link.run_on(session, &Script::new(REBOOT), Privilege::Root, deadline).await {
        Ok(_) | Err(HostError::Lost { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits up to `patience` until the boot has started all that it starts.
pub(crate) async fn wait_until_booted(
    link: &Link,
    session: &Session,
    patience: Duration,
) -> Result<(), HostError> {
    let script = Script::new(BOOTED).set("SECONDS_TO_WAIT", patience.as_secs().max(1).to_string());
    let deadline = patience + Duration::from_secs(15);
    link.run_on(session, &script, Privilege::Root, deadline).await.map(|_| ())
}
