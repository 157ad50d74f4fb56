//! The order of hosts: which are deployed together, and which wait.
//!
//! Invariant: a host never comes in the same wave as, or before, a selected
//! host it depends on: what it depends on comes earlier than it would by
//! itself, and is a canary where that is. Hosts that are not selected are taken
//! as deployed.

use std::collections::{BTreeMap, BTreeSet};

use super::selection::{SelectionError, Wanted};
use crate::model::{Canary, HostName, HostSpec, Rollout, Strategy};

/// The rank of canaries: every other host comes behind them.
const CANARY: usize = 0;

/// The order of the hosts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waves {
    /// Groups of hosts; a group begins when the one before it has ended.
    pub(crate) waves: Vec<Vec<HostName>>,
    /// The hosts that have to be well before any other one is changed, with those
    /// that they depend on. They may be several waves.
    pub(crate) canaries: Vec<HostName>,
}

/// Works the order out. A word of the order that no selected host matches orders
/// nobody; canaries that are named and not selected are replaced by the first host.
pub(crate) fn waves(hosts: &[HostSpec], rollout: &Rollout) -> Result<Waves, SelectionError> {
    let order = read(&rollout.order)?;
    let mut ranks: Vec<usize> = hosts
        .iter()
        .map(|host| order.iter().position(|wanted| wanted.matches(host)).unwrap_or(order.len()) + 1)
        .collect();
    pull_forward(hosts, &mut ranks);
    if rollout.strategy == Strategy::Canary {
        for index in canaries(hosts, &ranks, &rollout.canary)? {
            ranks[index] = CANARY;
        }
        pull_forward(hosts, &mut ranks);
    }
    let size = match rollout.strategy {
        Strategy::Rolling => Some(rollout.wave_size.map_or(1, |size| size.of(hosts.len()))),
        _ => rollout.wave_size.map(|size| size.of(hosts.len())),
    };
    let mut waves = Vec::new();
    for group in by_rank(hosts, &ranks) {
        waves.extend(filled(&group, size.unwrap_or(usize::MAX)));
    }
    let is_canary = |host: &&HostName| {
        hosts.iter().zip(&ranks).any(|(other, rank)| other.name == **host && *rank == CANARY)
    };
    let canaries = waves.iter().flatten().filter(is_canary).cloned().collect();
    Ok(Waves { waves, canaries })
}

fn read(words: &[String]) -> Result<Vec<Wanted<'_>>, SelectionError> {
    words.iter().map(|word| Wanted::read(word)).collect()
}

/// The places of those that go first.
fn canaries(hosts: &[HostSpec], ranks: &[usize], canary: &Canary) -> Result<Vec<usize>, SelectionError> {
    let count = match canary {
        Canary::Share(share) => share.of(hosts.len()),
        Canary::Hosts(words) => {
            let wanted = read(words)?;
            let is_canary = |host: &HostSpec| wanted.iter().any(|wanted| wanted.matches(host));
            let named: Vec<usize> = (0..hosts.len()).filter(|index| is_canary(&hosts[*index])).collect();
            if !named.is_empty() {
                return Ok(named);
            }
            1
        }
    };
    let in_order = by_rank(hosts, ranks).into_iter().flat_map(|group| filled(&group, usize::MAX)).flatten();
    let places = in_order.filter_map(|name| hosts.iter().position(|host| host.name == name));
    Ok(places.take(count).collect())
}

/// Gives what a host depends on a rank that is not behind that of the host.
fn pull_forward(hosts: &[HostSpec], ranks: &mut [usize]) {
    let places: BTreeMap<&HostName, usize> =
        hosts.iter().enumerate().map(|(index, host)| (&host.name, index)).collect();
    loop {
        let mut changed = false;
        for (index, host) in hosts.iter().enumerate() {
            for place in host.depends_on.iter().filter_map(|name| places.get(name)) {
                if ranks[*place] > ranks[index] {
                    ranks[*place] = ranks[index];
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}

fn by_rank<'a>(hosts: &'a [HostSpec], ranks: &[usize]) -> Vec<Vec<&'a HostSpec>> {
    let mut groups: BTreeMap<usize, Vec<&HostSpec>> = BTreeMap::new();
    for (host, rank) in hosts.iter().zip(ranks) {
        groups.entry(*rank).or_default().push(host);
    }
    groups.into_values().collect()
}

/// Waves of a group: each takes, up to its size, those that wait for nobody who is
/// not in a wave before it.
fn filled(hosts: &[&HostSpec], size: usize) -> Vec<Vec<HostName>> {
    let mut waiting: Vec<&HostSpec> = hosts.to_vec();
    let mut waves = Vec::new();
    while !waiting.is_empty() {
        let names: BTreeSet<&HostName> = waiting.iter().map(|host| &host.name).collect();
        let waits =
            |host: &HostSpec| host.depends_on.iter().any(|name| *name != host.name && names.contains(name));
        let (mut later, mut ready): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(|host| waits(host));
        if ready.is_empty() {
            // The settings refuse circles; should one come here, its hosts are not lost.
            std::mem::swap(&mut ready, &mut later);
        }
        ready.truncate(size);
        waiting.retain(|host| ready.iter().all(|taken| taken.name != host.name));
        waves.push(ready.into_iter().map(|host| host.name.clone()).collect());
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Share;

    type Host<'a> = (&'a str, &'a [&'a str]);

    fn fleet(hosts: &[Host<'_>]) -> Vec<HostSpec> {
        let name = |name: &str| HostName::new(name).unwrap();
        let specs = hosts.iter().map(|(host, depends_on)| {
            let mut spec = HostSpec::with_defaults(name(host));
            spec.depends_on = depends_on.iter().map(|other| name(other)).collect();
            // `web-3` carries the tag `web`.
            spec.tags = host.split_once('-').map(|(tag, _)| tag.to_owned()).into_iter().collect();
            spec
        });
        specs.collect()
    }

    fn rollout(strategy: Strategy) -> Rollout {
        Rollout { strategy, ..Rollout::default() }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn shown(hosts: &[Host<'_>], rollout: &Rollout) -> String {
        let waves = waves(&fleet(hosts), rollout).unwrap().waves;
        let waves = waves.iter().map(|wave| wave.iter().map(HostName::as_str).collect::<Vec<_>>().join(","));
        waves.collect::<Vec<_>>().join(" | ")
    }

    const THREE: [Host<'_>; 3] = [("c", &[]), ("a", &[]), ("b", &[])];
    const SIX: [Host<'_>; 6] =
        [("web-1", &["db-1"]), ("web-2", &[]), ("db-1", &[]), ("db-2", &[]), ("x", &[]), ("y", &[])];

    #[test]
    fn hosts_without_dependencies_are_one_wave() {
        assert_eq!(shown(&THREE, &rollout(Strategy::Parallel)), "c,a,b");
        assert_eq!(shown(&THREE, &rollout(Strategy::Rolling)), "c | a | b");
        assert_eq!(shown(&THREE, &rollout(Strategy::Canary)), "c | a,b");
        assert_eq!(shown(&[], &rollout(Strategy::Canary)), "");
    }

    #[test]
    fn a_host_waits_for_those_it_depends_on_when_they_are_selected() {
        let hosts: [Host<'_>; 4] = [("web", &["db", "gone"]), ("db", &["dns"]), ("dns", &[]), ("x", &[])];
        assert_eq!(shown(&hosts, &rollout(Strategy::Parallel)), "dns,x | db | web");
        assert_eq!(shown(&hosts, &rollout(Strategy::Canary)), "dns | db,x | web");
    }

    #[test]
    fn a_wave_size_cuts_waves() {
        let size = |strategy, size| Rollout { wave_size: Some(size), ..rollout(strategy) };
        assert_eq!(shown(&THREE, &size(Strategy::Rolling, Share::Count(2))), "c,a | b");
        assert_eq!(shown(&SIX, &size(Strategy::Parallel, Share::Percent(34))), "web-2,db-1,db-2 | web-1,x,y");
        assert_eq!(shown(&SIX, &size(Strategy::Canary, Share::Count(3))), "web-2 | db-1,db-2,x | web-1,y");
    }

    #[test]
    fn tags_order_the_waves_and_take_along_what_is_depended_on() {
        let order = |order: &[&str]| Rollout { order: words(order), ..Rollout::default() };
        assert_eq!(shown(&SIX, &order(&["@db", "@web"])), "db-1,db-2 | web-1,web-2 | x,y");
        assert_eq!(shown(&SIX, &order(&["@web", "y"])), "web-2,db-1 | web-1 | y | db-2,x");
        assert_eq!(shown(&THREE, &order(&["@nobody"])), "c,a,b");
    }

    #[test]
    fn canaries_are_named_counted_or_a_share() {
        let canary = |canary| Rollout { canary, ..rollout(Strategy::Canary) };
        let named = |names: &[&str]| canary(Canary::Hosts(words(names)));
        assert_eq!(shown(&THREE, &canary(Canary::Share(Share::Percent(50)))), "c,a | b");
        assert_eq!(shown(&THREE, &named(&["b"])), "b | c,a");
        assert_eq!(shown(&SIX, &named(&["web-*"])), "web-2,db-1 | web-1 | db-2,x,y");
        // Only a part of the fleet is selected, and no canary with it.
        assert_eq!(shown(&THREE, &named(&["@canary"])), "c | a,b");
        let ordered = Rollout { order: words(&["a"]), ..rollout(Strategy::Canary) };
        assert_eq!(shown(&THREE, &ordered), "a | c,b");
    }

    #[test]
    fn canaries_may_be_several_waves_and_take_along_what_they_depend_on() {
        let of = |rollout: &Rollout| {
            let canaries = waves(&fleet(&SIX), rollout).unwrap().canaries;
            canaries.iter().map(HostName::as_str).collect::<Vec<_>>().join(",")
        };
        let named = Rollout { canary: Canary::Hosts(words(&["web-1"])), ..rollout(Strategy::Canary) };
        assert_eq!(shown(&SIX, &named), "db-1 | web-1 | web-2,db-2,x,y");
        assert_eq!(of(&named), "db-1,web-1");
        let three = Rollout {
            canary: Canary::Share(Share::Count(3)),
            wave_size: Some(Share::Count(1)),
            ..rollout(Strategy::Canary)
        };
        assert_eq!(shown(&SIX, &three), "web-2 | db-1 | db-2 | web-1 | x | y");
        assert_eq!(of(&three), "web-2,db-1,db-2");
        assert_eq!(of(&rollout(Strategy::Rolling)), "");
    }

    #[test]
    fn a_circle_loses_no_host() {
        let hosts: [Host<'_>; 3] = [("a", &["b"]), ("b", &["a"]), ("c", &[])];
        assert_eq!(shown(&hosts, &rollout(Strategy::Parallel)), "c | a,b");
    }
}
