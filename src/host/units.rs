//! Reading units and judging their health: what was well before and is not now.
//!
//! Judged are units that were fine in the baseline, new units, crash loops
//! inside the settle window, critical services, and removed units that still
//! run. Units that were broken before are reported, never judged.

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

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
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

/// What the health of units is judged against.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judge {
    /// Units before the deploy.
    pub(crate) baseline: Baseline,
    /// Units right after activation; where restarts were counted, it is from here.
    pub(crate) first_sample: Baseline,
    /// Units that must run.
    pub(crate) critical: Vec<String>,
    /// Unit files the old system has and the new one lacks.
    pub(crate) removed: BTreeSet<String>,
    /// Critical services that may be idle: what starts them is there, or they come to an end.
    pub(crate) may_be_idle: BTreeSet<String>,
    /// Units that the change could not reload, and how that failed.
    pub(crate) failed_reloads: BTreeMap<String, String>,
    /// Our own supervisor, which is not judged.
    pub(crate) own_unit: String,
}

/// A unit that is not well, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ailing {
    pub(crate) unit: String,
    pub(crate) why: String,
}

/// The judgement of one sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What speaks against the deploy.
    pub(crate) ailing: Vec<Ailing>,
    /// Broken now and broken before.
    pub(crate) broken_before: Vec<String>,
    /// Critical services that are still on their way.
    pub(crate) pending: Vec<String>,
    /// Services that ran before and are neither up nor down.
    pub(crate) unsettled: Vec<String>,
    /// Units that run after automatic restarts.
    pub(crate) recovered: Vec<String>,
    /// Units that run.
    pub(crate) running: usize,
    /// Units that have failed.
    pub(crate) failed: usize,
    /// Units that run and did not before.
    pub(crate) started: Vec<String>,
    /// Services that ran before and do not run, without having failed.
    pub(crate) idle: Vec<String>,
    /// Those of them whose socket, timer or path stands ready to start them.
    pub(crate) on_demand: Vec<String>,
    /// Sockets, timers and paths that stood ready before and do not, without having failed.
    /// None of them comes to an end by itself.
    pub(crate) not_ready: Vec<String>,
}

impl Judge {
    /// Judges a sample.
    pub(crate) fn judge(&self, sample: &Baseline) -> Judgement {
        let mut judgement = Judgement::default();
        for (unit, now) in sample {
            if *unit == self.own_unit {
                continue;
            }
            let before = self.baseline.get(unit);
            let broken_before = before.is_some_and(|before| before.is_broken() || before.is_unloadable());
            judgement.failed += usize::from(now.active == "failed");
            if now.active == "active" {
                judgement.running += 1;
                if now.restarts > 0 {
                    judgement.recovered.push(unit.clone());
                }
                if before.is_none_or(|before| matches!(before.active.as_str(), "inactive" | "failed")) {
                    judgement.started.push(unit.clone());
                }
            }
            if let Some(why) = self.ailment(unit, now) {
                if broken_before {
                    judgement.broken_before.push(unit.clone());
                } else {
                    judgement.ailing.push(Ailing { unit: unit.clone(), why });
                }
            }
        }
        self.find_ended(sample, &mut judgement);
        self.judge_critical(sample, &mut judgement);
        judgement
    }

    /// What was up and has gone without a failure.
    fn find_ended(&self, sample: &Baseline, judgement: &mut Judgement) {
        let was_up = self.baseline.iter().filter(|(_, before)| before.active == "active");
        let is_up = |unit: String| sample.get(&unit).is_some_and(|now| now.active == "active");
        for (unit, before) in was_up.filter(|(unit, _)| **unit != self.own_unit) {
            // systemd forgets what has ended and nothing refers to.
            let now = sample.get(unit);
            let is_on_its_way = |now: &UnitHealth| matches!(now.active.as_str(), "activating" | "deactivating");
            if before.sub == "running" && now.is_some_and(|now| is_on_its_way(now) && !now.is_broken()) {
                judgement.unsettled.push(unit.clone());
            }
            if now.is_some_and(|now| now.active != "inactive") {
                continue;
            }
            match unit.rsplit_once('.') {
                Some((name, "service")) if before.sub == "running" => {
                    judgement.idle.push(unit.clone());
                    if ["socket", "timer", "path"].iter().any(|kind| is_up(format!("{name}.{kind}"))) {
                        judgement.on_demand.push(unit.clone());
                    }
                }
                Some((_, "socket" | "timer" | "path")) => judgement.not_ready.push(unit.clone()),
                _ => {}
            }
        }
    }

    /// Units whose restarts are counted for the first time are counted from this sample on.
    pub(crate) fn count_from(&mut self, sample: &Baseline) {
        for (unit, now) in sample.iter().filter(|(_, now)| now.is_counted()) {
            let first = self.first_sample.entry(unit.clone()).or_insert_with(|| now.clone());
            if !first.is_counted() {
                first.clone_from(now);
            }
        }
    }

    fn ailment(&self, unit: &str, now: &UnitHealth) -> Option<String> {
        if now.is_broken() {
            let state = if now.active == "failed" { "failed" } else { "keeps being restarted" };
            let result = if now.result.is_empty() { String::new() } else { format!(" ({})", now.result) };
            return Some(format!("{state}{result}"));
        }
        if now.is_unloadable() {
            return Some(format!("cannot be loaded ({})", now.load));
        }
        let first = self.first_sample.get(unit).filter(|first| first.is_counted()).map(|first| first.restarts);
        if let Some(first) = first.filter(|first| now.restarts > *first) {
            return Some(format!("crash loop: restarted {} in the settle window", times(now.restarts - first)));
        }
        if let Some(result) = self.failed_reloads.get(unit) {
            return Some(format!("could not be reloaded ({result})"));
        }
        if self.removed.contains(unit) && now.active == "active" && now.load != "loaded" {
            return Some("is no longer part of the system and still runs".to_owned());
        }
        None
    }

    fn judge_critical(&self, sample: &Baseline, judgement: &mut Judgement) {
        for unit in &self.critical {
            let mut known = judgement.ailing.iter().any(|ailing| ailing.unit == *unit);
            let Some(now) = sample.get(unit) else {
                if !known {
                    judgement
                        .ailing
                        .push(Ailing { unit: unit.clone(), why: "critical service does not exist".to_owned() });
                }
                continue;
            };
            // A critical service is judged even if it was broken before.
            if let Some(why) = self.ailment(unit, now).filter(|_| !known) {
                judgement.broken_before.retain(|broken| broken != unit);
                judgement.ailing.push(Ailing { unit: unit.clone(), why });
                known = true;
            }
            let finished_oneshot = now.active == "inactive"
                && self.may_be_idle.contains(unit)
                && now.result == "success"
                && now.sub == "dead"
                && self
                    .baseline
                    .get(unit)
                    .is_some_and(|before| before.active == "inactive" && before.load == "loaded");
            match now.active.as_str() {
                "active" | "reloading" => {}
                "activating" if !now.is_broken() => judgement.pending.push(unit.clone()),
                // Run on demand, by a socket or a timer, as it was before.
                _ if finished_oneshot && now.load == "loaded" => {}
                other if !known => {
                    let why = format!("critical service is {other} ({})", now.load);
                    judgement.ailing.push(Ailing { unit: unit.clone(), why });
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(active: &str, sub: &str, restarts: u32) -> UnitHealth {
        UnitHealth {
            load: "loaded".to_owned(),
            active: active.to_owned(),
            sub: sub.to_owned(),
            result: if active == "failed" { "exit-code" } else { "success" }.to_owned(),
            restarts,
        }
    }

    fn units(list: &[(&str, UnitHealth)]) -> Baseline {
        list.iter().map(|(name, health)| ((*name).to_owned(), health.clone())).collect()
    }

    fn ailing(judge: &Judge, sample: &Baseline) -> Vec<String> {
        judge.judge(sample).ailing.into_iter().map(|ailing| ailing.unit).collect()
    }

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
    fn a_reload_that_failed_ails_while_the_unit_reads_active() {
        let block = |id: &str, result: &str| format!("Id={id}\nActiveState=active\nReloadResult={result}\n\n");
        let text = block("a.service", "exit-code") + &block("b.service", "success") + "Id=c.mount\n";
        let failed_reloads = failed_reloads(&text);
        assert_eq!(failed_reloads, BTreeMap::from([("a.service".to_owned(), "exit-code".to_owned())]));
        let judge = Judge { failed_reloads, ..Judge::default() };
        assert_eq!(ailing(&judge, &parse(&text)), ["a.service"]);
    }

    #[test]
    fn what_comes_to_an_end_or_is_started_by_something_else_is_idle_by_nature() {
        let text = "Id=a.service\nType=oneshot\nTriggeredBy=\n\nId=b.service\nType=simple\nTriggeredBy=b.socket\n\n\
                    Id=c.service\nType=simple\nTriggeredBy=\n";
        assert_eq!(idle_by_nature(text), ["a.service", "b.service"].map(str::to_owned).into());
    }

    #[test]
    fn an_idle_critical_service_passes_only_where_that_is_its_nature() {
        let idle = units(&[("a.service", unit("inactive", "dead", 0))]);
        let critical = vec!["a.service".to_owned()];
        let mut judge = Judge { baseline: idle.clone(), critical, ..Judge::default() };
        assert_eq!(ailing(&judge, &idle), ["a.service"]);
        judge.may_be_idle = ["a.service".to_owned()].into();
        assert!(ailing(&judge, &idle).is_empty());
        judge.baseline = units(&[("a.service", unit("active", "running", 0))]);
        assert_eq!(ailing(&judge, &idle), ["a.service"]);
    }

    #[test]
    fn a_unit_that_cannot_be_loaded_ails_unless_it_could_not_before() {
        let bad = UnitHealth { load: "bad-setting".to_owned(), ..unit("inactive", "dead", 0) };
        let sample = units(&[("a.service", bad)]);
        let judge =
            Judge { baseline: units(&[("a.service", unit("active", "running", 0))]), ..Judge::default() };
        assert_eq!(ailing(&judge, &sample), ["a.service"]);
        let judge = Judge { baseline: sample.clone(), ..Judge::default() };
        assert!(ailing(&judge, &sample).is_empty());
        assert_eq!(judge.judge(&sample).broken_before, ["a.service"]);
    }

    #[test]
    fn what_ran_and_is_on_its_way_is_told_and_judged_only_when_critical() {
        let judge = Judge {
            baseline: units(&[
                ("a.service", unit("active", "running", 0)),
                ("b.service", unit("active", "exited", 0)),
            ]),
            ..Judge::default()
        };
        let sample = units(&[
            ("a.service", unit("activating", "start", 0)),
            ("b.service", unit("activating", "start", 0)),
        ]);
        let judgement = judge.judge(&sample);
        assert!(judgement.ailing.is_empty());
        assert_eq!(judgement.unsettled, ["a.service"]);
    }

    #[test]
    fn one_restart_is_once() {
        assert_eq!((times(1), times(3)), ("once".to_owned(), "3 times".to_owned()));
    }

    #[test]
    fn only_what_was_well_before_is_judged() {
        let judge = Judge {
            baseline: units(&[
                ("old.service", unit("failed", "failed", 0)),
                ("a.service", unit("active", "running", 0)),
            ]),
            ..Judge::default()
        };
        let sample = units(&[
            ("old.service", unit("failed", "failed", 0)),
            ("a.service", unit("failed", "failed", 0)),
            ("new.service", unit("failed", "failed", 0)),
        ]);
        assert_eq!(ailing(&judge, &sample), ["a.service", "new.service"]);
        assert_eq!(judge.judge(&sample).broken_before, ["old.service"]);
    }

    #[test]
    fn a_crash_loop_is_seen_while_the_unit_reads_active() {
        let first = units(&[("a.service", unit("active", "running", 4))]);
        let judge = Judge { baseline: first.clone(), first_sample: first, ..Judge::default() };
        assert!(ailing(&judge, &units(&[("a.service", unit("active", "running", 4))])).is_empty());
        assert_eq!(ailing(&judge, &units(&[("a.service", unit("active", "running", 5))])), ["a.service"]);
        assert_eq!(
            ailing(&judge, &units(&[("a.service", unit("activating", "auto-restart", 4))])),
            ["a.service"]
        );
    }

    #[test]
    fn restarts_are_counted_from_the_first_look_that_counts_them() {
        let listed = UnitHealth { result: String::new(), ..unit("active", "running", 0) };
        let mut judge = Judge { first_sample: units(&[("a.service", listed)]), ..Judge::default() };
        // Restarts of long ago are none of this deploy.
        let second = units(&[("a.service", unit("active", "running", 3))]);
        assert!(ailing(&judge, &second).is_empty());
        judge.count_from(&second);
        assert!(ailing(&judge, &second).is_empty());
        let third = units(&[("a.service", unit("active", "running", 4))]);
        judge.count_from(&third);
        assert_eq!(ailing(&judge, &third), ["a.service"]);
    }

    #[test]
    fn what_was_up_and_has_gone_without_a_failure_is_named() {
        let judge = Judge {
            baseline: units(&[
                ("web.service", unit("active", "running", 0)),
                ("once.service", unit("active", "exited", 0)),
                ("off.socket", unit("inactive", "dead", 0)),
                ("x.socket", unit("active", "running", 0)),
                ("y.timer", unit("active", "waiting", 0)),
                ("z.path", unit("active", "waiting", 0)),
                ("sys.mount", unit("active", "mounted", 0)),
            ]),
            ..Judge::default()
        };
        let ended: Vec<_> =
            judge.baseline.keys().map(|name| (name.as_str(), unit("inactive", "dead", 0))).collect();
        // systemd forgets what has ended and nothing refers to.
        for sample in [units(&ended), Baseline::new()] {
            let judgement = judge.judge(&sample);
            assert_eq!(judgement.idle, ["web.service"]);
            assert!(judgement.on_demand.is_empty());
            assert_eq!(judgement.not_ready, ["x.socket", "y.timer", "z.path"]);
            assert!(judgement.ailing.is_empty());
        }
        let on_demand = units(&[
            ("web.service", unit("inactive", "dead", 0)),
            ("web.socket", unit("active", "listening", 0)),
        ]);
        assert_eq!(judge.judge(&on_demand).on_demand, ["web.service"]);
        let as_before = judge.judge(&judge.baseline);
        assert!(as_before.idle.is_empty() && as_before.not_ready.is_empty());
    }

    #[test]
    fn a_finished_oneshot_is_healthy() {
        let judge =
            Judge { baseline: units(&[("a.service", unit("inactive", "dead", 0))]), ..Judge::default() };
        assert!(ailing(&judge, &units(&[("a.service", unit("inactive", "dead", 0))])).is_empty());
    }

    #[test]
    fn critical_services_must_run_whatever_was_before() {
        let judge = Judge {
            baseline: units(&[
                ("db.service", unit("failed", "failed", 0)),
                ("web.service", unit("active", "running", 0)),
            ]),
            critical: vec!["db.service".to_owned(), "web.service".to_owned(), "gone.service".to_owned()],
            ..Judge::default()
        };
        let sample =
            units(&[("db.service", unit("failed", "failed", 0)), ("web.service", unit("inactive", "dead", 0))]);
        assert_eq!(ailing(&judge, &sample), ["db.service", "web.service", "gone.service"]);
        let starting = units(&[
            ("db.service", unit("activating", "start", 0)),
            ("web.service", unit("active", "running", 0)),
            ("gone.service", unit("active", "running", 0)),
        ]);
        assert_eq!(judge.judge(&starting).pending, ["db.service"]);
        assert!(ailing(&judge, &starting).is_empty());
    }

    #[test]
    fn a_removed_unit_that_still_runs_is_not_well() {
        let mut running = unit("active", "running", 0);
        running.load = "not-found".to_owned();
        let judge = Judge { removed: ["x.service".to_owned()].into(), ..Judge::default() };
        assert_eq!(ailing(&judge, &units(&[("x.service", running)])), ["x.service"]);
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
