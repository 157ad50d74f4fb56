//! Reads what `templates/measure-lib.sh` and `memory-lib.sh` say: the numbers of
//! a host at one moment. The same text is part of the answer before and after a deploy.

use super::{facts, shell};
use crate::model::text::clean_line;
use crate::model::{Baseline, CpuTimes, Measured, Metric, ServiceMemory};

/// The metrics in an answer; what it does not say is absent.
pub(super) fn measured(text: &str, units: Option<&Baseline>) -> Measured {
    let number = |key: &str| shell::value(text, key).and_then(|value| value.trim().parse::<f64>().ok());
    let (store, boot) = (Room::of(shell::value(text, "store")), Room::of(shell::value(text, "boot")));
    let load = shell::value(text, "load").and_then(|line| line.split(' ').next()?.parse().ok());
    let values = [
        (Metric::MemoryAvailable, number("memory_kib").map(|kib| kib * 1024.0)),
        (Metric::MemoryTotal, number("memory_total_kib").map(|kib| kib * 1024.0)),
        (Metric::Load, load),
        (Metric::Processors, number("processors")),
        (Metric::StoreFree, store.free),
        (Metric::StoreSize, store.size),
        (Metric::StoreInodesFree, store.free_inodes),
        (Metric::StoreInodes, store.inodes),
        (Metric::BootFree, boot.free),
        (Metric::BootSize, boot.size),
        (Metric::UnitsActive, units.map(|units| count(units, |active| active == "active"))),
        (Metric::UnitsFailed, units.map(|units| count(units, |active| active == "failed"))),
        (Metric::Generations, number("generations")),
    ];
    values.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect()
}

fn count(units: &Baseline, is_counted: impl Fn(&str) -> bool) -> f64 {
    units.values().filter(|health| is_counted(&health.active)).count() as f64
}

/// Room of a file system, from `%a %S %d %c %b` of `stat -f`.
#[derive(Default)]
struct Room {
    free: Option<f64>,
    size: Option<f64>,
    free_inodes: Option<f64>,
    inodes: Option<f64>,
}

impl Room {
    fn of(line: Option<&str>) -> Self {
        let (free, free_inodes) = facts::room(line);
        let numbers: Vec<u64> =
            line.unwrap_or_default().split(' ').filter_map(|word| word.parse().ok()).collect();
        let number = |number: u64| number as f64;
        match numbers[..] {
            [_, block, _, inodes, blocks] => Self {
                free: free.map(number),
                size: Some(number(blocks.saturating_mul(block))),
                free_inodes: free_inodes.map(number),
                inodes: (inodes > 0).then(|| number(inodes)),
            },
            _ => Self::default(),
        }
    }
}

/// Processor time since boot, from the first line of `/proc/stat`: user, nice,
/// system, idle, iowait, and others (`proc_stat(5)`).
pub(super) fn cpu_times(text: &str) -> Option<CpuTimes> {
    let line = shell::value(text, "cpu")?.strip_prefix("cpu ")?;
    // Time of guests, the last two, is part of user and nice already.
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    let total: u64 = ticks.iter().sum();
    Some(CpuTimes { busy: total.saturating_sub(idle), total })
}

/// Services with a `MemoryMax`, the fullest first.
pub(super) fn service_memory(text: &str) -> Vec<ServiceMemory> {
    let memory = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (used, max) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(ServiceMemory { unit: clean_line(words.next()?), used, max, before: None })
    };
    let lines = shell::pairs(text).filter(|(key, _)| *key == "service_memory");
    let mut services: Vec<ServiceMemory> = lines.filter_map(|(_, line)| memory(line)).collect();
    services.sort_by(|left, right| {
        right.percent().total_cmp(&left.percent()).then_with(|| left.unit.cmp(&right.unit))
    });
    services
}

/// The default route in words.
pub(super) fn default_route(text: &str) -> Option<String> {
    shell::value(text, "route").map(clean_line).filter(|route| !route.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::units;

    #[test]
    fn an_answer_becomes_numbers_and_what_it_lacks_is_absent() {
        let text = "memory_total_kib=2048\nmemory_kib=1024\nload=0.50 0.1 0.1 1/2 3\nprocessors=4\n\
                    store=100 4096 5 10 200\nboot=\ngenerations=7\nroute=192.0.2.1 on eth0\n\
                    cpu=cpu  10 20 30 400 50 6 7 8 9 10\n";
        let units = units::parse_list(
            "a.service loaded active running A\nb.service loaded failed failed B\nc.timer loaded active waiting C\n",
        );
        let measured = measured(text, Some(&units));
        let expected = [
            (Metric::MemoryAvailable, 1_048_576.0),
            (Metric::MemoryTotal, 2_097_152.0),
            (Metric::Load, 0.5),
            (Metric::Processors, 4.0),
            (Metric::StoreFree, 409_600.0),
            (Metric::StoreSize, 819_200.0),
            (Metric::StoreInodesFree, 5.0),
            (Metric::StoreInodes, 10.0),
            (Metric::UnitsActive, 2.0),
            (Metric::UnitsFailed, 1.0),
            (Metric::Generations, 7.0),
        ];
        assert_eq!(measured, Measured::from(expected));
        assert_eq!(cpu_times(text), Some(CpuTimes { busy: 81, total: 531 }));
        assert_eq!(default_route(text).as_deref(), Some("192.0.2.1 on eth0"));
        assert!(super::measured("hello\nstore=x y\ncpu=\n", None).is_empty());
        assert_eq!((cpu_times("cpu=cpu  1 2\n"), default_route("route=\n")), (None, None));
    }
}
