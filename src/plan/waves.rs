//! The order of hosts: which are deployed together, and which wait.
//!
//! Invariant: a host never comes in the same wave as, or before, a selected
//! host it depends on. Hosts that are not selected are taken as deployed.

use std::collections::BTreeSet;

use crate::model::{HostName, HostSpec, Strategy};

/// Groups of hosts; a group begins when the one before it has ended.
pub(crate) fn waves(hosts: &[HostSpec], strategy: Strategy) -> Vec<Vec<HostName>> {
    let levels = levels(hosts);
    match strategy {
        Strategy::Parallel => levels,
        Strategy::Rolling => levels.into_iter().flatten().map(|host| vec![host]).collect(),
        Strategy::Canary => {
            let mut levels = levels.into_iter();
            let mut first = levels.next().unwrap_or_default();
            let rest = if first.is_empty() { Vec::new() } else { first.split_off(1) };
            [first, rest].into_iter().chain(levels).filter(|wave| !wave.is_empty()).collect()
        }
    }
}

/// Hosts by how many others they wait for in a row.
fn levels(hosts: &[HostSpec]) -> Vec<Vec<HostName>> {
    let mut waiting: Vec<&HostSpec> = hosts.iter().collect();
    let mut levels = Vec::new();
    while !waiting.is_empty() {
        let names: BTreeSet<&HostName> = waiting.iter().map(|host| &host.name).collect();
        let waits =
            |host: &HostSpec| host.depends_on.iter().any(|name| *name != host.name && names.contains(name));
        let (mut later, mut ready): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(|host| waits(host));
        if ready.is_empty() {
            // The settings refuse circles; should one come here, its hosts are not lost.
            std::mem::swap(&mut ready, &mut later);
        }
        levels.push(ready.into_iter().map(|host| host.name.clone()).collect());
        waiting = later;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(hosts: &[(&str, &[&str])]) -> Vec<HostSpec> {
        let name = |name: &str| HostName::new(name).unwrap();
        let specs = hosts.iter().map(|(host, depends_on)| {
            let mut spec = HostSpec::with_defaults(name(host));
            spec.depends_on = depends_on.iter().map(|other| name(other)).collect();
            spec
        });
        specs.collect()
    }

    fn shown(hosts: &[(&str, &[&str])], strategy: Strategy) -> String {
        let waves = waves(&fleet(hosts), strategy);
        let waves = waves.iter().map(|wave| wave.iter().map(HostName::as_str).collect::<Vec<_>>().join(","));
        waves.collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn hosts_without_dependencies_are_one_wave() {
        let hosts: [(&str, &[&str]); 3] = [("c", &[]), ("a", &[]), ("b", &[])];
        assert_eq!(shown(&hosts, Strategy::Parallel), "c,a,b");
        assert_eq!(shown(&hosts, Strategy::Rolling), "c | a | b");
        assert_eq!(shown(&hosts, Strategy::Canary), "c | a,b");
        assert_eq!(shown(&[], Strategy::Canary), "");
    }

    #[test]
    fn a_host_waits_for_those_it_depends_on_when_they_are_selected() {
        let hosts: [(&str, &[&str]); 4] =
            [("web", &["db", "gone"]), ("db", &["dns"]), ("dns", &[]), ("x", &[])];
        assert_eq!(shown(&hosts, Strategy::Parallel), "dns,x | db | web");
        assert_eq!(shown(&hosts, Strategy::Canary), "dns | x | db | web");
    }

    #[test]
    fn a_circle_loses_no_host() {
        let hosts: [(&str, &[&str]); 3] = [("a", &["b"]), ("b", &["a"]), ("c", &[])];
        assert_eq!(shown(&hosts, Strategy::Parallel), "c | a,b");
    }
}
