//! Foreign text made fit for a screen, and numbers written for people.

use std::time::Duration;

/// Removes control characters (a terminal could obey them) and escape
/// sequences; tabs become spaces, line ends stay.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => cleaned.push(' '),
            '\n' => cleaned.push('\n'),
            // Bidirectional overrides can make a line read as another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            other if other.is_control() => {}
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// Leaves out one escape sequence: CSI up to its final byte, OSC up to BEL or
/// ST, otherwise one character (ECMA-48).
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => while characters.next().is_some_and(|next| !('\u{40}'..='\u{7e}').contains(&next)) {},
        Some(']') => {
            while let Some(next) = characters.next() {
                if next == '\u{7}' || (next == '\u{1b}' && characters.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// One line of [`clean`] text: line ends become spaces.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ").trim().to_owned()
}

/// `1 unit`, `2 units`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A duration as people say it: `0.3 s`, `45 s`, `2m 45s`, `1h 02m`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if whole < 60 {
        format!("{seconds:.0} s")
    } else if whole < 3600 {
        format!("{}m {:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h {:02}m", whole / 3600, whole % 3600 / 60)
    }
}

/// A number of bytes with a binary unit: `512 B`, `12.4 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 99.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// A difference in bytes with its sign: `+12.4 MiB`, `-3.0 KiB`, `±0 B`.
pub(crate) fn signed_bytes(difference: i64) -> String {
    match difference {
        0 => "±0 B".to_owned(),
        more if more > 0 => format!("+{}", bytes(more.unsigned_abs())),
        less => format!("-{}", bytes(less.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_escapes_never_reach_a_screen() {
        assert_eq!(clean("a\u{1b}[31mred\u{1b}[0m\u{7}b"), "aredb");
        assert_eq!(clean("\u{1b}]0;title\u{7}x\u{1b}]8;;u\u{1b}\\y"), "xy");
        assert_eq!(clean("user\u{202e}gpj"), "usergpj");
        assert_eq!(clean("cut\u{1b}"), "cut");
        assert_eq!(clean_line("a\nb\r\n"), "a b");
    }

    #[test]
    fn numbers_read_as_people_say_them() {
        assert_eq!(duration(Duration::from_millis(340)), "0.3 s");
        assert_eq!(duration(Duration::from_millis(59_600)), "60 s");
        assert_eq!(duration(Duration::from_secs(165)), "2m 45s");
        assert_eq!(duration(Duration::from_secs(3720)), "1h 02m");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(13_002_342), "12.4 MiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(signed_bytes(-3072), "-3.0 KiB");
        assert_eq!(plural(1, "unit"), "1 unit");
        assert_eq!(plural(0, "unit"), "0 units");
    }
}
