//! Words of the command line that stand for a value of the model, ages, points
//! in time, and places.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::model::{Action, Mode, Reboot, Strategy};

const MODES: [(Mode, &str); 3] = [
    (Mode::Standard, "every check"),
    (Mode::Fast, "of the checks syntax alone; without the looks at resources, network and logs afterwards"),
    (Mode::Emergency, "only what a safe activation needs; no preview, no question"),
];

const ACTIONS: [(Action, &str); 4] = [
    (Action::Switch, "activate now and at every boot"),
    (Action::Boot, "activate with the next reboot"),
    (Action::Test, "activate now; a reboot returns to the old system"),
    (Action::DryActivate, "only ask the host what would happen"),
];

const STRATEGIES: [(Strategy, &str); 3] = [
    (Strategy::Parallel, "all at once; a host that depends on others after them"),
    (Strategy::Rolling, "one after the other, or in waves of --wave-size"),
    (Strategy::Canary, "a few first (--canary), then the others"),
];

const REBOOTS: [(Reboot, &str); 3] = [
    (Reboot::Never, "no host"),
    (Reboot::IfNeeded, "those that need it to run the new system wholly"),
    (Reboot::Always, "every host that is changed"),
];

/// Reads a strategy.
pub(crate) fn strategy() -> impl TypedValueParser<Value = Strategy> {
    words(STRATEGIES.map(|(strategy, help)| (strategy.as_str(), strategy, help)))
}

/// Reads when hosts are rebooted.
pub(crate) fn reboot() -> impl TypedValueParser<Value = Reboot> {
    words(REBOOTS.map(|(reboot, help)| (reboot.as_str(), reboot, help)))
}

/// Puts the value of `--reboot` behind an equals sign where it stands as a word
/// of its own: a host may follow a bare `--reboot`, so clap takes no other form.
pub(crate) fn join_reboot(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    let mut only_hosts = false;
    for argument in arguments {
        let is_value = REBOOTS.iter().any(|(reboot, _)| argument == reboot.as_str());
        match joined.last_mut() {
            Some(last) if is_value && !only_hosts && last == "--reboot" => {
                last.push("=");
                last.push(argument);
            }
            _ => {
                only_hosts |= argument == "--";
                joined.push(argument);
            }
        }
    }
    joined
}

/// Reads a mode.
pub(crate) fn mode() -> impl TypedValueParser<Value = Mode> {
    words(MODES.map(|(mode, help)| (mode.as_str(), mode, help)))
}

/// Reads an action.
pub(crate) fn action() -> impl TypedValueParser<Value = Action> {
    words(ACTIONS.map(|(action, help)| (action.as_str(), action, help)))
}

fn words<T, const N: usize>(words: [(&'static str, T, &'static str); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Default + Send + Sync + 'static,
{
    let possible = words.map(|(word, _, help)| PossibleValue::new(word).help(help));
    PossibleValuesParser::new(possible).map(move |text| {
        // clap only lets the words above through.
        words.iter().find(|(word, ..)| *word == text).map(|(_, value, _)| *value).unwrap_or_default()
    })
}

/// Reads an age: `90s`, `30m`, `2h`, `7d`, `4w`.
pub(crate) fn age() -> impl TypedValueParser<Value = Duration> {
    parse_age
}

/// Reads an age and gives when that was, or a date, or a moment.
pub(crate) fn since() -> impl TypedValueParser<Value = jiff::Timestamp> {
    |text: &str| parse_since(text, jiff::Timestamp::now())
}

/// Reads the URL of a binary cache.
pub(crate) fn cache() -> impl TypedValueParser<Value = String> {
    |text: &str| match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() && !text.starts_with('-') => {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "{text:?} is no binary cache; write it like \"s3://bucket\", \"ssh://host\" or \"file:///srv/cache\""
        )),
    }
}

fn parse_age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; write it like \"90s\", \"30m\", \"2h\", \"7d\" or \"4w\"");
    let text = text.trim();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - 1].trim().parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(count) * seconds))
}

fn parse_since(text: &str, now: jiff::Timestamp) -> Result<jiff::Timestamp, String> {
    if let Ok(age) = parse_age(text) {
        return now.checked_sub(age).map_err(|_| format!("{text:?} is before the beginning of time"));
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time);
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| {
        format!("{text:?} is neither an age like \"24h\" or \"7d\" nor a date like \"2025-11-21\"")
    })?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_reboot_may_stand_by_itself_and_a_host_behind_it_is_a_host() {
        let joined = |line: &str| {
            let words = join_reboot(line.split_whitespace().map(OsString::from));
            words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(joined("all --reboot always -y"), "all --reboot=always -y");
        assert_eq!(joined("--reboot if-needed never"), "--reboot=if-needed never");
        assert_eq!(joined("--reboot p620"), "--reboot p620");
        assert_eq!(joined("p620 --reboot"), "p620 --reboot");
        assert_eq!(joined("-- --reboot always"), "-- --reboot always");
    }

    #[test]
    fn ages_and_dates_are_read_as_people_write_them() {
        let now: jiff::Timestamp = "2025-11-21T12:00:00Z".parse().unwrap();
        for (text, time) in [
            ("90s", "2025-11-21T11:58:30Z"),
            ("2h", "2025-11-21T10:00:00Z"),
            ("7d", "2025-11-14T12:00:00Z"),
            ("2025-11-20", "2025-11-20T00:00:00Z"),
            ("2025-11-20T06:30:00+02:00", "2025-11-20T04:30:00Z"),
        ] {
            assert_eq!(parse_since(text, now).unwrap().to_string(), time, "{text}");
        }
        for text in ["", "d", "-1d", "1x", "99999999999d", "yesterday", "4294967295w"] {
            assert!(parse_since(text, now).is_err(), "{text}");
        }
    }
}
