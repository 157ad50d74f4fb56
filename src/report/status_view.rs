//! How hosts stand, as a person reads it: a line per host, and below it why it is
//! not well.

use jiff::Timestamp;

use super::Output;
use super::grid::grid;
use super::layout::{Line, Page};
use super::styles::Role;
use crate::model::text::bytes;
use crate::model::{HostStatus, Standing};

/// The status of hosts, for standard output.
pub(crate) fn status(hosts: &[HostStatus], output: Output) -> String {
    let (_, page) = output.data();
    page.render_all(&lines(hosts, page, Timestamp::now()))
}

fn lines(hosts: &[HostStatus], page: Page, now: Timestamp) -> Vec<Line> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let heading = ["  HOST", "STATE", "GEN", "AGE", "COMMIT", "FREE", "LOAD", "UP"];
    let rows = hosts.iter().map(|host| row(host, now)).collect();
    let mut lines = Vec::new();
    for (index, line) in grid(&heading, rows, page).into_iter().enumerate() {
        lines.push(line);
        let Some(host) = index.checked_sub(1).and_then(|index| hosts.get(index)) else { continue };
        for complaint in &host.complaints {
            let role = role(complaint.standing);
            lines.extend(page.row("", vec![Line::new().with(role, &complaint.what)]));
            let hint = complaint.hint.iter().map(|hint| Line::new().with(Role::Dim, hint));
            lines.extend(page.row("", hint.collect()));
        }
        if let Some(who) = &host.deployed_by {
            lines.extend(page.row("", vec![Line::plain(&format!("being deployed by {who}"))]));
        }
    }
    lines
}

fn row(host: &HostStatus, now: Timestamp) -> Vec<Line> {
    let role = role(host.standing);
    let sign = match host.standing {
        Standing::Well => "✓ ",
        Standing::Notice => "! ",
        Standing::Degraded | Standing::Unreachable => "✗ ",
    };
    let plain = |text: Option<String>| Line::plain(&text.unwrap_or_else(|| "-".to_owned()));
    let seconds = |since: Timestamp| u64::try_from(now.duration_since(since).as_secs()).unwrap_or_default();
    vec![
        Line::new().with(role, sign).with(Role::Host, host.host.as_str()),
        Line::new().with(role, host.standing.as_str()),
        plain(host.generation.map(|number| number.to_string())),
        plain(host.since.map(|since| age(seconds(since)))),
        plain(host.commit.as_ref().map(|commit| commit.chars().take(7).collect())),
        plain(host.store.map(|room| bytes(room.free))),
        plain(host.load.map(|load| format!("{load:.2}"))),
        plain(host.uptime.map(age)),
    ]
}

fn role(standing: Standing) -> Role {
    match standing {
        Standing::Well => Role::Ok,
        Standing::Notice => Role::Warning,
        Standing::Degraded | Standing::Unreachable => Role::Error,
    }
}

/// An age in its largest unit: `40 s`, `5 min`, `3 h`, `12 d`.
pub(super) fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::layout::page;
    use crate::report::story::{NASTY, host, system, time};

    fn p620() -> HostStatus {
        let mut status = HostStatus::of(host("p620"));
        status.system = Some(system("p620"));
        status.commit = Some("4f2c1aa9d1e0b7c34f2c1aa9d1e0b7c34f2c1aa9".to_owned());
        status.generation = Some(42);
        status.since = Some(time(0));
        status.store = Some(crate::model::Room { free: 44 << 30, size: 100 << 30, free_inodes: None });
        status.load = Some(0.5);
        status.uptime = Some(200_000);
        status
    }

    fn shown(hosts: &[HostStatus], columns: usize) -> String {
        page(columns).render_all(&lines(hosts, page(columns), time(7_200_000)))
    }

    #[test]
    fn a_host_is_a_line_and_its_complaints_stand_below_it() {
        let mut razer = HostStatus::of(host("razer"));
        razer.complain(
            Standing::Unreachable,
            "razer cannot be reached: No route to host",
            Some("is it switched on?".to_owned()),
        );
        let expected = "  HOST   STATE        GEN  AGE  COMMIT   FREE      LOAD  UP\n\
                        ✗ razer  unreachable  -    -    -        -         -     -\n              \
                        razer cannot be reached: No route to host\n              \
                        is it switched on?\n\
                        ✓ p620   well         42   2 h  4f2c1aa  44.0 GiB  0.50  2 d\n";
        assert_eq!(shown(&[razer, p620()], 80), expected);
        assert_eq!(shown(&[], 80), "");
    }

    #[test]
    fn foreign_text_never_drives_the_terminal_and_stays_within_its_width() {
        let mut status = p620();
        status.complain(Standing::Degraded, NASTY.repeat(10), Some(NASTY.repeat(10)));
        status.deployed_by = Some(NASTY.to_owned());
        status.commit = Some(NASTY.to_owned());
        for columns in [40, 80] {
            for line in shown(std::slice::from_ref(&status), columns).lines() {
                assert!(!line.contains(char::is_control), "{line:?}");
                assert!(Line::plain(line).width() <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn ages_are_said_in_their_largest_unit() {
        assert_eq!([age(40), age(300), age(10_800), age(1_000_000)], ["40 s", "5 min", "3 h", "11 d"]);
    }
}
