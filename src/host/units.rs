//! Reading units from what `systemctl` prints.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Baseline, UnitHealth};

/// Reads the blocks of `systemctl show -p Id,LoadState,…`, separated by blank
/// lines. Units without a name are left out.
pub(crate) fn parse(text: &str) -> Baseline {
    blocks(text).map(|(id, block)| (id, health(&block))).collect()
}

/// How long units took to start the last time, in milliseconds, of those that are up and
/// whose times were asked for.
pub(crate) fn start_times(text: &str) -> BTreeMap<String, u64> {
    let time = |(id, block): (String, BTreeMap<&str, &str>)| {
        let is_up = matches!(block.get("ActiveState"), Some(&("active" | "reloading")));
        let at = |key: &str| block.get(key)?.parse::<u64>().ok().filter(|at| *at > 0);
        let (begun, up) = (at("InactiveExitTimestampMonotonic")?, at("ActiveEnterTimestampMonotonic")?);
        let took = up.checked_sub(begun).filter(|_| is_up)?;
        Some((id, took / 1000))
    };
    blocks(text).filter_map(time).collect()
}

/// Units whose last reload failed, of those whose results were asked for, and how.
pub(crate) fn failed_reloads(text: &str) -> BTreeMap<String, String> {
    let result =
        |block: &BTreeMap<&str, &str>| block.get("ReloadResult").copied().unwrap_or_default().to_owned();
    let results = blocks(text).map(|(id, block)| (id, result(&block)));
    results.filter(|(_, result)| !result.is_empty() && result != "success").collect()
}

fn blocks(text: &str) -> impl Iterator<Item = (String, BTreeMap<&str, &str>)> {
    let mut block: BTreeMap<&str, &str> = BTreeMap::new();
    text.lines().chain(std::iter::once("")).filter_map(move |line| match line.split_once('=') {
        Some((key, value)) => {
            block.insert(key, value);
            None
        }
        None => {
            let block = std::mem::take(&mut block);
            let id = block.get("Id").filter(|id| !id.is_empty())?;
            Some(((*id).to_owned(), block))
        }
    })
}

/// Reads the lines of `systemctl list-units`: name, LOAD, ACTIVE, SUB. They say
/// nothing about results and restarts.
pub(crate) fn parse_list(text: &str) -> Baseline {
    text.lines()
        .filter_map(|line| {
            // A failed unit may have a bullet before its name.
            let mut words = line.split_whitespace().skip_while(|word| !word.contains('.'));
            let name = words.next()?.to_owned();
            let health = UnitHealth {
                load: words.next()?.to_owned(),
                active: words.next()?.to_owned(),
                sub: words.next()?.to_owned(),
                result: String::new(),
                restarts: 0,
            };
            Some((name, health))
        })
        .collect()
}

/// Of blocks of `systemctl show`, the units that are idle by nature: they come to an end,
/// or something else starts them.
pub(crate) fn idle_by_nature(text: &str) -> BTreeSet<String> {
    let is_idle = |block: &BTreeMap<&str, &str>| {
        block.get("Type") == Some(&"oneshot") || block.get("TriggeredBy").is_some_and(|by| !by.is_empty())
    };
    blocks(text).filter(|(_, block)| is_idle(block)).map(|(id, _)| id).collect()
}

fn health(block: &BTreeMap<&str, &str>) -> UnitHealth {
    let get = |key: &str| block.get(key).copied().unwrap_or_default().to_owned();
    UnitHealth {
        load: get("LoadState"),
        active: get("ActiveState"),
        sub: get("SubState"),
        result: get("Result"),
        restarts: get("NRestarts").parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_start_is_that_from_leaving_inactive_to_active() {
        let block = |id: &str, state: &str, begun: u64, up: u64| {
            format!(
                "Id={id}\nActiveState={state}\nInactiveExitTimestampMonotonic={begun}\n\
                 ActiveEnterTimestampMonotonic={up}\n\n"
            )
        };
        let text = block("a.service", "active", 5_000_000, 5_800_900)
            + &block("b.service", "activating", 5_000_000, 4_000_000)
            + &block("c.service", "active", 0, 0)
            + &block("d.service", "inactive", 5_000_000, 6_000_000)
            + "Id=e.service\nActiveState=active\n";
        assert_eq!(start_times(&text), BTreeMap::from([("a.service".to_owned(), 800)]));
        assert_eq!(parse(&text).len(), 5);
    }

    #[test]
    fn reloads_that_failed_are_told_from_those_that_did_not() {
        let text = "Id=a.service\nReloadResult=exit-code\n\nId=b.service\nReloadResult=success\n\nId=c.mount\n";
        assert_eq!(failed_reloads(text), BTreeMap::from([("a.service".to_owned(), "exit-code".to_owned())]));
    }

    #[test]
    fn what_comes_to_an_end_or_is_started_by_something_else_is_idle_by_nature() {
        let text = "Id=a.service\nType=oneshot\nTriggeredBy=\n\nId=b.service\nType=simple\nTriggeredBy=b.socket\n\n\
                    Id=c.service\nType=simple\nTriggeredBy=\n";
        assert_eq!(idle_by_nature(text), ["a.service", "b.service"].map(str::to_owned).into());
    }

    #[test]
    fn lists_of_systemctl_are_read() {
        let text =
            "a.service loaded active running A service\n\u{25cf} b.service not-found failed failed b.service\n";
        let units = parse_list(text);
        assert_eq!(units["a.service"].sub, "running");
        assert!(units["b.service"].is_broken());
    }

    #[test]
    fn blocks_of_systemctl_are_read() {
        let text = "Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=2\n\nId=b.mount\nActiveState=active\n";
        let units = parse(text);
        assert_eq!(units["a.service"].restarts, 2);
        assert_eq!(units["b.mount"].active, "active");
        assert!(parse("").is_empty());
    }
}
