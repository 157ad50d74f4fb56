//! `network`: what verify found out about the network, and the default route,
//! for the report.

use super::context::HostContext;
use super::{Done, StepResult, observed, step};
use crate::model::{NetworkCheck, StepId};

step!(Network, StepId::Network);

async fn run(context: &HostContext) -> StepResult {
    if context.proven_session().is_none() {
        return Ok(Done::skipped(""));
    }
    let proven = context.host.network.iter().filter_map(|check| match check {
        NetworkCheck::Ssh => Some("ssh".to_owned()),
        NetworkCheck::Dns => Some("dns".to_owned()),
        NetworkCheck::Tailscale => Some("tailscale".to_owned()),
        // It is named below, whether it was to be proven or not.
        NetworkCheck::Route => None,
    });
    let mut names: Vec<String> = proven.collect();
    let mut warned = context.network_after.get().is_some_and(|problems| !problems.is_empty());
    match observed::ask(context).await {
        Ok(observed) => {
            let before = context.facts_if_known().and_then(|facts| facts.default_route.clone());
            match (before, &observed.default_route) {
                (_, Some(route)) => names.push(format!("route {route}")),
                (Some(route), None) => {
                    context.warn(
                        format!("the default route is gone; it was {route}"),
                        Some("`network = [\"route\"]` in hosts.toml takes such a change back".to_owned()),
                    );
                    warned = true;
                }
                (None, None) => {}
            }
        }
        // The step beside this one says why.
        Err(error) => tracing::debug!(%error, "default route"),
    }
    let summary = names.join(", ");
    Ok(if warned { Done::warned(summary) } else { Done::passed(summary) })
}
