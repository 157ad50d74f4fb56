//! A host that waited long for its turn, or that was connected to anew, is looked at
//! again before it changes: what is judged later is compared with how it was right
//! before, and a host that was away may have been rebooted.

use super::context::HostContext;
use super::host_facts;
use crate::model::{Failure, FailureClass, StepId, StorePath};

/// Takes new facts; refuses a host that somebody else has changed meanwhile,
/// because everything that was worked out for it rests on what it ran then.
pub(crate) async fn look_again(context: &HostContext) -> Result<(), Failure> {
    let before = context.facts()?;
    let now = host_facts::collect(context, StepId::Activate).await?;
    if now.current_system == before.current_system && now.profile == before.profile {
        context.set_facts(now);
        return Ok(());
    }
    let text = |path: &Option<StorePath>| path.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    let host = context.name();
    let what = match now.boot_id == before.boot_id {
        true => format!("somebody else changed {host} while it waited for its turn"),
        false => format!("{host} was rebooted meanwhile, and came up with another system"),
    };
    Err(Failure::new(FailureClass::Busy, what)
        .cause(format!("it runs {} and boots {}", text(&now.current_system), text(&now.profile)))
        .hint("run the same command again"))
}
