//! The keys of `[resources]`, for every host, and of the `resources` tables of
//! `[defaults]`, `[tags.NAME]` and `[hosts.NAME]`: limits that warn, or that
//! take a deploy back.
//!
//! A later layer replaces an earlier one bound by bound; `"off"` takes one away.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::DeValue;

use super::duration::parse_duration;
use super::reader::TableReader;
use crate::model::{Bound, Limits, Watched};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// No bound of a time is longer.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);
/// No bound of a number is larger.
const MOST: f64 = 1e12;
const UNITS: [(&str, u64); 5] =
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];

/// What one layer says; a bound that it switches off is `Some(None)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourceKeys(BTreeMap<Watched, LimitKeys>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LimitKeys {
    warn: Option<Option<Bound>>,
    fail: Option<Option<Bound>>,
}

impl ResourceKeys {
    /// Reads one table to its end; what is wrong is reported and left out.
    pub(crate) fn read(mut reader: TableReader<'_, '_>) -> Self {
        let mut keys = BTreeMap::new();
        for watched in Watched::ALL {
            let Some(mut table) = reader.table(watched.as_str()) else { continue };
            let warn = bound(&mut table, "warn", watched);
            let fail = if watched.may_fail() {
                bound(&mut table, "fail", watched)
            } else {
                table.report_value(
                    "fail",
                    format!("no deploy is the reason for `{}`: it can only warn", watched.as_str()),
                );
                None
            };
            table.finish();
            keys.insert(watched, LimitKeys { warn, fail });
        }
        reader.finish();
        Self(keys)
    }

    /// Puts what this layer says over what earlier ones said.
    pub(crate) fn apply(&self, limits: &mut Limits) {
        for (watched, keys) in &self.0 {
            let limit = limits.0.entry(*watched).or_default();
            limit.warn = keys.warn.unwrap_or(limit.warn);
            limit.fail = keys.fail.unwrap_or(limit.fail);
        }
    }
}

fn bound(table: &mut TableReader<'_, '_>, key: &'static str, watched: Watched) -> Option<Option<Bound>> {
    let value = table.value(key)?;
    let parsed = match value.as_ref() {
        DeValue::String(text) if text == "off" => Ok(None),
        DeValue::String(text) => parse(watched, text).map(Some),
        DeValue::Integer(number) => parse(watched, number.as_str()).map(Some),
        DeValue::Float(number) => parse(watched, number.as_str()).map(Some),
        _ => Err(format!("it is {} or \"off\"", expected(watched))),
    };
    parsed.map_err(|reason| table.report_value(key, format!("`{key}`: {reason}"))).ok()
}

/// What a bound looks like.
fn expected(watched: Watched) -> &'static str {
    match watched {
        Watched::MemoryAvailable | Watched::StoreFree | Watched::BootFree => {
            "a size like \"500MiB\" or a share like \"5%\""
        }
        Watched::StoreInodesFree => "a number or a share like \"5%\"",
        Watched::Cpu | Watched::ServiceMemory => "a share like \"90%\"",
        Watched::GarbageAge => "a duration like \"720h\" or \"30d\"",
        Watched::Load | Watched::JournalErrors | Watched::NotRunning | Watched::Generations => "a number",
    }
}

fn parse(watched: Watched, text: &str) -> Result<Bound, String> {
    let wrong = || format!("{text:?} is not {}", expected(watched));
    let number = |text: &str| {
        let number = text.trim().parse::<f64>().ok();
        number.filter(|number| (0.0..=MOST).contains(number)).ok_or_else(wrong)
    };
    let thousandths = |number: f64| Bound::Thousandths((number * 1000.0).round() as u64);
    if watched == Watched::GarbageAge {
        return match text.strip_suffix('d') {
            Some(days) => number(days).map(|days| thousandths(days * DAY.as_secs_f64())),
            None => parse_duration(text, &(Duration::ZERO..=LONGEST))
                .map(|age| thousandths(age.as_secs_f64()))
                .map_err(|_| wrong()),
        };
    }
    if let Some(share) = text.strip_suffix('%') {
        let percent = number(share)?;
        return match watched {
            Watched::Cpu | Watched::ServiceMemory => Ok(thousandths(percent)),
            _ if watched.metric().is_some_and(|metric| metric.whole().is_some()) && percent <= 100.0 => {
                Ok(Bound::Share((percent * 10.0).round() as u16))
            }
            _ => Err(wrong()),
        };
    }
    match watched {
        Watched::MemoryAvailable | Watched::StoreFree | Watched::BootFree => {
            let (name, factor) = UNITS.iter().find(|(name, _)| text.ends_with(name)).ok_or_else(wrong)?;
            number(text.trim_end_matches(name)).map(|size| thousandths(size * *factor as f64))
        }
        Watched::Cpu | Watched::ServiceMemory => Err(wrong()),
        _ => number(text).map(thousandths),
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;
    use crate::model::Limit;
    use crate::settings::source::Source;

    fn read(text: &str) -> Result<ResourceKeys, Vec<String>> {
        let source = Source::new("t", text);
        let document = DeTable::parse(source.text()).unwrap();
        let mut problems = Vec::new();
        let keys = ResourceKeys::read(TableReader::new("[resources]", 0..0, document.as_ref(), &mut problems));
        if problems.is_empty() {
            return Ok(keys);
        }
        Err(problems.iter().map(|problem| source.explain(problem, "t").message).collect())
    }

    #[test]
    fn a_layer_replaces_the_bounds_that_it_names_and_can_take_one_away() {
        let mut limits = Limits::default();
        let first = "memory_available = { warn = \"10%\", fail = \"1.5MiB\" }\nload = { warn = 4.5 }\n\
                     service_memory = { fail = \"95%\" }\njournal_errors = { warn = \"off\", fail = 20 }\n\
                     garbage_age = { warn = \"30d\" }\nstore_inodes_free = { warn = 1000 }\n";
        read(first).unwrap().apply(&mut limits);
        read("load = { fail = 8 }\n").unwrap().apply(&mut limits);
        let thousandths = |value: u64| Some(Bound::Thousandths(value * 1000));
        let expected = [
            (Watched::MemoryAvailable, Some(Bound::Share(100)), thousandths(3 << 19)),
            (Watched::Load, Some(Bound::Thousandths(4500)), thousandths(8)),
            (Watched::ServiceMemory, thousandths(80), thousandths(95)),
            (Watched::JournalErrors, None, thousandths(20)),
            (Watched::GarbageAge, thousandths(30 * 86_400), None),
            (Watched::StoreInodesFree, thousandths(1000), None),
            (Watched::StoreFree, thousandths(1 << 30), None),
            (Watched::NotRunning, thousandths(0), None),
        ];
        for (watched, warn, fail) in expected {
            assert_eq!(limits.0[&watched], Limit { warn, fail }, "{watched:?}");
        }
        assert_eq!(limits.0.len(), expected.len());
    }

    #[test]
    fn what_is_no_limit_says_what_one_looks_like() {
        let text = "memory_available = { warn = \"5\" }\nload = { warn = \"50%\", soon = 1 }\n\
                    cpu = { fail = 90 }\ngenerations = { fail = 5 }\nstore_free = 3\n\
                    journal_errors = { warn = -1 }\ngarbage_age = { warn = \"old\" }\nmemory = { warn = 1 }\n\
                    boot_free = { warn = true }\n";
        let mut problems = read(text).unwrap_err();
        problems.sort();
        assert_eq!(
            problems,
            [
                "t:1:29: `warn`: \"5\" is not a size like \"500MiB\" or a share like \"5%\"",
                "t:2:17: `warn`: \"50%\" is not a number",
                "t:2:24: unknown key `soon` in [resources.load]",
                "t:3:16: `fail`: \"90\" is not a share like \"90%\"",
                "t:4:24: no deploy is the reason for `generations`: it can only warn",
                "t:5:14: `store_free` is a table, written as [resources.store_free], found a number",
                "t:6:27: `warn`: \"-1\" is not a number",
                "t:7:24: `warn`: \"old\" is not a duration like \"720h\" or \"30d\"",
                "t:8:1: unknown key `memory` in [resources]",
                "t:9:22: `warn`: it is a size like \"500MiB\" or a share like \"5%\" or \"off\"",
            ]
        );
    }
}
