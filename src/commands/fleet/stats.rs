//! `fleet stats`: how deploys went, day by day, as a plot of text or JSON.

use std::time::Duration;

use super::table::aligned;
use super::{Desk, fail, hosts, print_json};
use crate::cli::AskArgs;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::ExitCode;
use crate::fleet::query::{self, Kind, Narrowed, Stats};
use crate::model::text::duration;

/// How far back it looks unless told otherwise.
const DAYS: u64 = 30;
/// The longest bar of the plot.
const LONGEST: u64 = 40;

/// Shows the statistics.
pub(super) async fn stats(desk: &Desk, asked: &AskArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let hosts = match asked.hosts.is_empty() {
        true => None,
        false => Some(hosts::resolve(desk, &mut database, &asked.hosts).await?),
    };
    let now = jiff::Timestamp::now();
    let usual = now.checked_sub(Duration::from_secs(DAYS * 86_400)).unwrap_or(jiff::Timestamp::MIN);
    let since = asked.since.unwrap_or(usual);
    let narrowed = Narrowed { hosts, ..Narrowed::default() };
    let mut stats = query::stats(&mut database, &narrowed, since, now).await.map_err(fail)?;
    if let Some(limit) = asked.limit.and_then(|limit| usize::try_from(limit).ok()) {
        // The newest days are what people look at.
        let skip = stats.days.len().saturating_sub(limit);
        stats.days.drain(..skip);
    }
    if desk.json(asked.json) {
        return print_json([&stats]);
    }
    print(plot(&stats, desk.screen.unicode).as_bytes())
}

fn plot(stats: &Stats, unicode: bool) -> String {
    let most = stats.days.iter().map(|day| day.tally.deploys).max().unwrap_or_default().max(1);
    let (good, bad) = if unicode { ("█", "░") } else { ("#", ".") };
    let headings = ["DAY", "DEPLOYS", "GOOD", "BACK", "FAILED", "%", "MEDIAN", ""];
    let kinds = [
        Kind::Text,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
        Kind::Real,
        Kind::Real,
        Kind::Text,
    ];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    let days = stats.days.iter().map(|day| (day.day.as_str(), &day.tally));
    for (name, tally) in days.chain([("all", &stats.total)]) {
        let bar = |count: u64| usize::try_from((count * LONGEST).div_ceil(most)).unwrap_or_default();
        let plot = match name {
            "all" => String::new(),
            _ => {
                let good_length = bar(tally.successful);
                let bad_length = bar(tally.deploys).saturating_sub(good_length);
                format!("{}{}", good.repeat(good_length), bad.repeat(bad_length))
            }
        };
        let milliseconds = |ms: i64| duration(Duration::from_millis(u64::try_from(ms).unwrap_or_default()));
        lines.push(vec![
            name.to_owned(),
            tally.deploys.to_string(),
            tally.successful.to_string(),
            tally.rolled_back.to_string(),
            (tally.failed + tally.not_well).to_string(),
            tally.success_rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string()),
            tally.median_ms.map_or_else(|| "-".to_owned(), milliseconds),
            plot,
        ]);
    }
    aligned(&lines, &kinds)
}
