//! What was measured of a host before and after: as items of the end report, and
//! as the rows of a table for the report files.

use super::layout::Line;
use super::styles::Role;
use crate::model::text::{bytes, plural, signed_bytes};
use crate::model::{Metric, Observed, Resource};

/// Metrics of the report with their names; the others stand beside them or in JSON.
const SHOWN: [(Metric, &str); 8] = [
    (Metric::MemoryAvailable, "memory"),
    (Metric::Load, "load"),
    (Metric::Cpu, "cpu"),
    (Metric::StoreFree, "/nix/store"),
    (Metric::StoreInodesFree, "inodes"),
    (Metric::BootFree, "/boot"),
    (Metric::UnitsActive, "units"),
    (Metric::Generations, "generations"),
];
/// Metrics of a table with their names.
const ROWS: [(Metric, &str); 9] = [
    (Metric::MemoryAvailable, "Memory available"),
    (Metric::Load, "Load"),
    (Metric::Cpu, "Processors busy"),
    (Metric::StoreFree, "/nix/store free"),
    (Metric::StoreInodesFree, "/nix/store inodes free"),
    (Metric::BootFree, "/boot free"),
    (Metric::UnitsActive, "Units active"),
    (Metric::UnitsFailed, "Units failed"),
    (Metric::Generations, "Generations"),
];
/// A value that differs from the usual one by more than this share is told beside it.
const UNUSUAL: f64 = 0.1;
/// With a larger share of inodes free their number is left out.
const AMPLE_INODES: f64 = 0.2;
/// A day in seconds.
const DAY: u64 = 86_400;

/// The items, `memory 3.1 → 3.0 GiB free of 7.7 GiB (usually 3.2 GiB)`.
pub(super) fn items(observed: &Observed) -> Vec<Line> {
    let mut items: Vec<Line> =
        SHOWN.iter().filter_map(|(metric, name)| item(observed.resource(*metric)?, name, observed)).collect();
    if let Some(age) = observed.garbage_collected {
        items.push(Line::plain(&match age / DAY {
            0 => "garbage collected today".to_owned(),
            1 => "garbage collected yesterday".to_owned(),
            days => format!("garbage collected {days} days ago"),
        }));
    }
    items
}

/// The headings of [`rows`].
pub(super) const HEADINGS: [&str; 5] = ["Resource", "Before", "After", "Difference", "Usually"];

/// The rows of a table; a cell is empty where nothing was measured.
pub(super) fn rows(observed: &Observed) -> Vec<[String; 5]> {
    let row = |(metric, name): (Metric, &str)| {
        let resource = observed.resource(metric)?;
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| in_words(metric, value));
        let difference = resource.before.zip(resource.after);
        let difference = difference.map(|(before, after)| signed_in_words(metric, after - before));
        let of = match (metric, metric.whole().and_then(|whole| observed.after(whole))) {
            (_, Some(whole)) => format!(" of {}", in_words(metric, whole)),
            (Metric::Load, None) => observed
                .after(Metric::Processors)
                .map_or_else(String::new, |count| format!(" on {}", plural(count as usize, "processor"))),
            (_, None) => String::new(),
        };
        Some([
            format!("{name}{of}"),
            cell(resource.before),
            cell(resource.after),
            difference.unwrap_or_default(),
            cell(resource.usual),
        ])
    };
    ROWS.into_iter().filter_map(row).collect()
}

fn item(resource: &Resource, name: &str, observed: &Observed) -> Option<Line> {
    let after = resource.after?;
    let metric = resource.metric;
    // Inodes are a word only where they run short.
    let is_ample = |whole: f64| after > whole * AMPLE_INODES;
    if metric == Metric::StoreInodesFree && observed.after(Metric::StoreInodes).is_some_and(is_ample) {
        return None;
    }
    let now = in_words(metric, after);
    let change = match resource.before.map(|before| in_words(metric, before)) {
        Some(before) if before != now => format!("{before} → {now}"),
        _ => now.clone(),
    };
    let free = if metric.whole().is_some() { " free" } else { "" };
    let whole = match (metric, metric.whole().and_then(|whole| observed.after(whole))) {
        (Metric::MemoryAvailable | Metric::StoreFree | Metric::BootFree, Some(whole)) => {
            format!(" of {}", bytes(whole as u64))
        }
        _ => String::new(),
    };
    let mut line = Line::plain(&format!("{name} {change}{free}{whole}"));
    let usual = resource.usual.filter(|usual| (after - usual).abs() > usual.abs() * UNUSUAL);
    if let Some(usual) = usual.map(|usual| in_words(metric, usual)).filter(|usual| *usual != now) {
        line.push(Role::Dim, &format!(" (usually {usual})"));
    }
    Some(line)
}

fn in_words(metric: Metric, value: f64) -> String {
    match metric {
        Metric::MemoryAvailable | Metric::StoreFree | Metric::BootFree => bytes(value as u64),
        Metric::Load => format!("{value:.2}"),
        Metric::Cpu => format!("{value:.0} %"),
        _ => format!("{value:.0}"),
    }
}

/// A difference with its sign, `±0` when it is too small to be written.
fn signed_in_words(metric: Metric, difference: f64) -> String {
    let signed = match metric {
        Metric::MemoryAvailable | Metric::StoreFree | Metric::BootFree => {
            return signed_bytes(difference as i64);
        }
        Metric::Load => format!("{difference:+.2}"),
        _ => format!("{difference:+.0}"),
    };
    let is_nothing = !signed.contains(|digit: char| ('1'..='9').contains(&digit));
    match (is_nothing, metric) {
        (true, _) => "±0".to_owned(),
        (false, Metric::Cpu) => format!("{signed} points"),
        (false, _) => signed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::layout::page;

    #[test]
    fn values_stand_beside_what_they_were_and_what_is_usual() {
        let resource = |metric, before, after, usual| Resource { metric, before, after, usual };
        let gib = f64::from(1 << 30);
        let observed = Observed {
            resources: vec![
                resource(Metric::MemoryAvailable, Some(3.1 * gib), Some(3.0 * gib), Some(3.2 * gib)),
                resource(Metric::MemoryTotal, Some(7.7 * gib), Some(7.7 * gib), None),
                resource(Metric::Load, None, Some(0.9), Some(0.2)),
                resource(Metric::Cpu, Some(3.0), None, None),
                resource(Metric::StoreInodesFree, Some(1000.0), Some(1000.0), None),
                resource(Metric::StoreInodes, Some(9000.0), Some(9000.0), None),
                resource(Metric::UnitsActive, Some(40.0), Some(41.0), Some(41.0)),
            ],
            garbage_collected: Some(3 * DAY + 5),
            ..Observed::default()
        };
        let shown: Vec<String> = items(&observed).iter().map(|line| page(120).render(line)).collect();
        assert_eq!(
            shown,
            [
                "memory 3.1 GiB → 3.0 GiB free of 7.7 GiB",
                "load 0.90 (usually 0.20)",
                "inodes 1000 free",
                "units 40 → 41",
                "garbage collected 3 days ago",
            ]
        );
        assert!(items(&Observed::default()).is_empty());
        let rows: Vec<String> = rows(&observed).iter().map(|cells| cells.join("; ")).collect();
        assert_eq!(
            rows,
            [
                "Memory available of 7.7 GiB; 3.1 GiB; 3.0 GiB; -102 MiB; 3.2 GiB",
                "Load; ; 0.90; ; 0.20",
                "Processors busy; 3 %; ; ; ",
                "/nix/store inodes free of 9000; 1000; 1000; ±0; ",
                "Units active; 40; 41; +1; 41",
            ]
        );
    }

    #[test]
    fn a_difference_has_a_sign_and_a_unit() {
        let signed = |metric, difference| signed_in_words(metric, difference);
        assert_eq!(signed(Metric::Load, -0.123), "-0.12");
        assert_eq!(signed(Metric::Load, 0.004), "±0");
        assert_eq!(signed(Metric::Cpu, 12.4), "+12 points");
        assert_eq!(signed(Metric::Cpu, -0.4), "±0");
        assert_eq!(signed(Metric::BootFree, 0.0), "±0 B");
        assert_eq!(signed(Metric::Generations, -3.0), "-3");
    }
}
