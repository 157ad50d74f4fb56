//! How deploys went, day by day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Narrowed;
use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::query::places;
use crate::fleet::value::Value;

/// Deploys of some days, or of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Tally {
    /// Deploys that ended.
    pub(crate) deploys: u64,
    /// Those that went well.
    pub(crate) successful: u64,
    /// Those that failed before the host changed, or were kept although the host is not well.
    pub(crate) failed: u64,
    /// Those that the host took back.
    pub(crate) rolled_back: u64,
    /// Those after which the host is not well, or not known.
    pub(crate) not_well: u64,
    /// Successful of all, in percent with one decimal; `None` without deploys.
    pub(crate) success_rate: Option<f64>,
    /// The median of how long they took.
    pub(crate) median_ms: Option<i64>,
    #[serde(skip)]
    durations: Vec<i64>,
}

/// A day with its deploys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Day {
    /// The day in UTC, `2025-11-21`.
    pub(crate) day: String,
    /// What happened.
    #[serde(flatten)]
    pub(crate) tally: Tally,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Stats {
    /// From when on.
    pub(crate) since: Timestamp,
    /// All days together.
    pub(crate) total: Tally,
    /// Each day, oldest first; also those without deploys.
    pub(crate) days: Vec<Day>,
}

impl Tally {
    fn take(&mut self, status: &str, duration: Option<i64>) {
        self.deploys += 1;
        match status {
            "success" => self.successful += 1,
            "rolled_back" => self.rolled_back += 1,
            "failed" => self.failed += 1,
            _ => self.not_well += 1,
        }
        self.durations.extend(duration);
    }

    fn finish(&mut self) {
        self.durations.sort_unstable();
        let half = self.durations.len() / 2;
        self.median_ms = match self.durations.len() {
            0 => None,
            count if count % 2 == 1 => Some(self.durations[half]),
            _ => Some(i64::midpoint(self.durations[half - 1], self.durations[half])),
        };
        if self.deploys > 0 {
            let rate = self.successful as f64 * 100.0 / self.deploys as f64;
            self.success_rate = Some((rate * 10.0).round() / 10.0);
        }
    }
}

/// Deploys since then, by day. What was skipped or still runs is no deploy.
pub(crate) async fn stats(
    database: &mut Database,
    narrowed: &Narrowed,
    since: Timestamp,
    until: Timestamp,
) -> Result<Stats, FleetError> {
    let mut sql = "SELECT started_at, status, duration_ms FROM deployment_events \
                   WHERE started_at >= $1 AND started_at <= $2 AND status NOT IN ('skipped', 'in_progress')"
        .to_owned();
    let mut values: Vec<Value> = vec![since.into(), until.into()];
    if let Some(hosts) = &narrowed.hosts {
        sql = format!("{sql} AND hostname IN ({})", places(values.len(), hosts.len()));
        values.extend(hosts.iter().map(Value::from));
    }
    let rows = database.rows("read the deploys", &sql, &values).await?;
    let mut days: BTreeMap<String, Tally> = every_day(since, until);
    let mut total = Tally::default();
    for cells in &rows {
        let [started, status, duration] = cells.as_slice() else { continue };
        let (Some(started), Some(status)) = (started.time(), status.text()) else { continue };
        total.take(status, duration.integer());
        days.entry(day_of(started)).or_default().take(status, duration.integer());
    }
    total.finish();
    days.values_mut().for_each(Tally::finish);
    let days = days.into_iter().map(|(day, tally)| Day { day, tally }).collect();
    Ok(Stats { since, total, days })
}

fn day_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// At most this many days are listed that had no deploy.
const MOST_DAYS: usize = 400;

fn every_day(since: Timestamp, until: Timestamp) -> BTreeMap<String, Tally> {
    let mut days = BTreeMap::new();
    let mut time = since;
    while time <= until && days.len() < MOST_DAYS {
        days.insert(day_of(time), Tally::default());
        match time.checked_add(jiff::SignedDuration::from_hours(24)) {
            Ok(next) => time = next,
            Err(_) => break,
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_rates_and_finds_the_middle() {
        let mut tally = Tally::default();
        for (status, duration) in
            [("success", Some(10)), ("success", Some(30)), ("rolled_back", Some(20)), ("unknown", None)]
        {
            tally.take(status, duration);
        }
        tally.finish();
        assert_eq!((tally.deploys, tally.successful, tally.rolled_back, tally.not_well), (4, 2, 1, 1));
        assert_eq!((tally.success_rate, tally.median_ms), (Some(50.0), Some(20)));
        let mut empty = Tally::default();
        empty.finish();
        assert_eq!((empty.success_rate, empty.median_ms), (None, None));
    }

    #[test]
    fn days_without_a_deploy_are_listed() {
        let days = every_day("2025-11-19T23:00:00Z".parse().unwrap(), "2025-11-21T23:30:00Z".parse().unwrap());
        assert!(days.keys().eq(["2025-11-19", "2025-11-20", "2025-11-21"]));
    }
}
