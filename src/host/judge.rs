//! Judging the health of units: what was well before and is not now.
//!
//! Judged are units that were fine in the baseline, new units, crash loops
//! inside the settle window, critical services, and removed units that still
//! run. Units that were broken before are reported, never judged.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Baseline, UnitHealth};

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

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests;
