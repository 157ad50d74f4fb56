//! `network`: what verify found out about the network, for the report.

use super::context::HostContext;
use super::{Done, StepResult, step};
use crate::model::{NetworkCheck, StepId};

step!(Network, StepId::Network);

async fn run(context: &HostContext) -> StepResult {
    if context.proven_session().is_none() {
        return Ok(Done::skipped(""));
    }
    let names: Vec<&str> = context
        .host
        .network
        .iter()
        .map(|check| match check {
            NetworkCheck::Ssh => "ssh",
            NetworkCheck::Dns => "dns",
            NetworkCheck::Tailscale => "tailscale",
        })
        .collect();
    let problems = context.network_after.get().map_or(0, Vec::len);
    let summary = names.join(", ");
    Ok(if problems > 0 { Done::warned(summary) } else { Done::passed(summary) })
}
