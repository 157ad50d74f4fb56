//! Questions to a host that has just been changed: health of all units, and the
//! last words of units that are not well.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::error::HostError;
use super::link::Link;
use super::session::{Privilege, Session};
use super::shell::{self, Script};
use super::{measure, units};
use crate::model::text::{clean, clean_line};
use crate::model::{Baseline, CpuTimes, StorePath};

const HEALTH: &str =
    concat!(include_str!("../../templates/hold-lib.sh"), include_str!("../../templates/health.sh"));
const EVIDENCE: &str = include_str!("../../templates/evidence.sh");
const USER_UNITS: &str = include_str!("../../templates/user-units.sh");

/// One look at the units of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// The numeric id the script ran with: 0 proves the elevation.
    pub(crate) uid: Option<u32>,
    /// `/run/current-system`, resolved.
    pub(crate) current_system: Option<StorePath>,
    /// The kernel's id of this boot.
    pub(crate) boot_id: String,
    /// Processor time since boot.
    pub(crate) cpu_times: Option<CpuTimes>,
    /// Health of all units.
    pub(crate) units: Baseline,
    /// Those that were asked for by name and are idle by nature.
    pub(crate) may_be_idle: BTreeSet<String>,
    /// The names under which `units` has those that were asked for by another.
    pub(crate) aliases: BTreeMap<String, String>,
    /// How long those that were asked for took to start, in milliseconds.
    pub(crate) start_times: BTreeMap<String, u64>,
    /// Services whose last reload failed, and how, of those whose results were asked for.
    pub(crate) failed_reloads: BTreeMap<String, String>,
    /// Unit files the old system has and the new one lacks, when asked.
    pub(crate) removed: BTreeSet<String>,
    /// Unit files of the new system, when asked.
    pub(crate) unit_files: BTreeSet<String>,
    /// Those of them that switch a unit off.
    pub(crate) masked: BTreeSet<String>,
    /// Units that others of the new system want or require, when asked.
    pub(crate) wanted: BTreeSet<String>,
}

/// What a look needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) old: Option<&'a StorePath>,
    pub(crate) new: &'a StorePath,
    /// Units to load even if nothing refers to them.
    pub(crate) extra_units: &'a [String],
    /// The units whose restarts are counted; `None` counts those of every service that
    /// runs, which takes most of the time of a look.
    pub(crate) counted: Option<&'a [String]>,
    /// Units whose start is timed, beside those that are loaded.
    pub(crate) timed: &'a [String],
    /// Whether unit files are listed too.
    pub(crate) files: bool,
    /// The run whose supervisor is asked to wait for the word so long from now on.
    pub(crate) hold: Option<(&'a str, Duration)>,
}

/// Looks at all units, as root.
pub(crate) async fn sample(
    link: &Link,
    session: &Session,
    look: Look<'_>,
    deadline: Duration,
) -> Result<Sample, HostError> {
    let script = Script::new(HEALTH)
        .set("OLD", look.old.map_or("", StorePath::as_str))
        .set("NEW", look.new.as_str())
        .set("FILES", if look.files { "1" } else { "0" })
        .set("EXTRA_UNITS", look.extra_units.join(" "))
        .set("COUNT_UNITS", look.counted.map_or_else(|| "all".to_owned(), |units| units.join(" ")))
        .set("TIMED_UNITS", look.timed.join(" "))
        .set("RUN", look.hold.map_or("", |(run, _)| run))
        .set("HOLD", look.hold.map_or_else(String::new, |(_, time)| time.as_secs().to_string()));
    let text = link.run_on(session, &script, Privilege::Root, deadline).await?;
    let sample = parse_sample(&text, look.extra_units);
    if sample.units.is_empty() {
        // Nobody could say that a host without units is well.
        let detail = "it names no units".to_owned();
        return Err(HostError::Answer { address: link.destination(), detail });
    }
    Ok(sample)
}

fn parse_sample(text: &str, extra_units: &[String]) -> Sample {
    let all = |key: &str| -> BTreeSet<String> {
        shell::pairs(text).filter(|(found, _)| *found == key).map(|(_, value)| value.to_owned()).collect()
    };
    let unit_files = all("new_file");
    let is_unit = |file: &&String| {
        [".service", ".socket", ".timer", ".path", ".mount", ".swap"]
            .iter()
            .any(|ending| file.ends_with(ending))
    };
    let removed = all("old_file").difference(&unit_files).filter(is_unit).cloned().collect();
    let lines_of = |prefix: &str| -> String {
        text.lines().filter_map(|line| line.strip_prefix(prefix)).flat_map(|line| [line, "\n"]).collect()
    };
    let mut units = units::parse_list(&lines_of("listed="));
    let shown = lines_of("unit=");
    units.extend(units::parse(&shown));
    let ids = shell::pairs(text).filter(|(key, _)| *key == "extra").map(|(_, id)| id.to_owned());
    let aliases = extra_units.iter().cloned().zip(ids).filter(|(unit, id)| unit != id).collect();
    Sample {
        aliases,
        uid: shell::value(text, "uid").and_then(|uid| uid.parse().ok()),
        current_system: shell::value(text, "current_system").and_then(|path| StorePath::new(path).ok()),
        boot_id: shell::value(text, "boot_id").unwrap_or_default().to_owned(),
        cpu_times: measure::cpu_times(text),
        units,
        may_be_idle: units::idle_by_nature(&shown),
        start_times: units::start_times(&shown),
        failed_reloads: units::failed_reloads(&shown),
        removed,
        unit_files,
        masked: all("new_masked"),
        wanted: all("new_wanted"),
    }
}

/// The last journal lines of units since a moment, below a line with the name.
pub(crate) async fn evidence(
    link: &Link,
    session: &Session,
    units: &[String],
    since: &str,
    deadline: Duration,
) -> Result<Vec<String>, HostError> {
    let script =
        Script::new(EVIDENCE).set("UNITS", units.join(" ")).set("SINCE", since).set("LINES_EACH", "12");
    let text = link.run_on(session, &script, Privilege::Root, deadline).await?;
    Ok(values(&text, "line"))
}

/// Failed units of users whose service manager runs, by user.
pub(crate) async fn failed_user_units(
    link: &Link,
    session: &Session,
    deadline: Duration,
) -> Result<BTreeMap<String, Vec<String>>, HostError> {
    let text = link.run_on(session, &Script::new(USER_UNITS), Privilege::Root, deadline).await?;
    Ok(parse_user_units(&text))
}

fn parse_user_units(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in values(text, "failed") {
        if let Some((user, unit)) = clean_line(&line).split_once(' ') {
            failed.entry(user.to_owned()).or_default().push(unit.to_owned());
        }
    }
    failed
}

fn values(text: &str, key: &str) -> Vec<String> {
    shell::pairs(text)
        .filter(|(found, value)| *found == key && !value.trim().is_empty())
        .map(|(_, value)| clean(value).trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_of_users_are_gathered_by_user() {
        let failed =
            parse_user_units("failed=ada a.service\nfailed=bob c.timer\nfailed=ada b.service\nfailed=eve\n");
        assert_eq!(
            failed.into_iter().collect::<Vec<_>>(),
            [
                ("ada".to_owned(), vec!["a.service".to_owned(), "b.service".to_owned()]),
                ("bob".to_owned(), vec!["c.timer".to_owned()]),
            ]
        );
    }

    #[test]
    fn units_that_the_new_system_lacks_are_found() {
        let text = "uid=0\nold_file=a.service\nold_file=b.service\nold_file=a.service.wants\nnew_file=b.service\nnew_file=c.timer\nunit=Id=b.service\nunit=ActiveState=active\nextra=b.service\nextra=c.service\n";
        let sample = parse_sample(text, &["b.service".to_owned(), "alias.service".to_owned()]);
        assert_eq!(sample.uid, Some(0));
        assert_eq!(sample.aliases, BTreeMap::from([("alias.service".to_owned(), "c.service".to_owned())]));
        assert_eq!(sample.removed, BTreeSet::from(["a.service".to_owned()]));
        assert_eq!(sample.units["b.service"].active, "active");
    }
}
