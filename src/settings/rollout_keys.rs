//! `[rollout]`: how a run spreads over its hosts.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;

use super::hosts_toml::MOST_PARALLEL;
use super::reader::TableReader;
use super::source::Problem;
use crate::model::{Canary, Rollout, Share, Strategy};

const STRATEGY: [(&str, Strategy); 3] =
    [("parallel", Strategy::Parallel), ("rolling", Strategy::Rolling), ("canary", Strategy::Canary)];
/// How long a wave may be watched.
const SOAK: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 3600);

/// Reads the section.
pub(crate) fn read(mut reader: TableReader<'_, '_>) -> Rollout {
    let default = Rollout::default();
    let count = |number: Option<i64>, default: usize| {
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
    };
    let strategy = reader.choice("strategy", &STRATEGY);
    let max_parallel = reader.integer("max_parallel", 1..=MOST_PARALLEL);
    let order = reader.list("order", selector).unwrap_or_default();
    let canary = canary(&mut reader);
    let wave_size = share(&mut reader, "wave_size");
    let soak = reader.duration("soak", SOAK);
    let max_failures = share(&mut reader, "max_failures");
    let rollback_fleet = reader.boolean("rollback_fleet");
    let reboot_parallel = reader.integer("reboot_parallel", 1..=MOST_PARALLEL);
    reader.finish();
    Rollout {
        strategy: strategy.unwrap_or(default.strategy),
        max_parallel: count(max_parallel, default.max_parallel),
        order: order.into_iter().map(Spanned::into_inner).collect(),
        canary: canary.unwrap_or(default.canary),
        wave_size,
        soak: soak.unwrap_or(default.soak),
        max_failures,
        rollback_fleet: rollback_fleet.unwrap_or(default.rollback_fleet),
        reboot_parallel: count(reboot_parallel, default.reboot_parallel),
    }
}

/// A number, or a text like `"10%"`.
fn share(reader: &mut TableReader<'_, '_>, key: &'static str) -> Option<Share> {
    let value = reader.value(key)?;
    let text = match value.as_ref() {
        value if value.as_str().is_some() => value.as_str().unwrap_or_default().to_owned(),
        value => value.as_integer().map(|number| number.to_string()).unwrap_or_default(),
    };
    match Share::parse(&text) {
        Ok(share) => Some(share),
        Err(_) if text.is_empty() => {
            reader.report_value(key, format!("`{key}` is a number like 2 or a share like \"10%\""));
            None
        }
        Err(reason) => {
            reader.report(Problem::at(value.span(), format!("`{key}`: {reason}")));
            None
        }
    }
}

/// A number, a share, or a list of hosts.
fn canary(reader: &mut TableReader<'_, '_>) -> Option<Canary> {
    let is_list = reader.value("canary")?.as_ref().as_array().is_some();
    if !is_list {
        return share(reader, "canary").map(Canary::Share);
    }
    let words = reader.list("canary", selector)?;
    if words.is_empty() {
        reader.report_value("canary", "`canary` names no host");
        return None;
    }
    Some(Canary::Hosts(words.into_iter().map(Spanned::into_inner).collect()))
}

/// A name, a glob or a `@tag`.
fn selector(text: &str) -> Result<String, String> {
    match text.trim() {
        "" | "@" => Err("a host, a glob or @tag cannot be empty".to_owned()),
        word => Ok(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::hosts_toml::HostsToml;
    use crate::settings::source::Source;
    use crate::settings::values::Anchors;

    fn parse(rollout: &str) -> Result<Rollout, Vec<String>> {
        let text = format!("version = 1\n[hosts.a]\n[rollout]\n{rollout}\n");
        let source = Source::new("h", &text);
        let parsed = HostsToml::parse(&source, Anchors { directory: Path::new("/"), home: None });
        parsed
            .map(|file| file.rollout)
            .map_err(|problems| problems.iter().map(|problem| source.explain(problem, "h").message).collect())
    }

    #[test]
    fn every_key_arrives() {
        let rollout = parse(
            "strategy = \"canary\"\nmax_parallel = 3\norder = [\"@canary\", \"web-*\"]\ncanary = [\"@canary\"]\n\
             wave_size = \"25%\"\nsoak = \"10m\"\nmax_failures = 2\nrollback_fleet = true\nreboot_parallel = 4",
        );
        let expected = Rollout {
            strategy: Strategy::Canary,
            max_parallel: 3,
            order: vec!["@canary".to_owned(), "web-*".to_owned()],
            canary: Canary::Hosts(vec!["@canary".to_owned()]),
            wave_size: Some(Share::Percent(25)),
            soak: Duration::from_secs(600),
            max_failures: Some(Share::Count(2)),
            rollback_fleet: true,
            reboot_parallel: 4,
        };
        assert_eq!(rollout, Ok(expected));
        assert_eq!(parse(""), Ok(Rollout::default()));
        assert_eq!(parse("canary = 2").unwrap().canary, Canary::Share(Share::Count(2)));
    }

    #[test]
    fn what_is_wrong_says_so_at_its_place() {
        let rows = [
            ("wave_size = 0", "h:4:13: `wave_size`: 0 is no number of hosts; the least is 1"),
            (
                "max_failures = \"200%\"",
                "h:4:16: `max_failures`: \"200%\" is out of bounds; from 1% to 100% are possible",
            ),
            ("wave_size = true", "h:4:13: `wave_size` is a number like 2 or a share like \"10%\""),
            ("canary = []", "h:4:10: `canary` names no host"),
            ("order = [\"\"]", "h:4:10: `order`: a host, a glob or @tag cannot be empty"),
        ];
        for (text, message) in rows {
            assert_eq!(parse(text).unwrap_err(), [message], "{text}");
        }
    }
}
