//! Which limits of `[resources]` a host is beyond. Pure: says it in words, and
//! leaves what to do about it to the steps.

use std::time::Duration;

use crate::model::text::{bytes, plural};
use crate::model::{Bound, ErrorGroup, Limit, Limits, Metric, Observed, Watched};

/// Groups of errors that are named.
const NAMED: usize = 3;

/// A limit that the host is beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beyond {
    /// Which.
    pub(super) watched: Watched,
    /// How, in words.
    pub(super) message: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
    /// Whether it was so before the deploy.
    pub(super) before: bool,
}

/// The limits beyond which the host is, by the bound that `pick` takes.
pub(super) fn beyond(
    limits: &Limits,
    observed: &Observed,
    pick: impl Fn(&Limit) -> Option<Bound>,
) -> Vec<Beyond> {
    let mut found = Vec::new();
    for (watched, limit) in &limits.0 {
        let Some(bound) = pick(limit) else { continue };
        match watched {
            Watched::ServiceMemory => services(observed, bound, &mut found),
            Watched::JournalErrors => errors(observed, bound, &mut found),
            Watched::NotRunning => not_running(observed, bound, &mut found),
            Watched::GarbageAge => garbage(observed, bound, &mut found),
            _ => metric(*watched, observed, bound, &mut found),
        }
    }
    found
}

fn metric(watched: Watched, observed: &Observed, bound: Bound, found: &mut Vec<Beyond>) {
    let Some(resource) = watched.metric().and_then(|metric| observed.resource(metric)) else { return };
    let whole = resource.metric.whole().and_then(|whole| observed.after(whole));
    let (Some(after), Some(bound)) = (resource.after, bound.of(whole)) else { return };
    let is_beyond = |value: f64| if watched.is_least() { value < bound } else { value > bound };
    if !is_beyond(after) {
        return;
    }
    let size = |value: f64| bytes(value as u64);
    let of_whole = whole.map_or_else(String::new, |whole| format!(" of {}", size(whole)));
    let garbage = || Some("nix-collect-garbage --delete-older-than 14d".to_owned());
    let (message, hint) = match watched {
        Watched::MemoryAvailable => (format!("only {}{of_whole} memory are available", size(after)), None),
        Watched::StoreFree => (format!("only {} are free in /nix/store", size(after)), garbage()),
        Watched::StoreInodesFree => (format!("only {after} inodes are free in /nix/store"), garbage()),
        Watched::BootFree => (format!("only {} are free in /boot", size(after)), boot_hint()),
        Watched::Cpu => {
            (format!("the processors are busy {after:.0} % of the time, more than {bound} %"), None)
        }
        Watched::Generations => {
            (format!("{after} generations of the system are kept, more than {bound}"), garbage())
        }
        _ => (format!("the load is {after:.2}, more than {bound}"), None),
    };
    found.push(Beyond { watched, message, hint, before: resource.before.is_some_and(is_beyond) });
}

/// What makes room on /boot.
pub(super) fn boot_hint() -> Option<String> {
    Some("keep fewer generations on it: boot.loader.systemd-boot.configurationLimit or boot.loader.grub.configurationLimit".to_owned())
}

fn services(observed: &Observed, bound: Bound, found: &mut Vec<Beyond>) {
    let Some(bound) = bound.of(None) else { return };
    for service in observed.service_memory.iter().filter(|service| service.percent() > bound) {
        let (used, max, percent) = (bytes(service.used), bytes(service.max), service.percent());
        found.push(Beyond {
            watched: Watched::ServiceMemory,
            message: format!("{} uses {used} of its {max} memory (MemoryMax), {percent:.0} %", service.unit),
            hint: Some(format!(
                "at all of it the kernel kills it; on the host: systemctl status {}",
                service.unit
            )),
            before: service.before.is_some_and(|before| service.percent_of(before) > bound),
        });
    }
}

/// Lines of groups that were not there before. What no group counts is new where anything is.
pub(super) fn new_error_lines(observed: &Observed) -> u64 {
    let old: u64 = observed.errors.iter().filter(|group| group.before).map(|group| group.count).sum();
    match observed.errors.iter().all(|group| group.before) {
        true => 0,
        false => observed.error_lines.saturating_sub(old),
    }
}

/// A group in words: `web.service: disk is slow (9 times)`.
pub(super) fn group_in_words(group: &ErrorGroup) -> String {
    let times = if group.count > 1 { format!(" ({} times)", group.count) } else { String::new() };
    format!("{}: {}{times}", group.unit, group.message)
}

fn errors(observed: &Observed, bound: Bound, found: &mut Vec<Beyond>) {
    let new = new_error_lines(observed);
    if bound.of(None).is_none_or(|bound| new as f64 <= bound) {
        return;
    }
    let groups: Vec<&ErrorGroup> = observed.errors.iter().filter(|group| !group.before).collect();
    let mut named: Vec<String> = groups.iter().take(NAMED).map(|group| group_in_words(group)).collect();
    if groups.len() > NAMED {
        named.push(format!("{} more kinds", groups.len() - NAMED));
    }
    let count = plural(usize::try_from(new).unwrap_or(usize::MAX), "new journal line");
    found.push(Beyond {
        watched: Watched::JournalErrors,
        message: format!("{count} at error level since the activation; {}", named.join("; ")),
        hint: None,
        before: false,
    });
}

fn not_running(observed: &Observed, bound: Bound, found: &mut Vec<Beyond>) {
    let new: Vec<&str> =
        observed.not_running.iter().filter(|idle| !idle.before).map(|idle| idle.unit.as_str()).collect();
    if bound.of(None).is_none_or(|bound| new.len() as f64 <= bound) {
        return;
    }
    let (does, it) = if new.len() == 1 { ("does", "it") } else { ("do", "they") };
    found.push(Beyond {
        watched: Watched::NotRunning,
        message: format!(
            "{} {does} not run, although {it} should by the target that wants {}",
            new.join(", "),
            if new.len() == 1 { "it" } else { "them" }
        ),
        hint: Some(format!("on the host: systemctl status {}", new.join(" "))),
        before: false,
    });
}

fn garbage(observed: &Observed, bound: Bound, found: &mut Vec<Beyond>) {
    let (Some(age), Some(bound)) = (observed.garbage_collected, bound.of(None)) else { return };
    if age as f64 > bound {
        found.push(Beyond {
            watched: Watched::GarbageAge,
            message: format!("garbage was collected {} ago", age_in_words(age)),
            hint: Some("nix.gc.automatic = true; collects it by itself".to_owned()),
            before: true,
        });
    }
}

/// `5 days`, or a duration below two days.
pub(super) fn age_in_words(seconds: u64) -> String {
    match seconds / 86_400 {
        0 | 1 => crate::model::text::duration(Duration::from_secs(seconds)),
        days => format!("{days} days"),
    }
}

/// Whether the next generation's kernel and initrd have no room on /boot; how, in words.
pub(super) fn boot_is_short(observed: &Observed) -> Option<String> {
    let (needed, free) = (observed.boot_needed?, observed.after(Metric::BootFree)?);
    ((free as u64) < needed).then(|| {
        format!(
            "/boot has {} free; a kernel and initrd as large as these take {}",
            bytes(free as u64),
            bytes(needed)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IdleService, Resource, ServiceMemory};

    fn observed() -> Observed {
        let resource = |metric, before, after| Resource { metric, before, after, usual: None };
        let group = |unit: &str, count, before| ErrorGroup {
            unit: unit.to_owned(),
            message: "disk is slow".to_owned(),
            count,
            before,
        };
        Observed {
            resources: vec![
                resource(Metric::MemoryAvailable, Some(400e6), Some(30e6)),
                resource(Metric::MemoryTotal, None, Some(1000e6)),
                resource(Metric::Load, Some(9.5), Some(9.2)),
                resource(Metric::Generations, Some(20.0), Some(21.0)),
                resource(Metric::BootFree, None, Some(20e6)),
            ],
            service_memory: vec![ServiceMemory {
                unit: "db.service".to_owned(),
                used: 90,
                max: 100,
                before: Some(70),
            }],
            errors: vec![group("web.service", 9, false), group("db.service", 4, true)],
            error_lines: 40,
            not_running: vec![
                IdleService { unit: "a.service".to_owned(), before: false },
                IdleService { unit: "b.service".to_owned(), before: true },
            ],
            garbage_collected: Some(9 * 86_400),
            boot_needed: Some(30_000_000),
            default_route: None,
        }
    }

    fn messages(limits: &Limits) -> Vec<(String, bool)> {
        let found = beyond(limits, &observed(), |limit| limit.warn);
        found.into_iter().map(|beyond| (beyond.message, beyond.before)).collect()
    }

    #[test]
    fn the_usual_limits_warn_of_what_deserves_a_look() {
        let expected = [
            ("only 28.6 MiB of 954 MiB memory are available", false),
            ("db.service uses 90 B of its 100 B memory (MemoryMax), 90 %", false),
            (
                "36 new journal lines at error level since the activation; web.service: disk is slow (9 times)",
                false,
            ),
            ("a.service does not run, although it should by the target that wants it", false),
        ];
        let expected: Vec<(String, bool)> =
            expected.into_iter().map(|(message, before)| (message.to_owned(), before)).collect();
        assert_eq!(messages(&Limits::default()), expected);
        assert!(beyond(&Limits::default(), &observed(), |limit| limit.fail).is_empty());
    }

    #[test]
    fn what_was_beyond_before_the_deploy_is_said_to_be() {
        let bound = |value: u64| Limit { warn: Some(Bound::Thousandths(value * 1000)), fail: None };
        let limits = Limits(
            [
                (Watched::Load, bound(8)),
                (Watched::Generations, bound(20)),
                (Watched::GarbageAge, bound(86_400)),
            ]
            .into(),
        );
        assert_eq!(
            messages(&limits),
            [
                ("the load is 9.20, more than 8".to_owned(), true),
                ("garbage was collected 9 days ago".to_owned(), true),
                ("21 generations of the system are kept, more than 20".to_owned(), false),
            ]
        );
    }

    #[test]
    fn a_host_within_its_limits_has_nothing_said_about_it() {
        let quiet = Observed {
            errors: vec![ErrorGroup { unit: String::new(), message: String::new(), count: 3, before: true }],
            error_lines: 3,
            ..Observed::default()
        };
        assert!(beyond(&Limits::default(), &quiet, |limit| limit.warn).is_empty());
        assert_eq!(boot_is_short(&quiet), None);
        assert!(boot_is_short(&observed()).unwrap().contains("19.1 MiB free"));
    }
}
