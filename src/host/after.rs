//! One look at a host after its activation: what is measured, memory of
//! services, services that do not run, and what the journal holds at error
//! level. Reads `templates/observe.sh`; judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::error::HostError;
use super::link::Link;
use super::measure;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use crate::model::text::clean_line;
use crate::model::{Baseline, CpuTimes, ErrorGroup, IdleService, Measured, ServiceMemory, StorePath};

const OBSERVE: &str = concat!(
    include_str!("../../templates/measure-lib.sh"),
    include_str!("../../templates/memory-lib.sh"),
    include_str!("../../templates/observe.sh")
);
/// Lines of the journal that are read on each side of the activation.
const LINES: usize = 300;
/// The longest message that is kept.
const LONGEST: usize = 300;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct After {
    /// Metrics; units are not counted here.
    pub(crate) measured: Measured,
    /// Processor time since boot.
    pub(crate) cpu_times: Option<CpuTimes>,
    /// Services with a `MemoryMax`, the fullest first.
    pub(crate) service_memory: Vec<ServiceMemory>,
    /// Enabled services that do not run and should.
    pub(crate) not_running: Vec<IdleService>,
    /// Journal lines at error level since the activation began, in groups.
    pub(crate) errors: Vec<ErrorGroup>,
    /// How many lines there are in all.
    pub(crate) error_lines: u64,
    /// Seconds since garbage was collected last.
    pub(crate) garbage_collected: Option<u64>,
    /// Size of kernel and initrd, where /boot is a file system of its own.
    pub(crate) boot_needed: Option<u64>,
    /// The default route.
    pub(crate) default_route: Option<String>,
}

/// What the look is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookAfter<'a> {
    /// When the activation began, in the host's own digits.
    pub(crate) since: &'a str,
    /// The new system.
    pub(crate) new: &'a StorePath,
    /// Units before the deploy.
    pub(crate) baseline: &'a Baseline,
}

/// Looks, as root.
pub(crate) async fn look(
    link: &Link,
    session: &Session,
    about: LookAfter<'_>,
    deadline: Duration,
) -> Result<After, HostError> {
    let script = Script::new(OBSERVE)
        .set("SINCE", about.since)
        .set("NEW", about.new.as_str())
        .set("LINES", LINES.to_string());
    let text = link.run_on(session, &script, Privilege::Root, deadline).await?;
    Ok(parse(&text, about.baseline))
}

fn parse(text: &str, baseline: &Baseline) -> After {
    let all =
        |key: &'static str| shell::pairs(text).filter(move |(found, _)| *found == key).map(|(_, value)| value);
    let earlier: BTreeSet<(String, String)> =
        all("earlier").filter_map(entry).map(|(unit, message)| (unit, sameness(&message))).collect();
    let errors = groups(all("log").filter_map(entry), &earlier);
    let counted: u64 = errors.iter().map(|group| group.count).sum();
    let number = |key: &str| shell::value(text, key).and_then(|value| value.trim().parse::<u64>().ok());
    let collected = all("garbage").filter_map(|value| value.parse::<u64>().ok()).max();
    let boot_files: Vec<u64> = all("boot_file").filter_map(|value| value.parse().ok()).collect();
    After {
        measured: measure::measured(text, None),
        cpu_times: measure::cpu_times(text),
        service_memory: measure::service_memory(text),
        not_running: idle(text, baseline),
        error_lines: number("log_lines").unwrap_or_default().max(counted),
        errors,
        garbage_collected: number("now").zip(collected).map(|(now, at)| now.saturating_sub(at)),
        boot_needed: (!boot_files.is_empty()).then(|| boot_files.iter().sum()),
        default_route: measure::default_route(text),
    }
}

/// Unit and message of a line of `journalctl -o json`; a message that is no text is
/// a list of bytes there (systemd's "Journal JSON Format").
fn entry(line: &str) -> Option<(String, String)> {
    let fields: BTreeMap<String, Value> = serde_json::from_str(line).ok()?;
    let text = |name: &str| match fields.get(name)? {
        Value::String(text) => Some(clean_line(text)),
        Value::Array(bytes) => {
            let bytes: Option<Vec<u8>> =
                bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            Some(clean_line(&String::from_utf8_lossy(&bytes?)))
        }
        _ => None,
    };
    let unit = text("_SYSTEMD_UNIT").or_else(|| text("SYSLOG_IDENTIFIER"));
    let message: String = text("MESSAGE").unwrap_or_default().chars().take(LONGEST).collect();
    Some((unit.unwrap_or_else(|| "unknown".to_owned()), message))
}

/// What lines of the same reason have in common: everything but numbers, and words of
/// letters and digits such as ids and hashes.
fn sameness(message: &str) -> String {
    let word = |word: &str| match word.bytes().any(|byte| byte.is_ascii_digit()) {
        true => "#".to_owned(),
        false => word.to_owned(),
    };
    let mut same = String::with_capacity(message.len());
    let mut current = String::new();
    for character in message.chars() {
        if character.is_alphanumeric() {
            current.push(character);
        } else {
            same.push_str(&word(&current));
            current.clear();
            same.push(character);
        }
    }
    same + &word(&current)
}

fn groups(
    entries: impl Iterator<Item = (String, String)>,
    earlier: &BTreeSet<(String, String)>,
) -> Vec<ErrorGroup> {
    let mut groups: Vec<((String, String), ErrorGroup)> = Vec::new();
    for (unit, message) in entries {
        let key = (unit, sameness(&message));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.count += 1,
            None => {
                let group =
                    ErrorGroup { unit: key.0.clone(), message, count: 1, before: earlier.contains(&key) };
                groups.push((key, group));
            }
        }
    }
    let mut groups: Vec<ErrorGroup> = groups.into_iter().map(|(_, group)| group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

/// Services of types that stay, that nothing else starts and whose conditions hold.
fn idle(text: &str, baseline: &Baseline) -> Vec<IdleService> {
    const STAYING: [&str; 6] = ["simple", "exec", "forking", "notify", "notify-reload", "dbus"];
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("idle=")).collect();
    let mut found: Vec<IdleService> = lines
        .split(|line| line.is_empty())
        .filter_map(|block| {
            let block = block.join("\n");
            let get = |key: &str| shell::value(&block, key).unwrap_or_default();
            let was_refused = get("ConditionResult") == "no" && get("ConditionTimestampMonotonic") != "0";
            let should_run = get("LoadState") == "loaded"
                && STAYING.contains(&get("Type"))
                && get("TriggeredBy").is_empty()
                && !was_refused;
            let unit = clean_line(get("Id"));
            let before = baseline.get(&unit).is_some_and(|health| health.active != "active");
            should_run.then_some(IdleService { unit, before })
        })
        .collect();
    found.sort_by(|left, right| left.unit.cmp(&right.unit));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::units;

    #[test]
    fn errors_that_differ_in_numbers_only_are_one_group_and_old_ones_are_marked() {
        let log = |key: &str, unit: &str, message: &str| {
            format!("{key}={{\"_SYSTEMD_UNIT\":\"{unit}\",\"MESSAGE\":\"{message}\",\"__CURSOR\":\"s=1\"}}\n")
        };
        let text = [
            log("log", "db.service", "connection 17 lost to 10.0.0.7:5432"),
            log("log", "web.service", "disk sda1 is slow"),
            log("log", "web.service", "disk sdb2 is slow"),
            log("log", "web.service", "upstream is gone\\u001b[2J"),
            "log={\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":[104,105,255]}\nlog=no json\n".to_owned(),
            "log_lines=900\n".to_owned(),
            log("earlier", "web.service", "disk sdc9 is slow"),
            log("earlier", "db.service", "another thing"),
        ]
        .concat();
        let after = parse(&text, &Baseline::new());
        let seen: Vec<(&str, &str, u64, bool)> = after
            .errors
            .iter()
            .map(|group| (group.unit.as_str(), group.message.as_str(), group.count, group.before))
            .collect();
        assert_eq!(
            seen,
            [
                ("web.service", "disk sda1 is slow", 2, true),
                ("db.service", "connection 17 lost to 10.0.0.7:5432", 1, false),
                ("web.service", "upstream is gone", 1, false),
                ("kernel", "hi\u{fffd}", 1, false),
            ]
        );
        assert_eq!(after.error_lines, 900);
    }

    #[test]
    fn services_come_the_fullest_first_and_idle_ones_only_when_they_should_run() {
        let idle = |unit: &str, kind: &str, triggered_by: &str, condition: (&str, &str)| {
            format!(
                "idle=Type={kind}\nidle=Id={unit}\nidle=LoadState=loaded\nidle=TriggeredBy={triggered_by}\n\
                 idle=ConditionResult={}\nidle=ConditionTimestampMonotonic={}\nidle=\n",
                condition.0, condition.1
            )
        };
        let text = [
            "service_memory=50 100 a.service\nservice_memory=90 100 b.service\nservice_memory=x\n".to_owned(),
            idle("new.service", "simple", "", ("yes", "9")),
            idle("never.service", "notify", "", ("no", "0")),
            idle("once.service", "oneshot", "", ("yes", "9")),
            idle("refused.service", "simple", "", ("no", "9")),
            idle("waits.service", "exec", "waits.socket", ("yes", "9")),
            "now=1000\ngarbage=400\ngarbage=700\nboot_file=10\nboot_file=30\n".to_owned(),
        ]
        .concat();
        let baseline = units::parse_list("never.service loaded inactive dead N\n");
        let after = parse(&text, &baseline);
        let units: Vec<&str> = after.service_memory.iter().map(|memory| memory.unit.as_str()).collect();
        assert_eq!(units, ["b.service", "a.service"]);
        let idle = |unit: &str, before| IdleService { unit: unit.to_owned(), before };
        assert_eq!(after.not_running, [idle("never.service", true), idle("new.service", false)]);
        assert_eq!((after.garbage_collected, after.boot_needed), (Some(300), Some(40)));
        assert_eq!(parse("", &Baseline::new()), After::default());
    }
}
