//! What was measured of a host before and after, as items of the end report.

use super::layout::Line;
use super::styles::Role;
use crate::model::text::bytes;
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
    }
}
