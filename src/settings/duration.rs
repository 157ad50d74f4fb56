//! Durations as people write them: `90s`, `10m`, `1h30m`, `500ms`.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::SignedDuration;

/// The duration a text says, when it is within bounds; else why not.
pub(crate) fn parse_duration(text: &str, bounds: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .trim()
        .parse()
        .map_err(|_| format!("{text:?} is no duration; write it like \"60s\", \"10m\" or \"1h30m\""))?;
    match Duration::try_from(parsed) {
        Ok(duration) if bounds.contains(&duration) => Ok(duration),
        _ => Err(format!(
            "{text:?} is out of bounds; from {} to {} are possible",
            written(*bounds.start()),
            written(*bounds.end())
        )),
    }
}

/// A duration in the words that are read: `60s`, `1h 30m`.
pub(crate) fn written(duration: Duration) -> String {
    // Bounded long before the limit of jiff's type, so the default is never used.
    format!("{:#}", SignedDuration::try_from(duration).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7200);

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("60s", 60), ("10m", 600), ("1h30m", 5400), ("1h 30m", 5400), ("2 hours", 7200)]
        {
            assert_eq!(parse_duration(text, &BOUNDS), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("1500ms", &BOUNDS), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn what_is_no_duration_or_out_of_bounds_says_so() {
        for text in ["", "60", "soon", "1x", "10 m m", "\u{7}"] {
            assert!(parse_duration(text, &BOUNDS).unwrap_err().contains("is no duration"), "{text:?}");
        }
        for text in ["0s", "-5s", "3h", "9999999999999h"] {
            assert!(parse_duration(text, &BOUNDS).is_err(), "{text:?}");
        }
        assert_eq!(
            parse_duration("3h", &BOUNDS).unwrap_err(),
            "\"3h\" is out of bounds; from 1s to 2h are possible"
        );
    }
}
