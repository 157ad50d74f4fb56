//! The order of versions, as Nix defines it (manual, `builtins.compareVersions`;
//! nix/src/libstore/names.cc).

use std::cmp::Ordering;

/// Orders two versions by their parts. Parts are runs of digits or of other
/// characters, split at `.` and `-` and between a digit and a non-digit.
/// Numbers order by value; the empty part before a number is smaller; `pre` is
/// smaller than everything; a number is larger than a word.
pub(crate) fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    while !left.is_empty() || !right.is_empty() {
        let order = compare_parts(next_part(&mut left), next_part(&mut right));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn next_part<'a>(rest: &mut &'a str) -> &'a str {
    *rest = rest.trim_start_matches(['.', '-']);
    let digits = rest.starts_with(|first: char| first.is_ascii_digit());
    let ends = |character: char| {
        if digits {
            !character.is_ascii_digit()
        } else {
            character.is_ascii_digit() || matches!(character, '.' | '-')
        }
    };
    let (part, remaining) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    *rest = remaining;
    part
}

fn compare_parts(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let is_number = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    match (is_number(left), is_number(right)) {
        (true, true) => compare_numbers(left, right),
        (false, true) if left.is_empty() => Ordering::Less,
        (true, false) if right.is_empty() => Ordering::Greater,
        _ if left == "pre" => Ordering::Less,
        _ if right == "pre" => Ordering::Greater,
        (false, true) => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, false) => left.cmp(right),
    }
}

/// By value, of any length: dates and hashes overflow every integer type.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_nix() {
        // The cases of nix' own test (tests/functional/lang, versions).
        let cases = [
            ("1.0", "2.3", Ordering::Less),
            ("2.1", "2.3", Ordering::Less),
            ("2.3", "2.3", Ordering::Equal),
            ("2.5", "2.3", Ordering::Greater),
            ("3.1", "2.3", Ordering::Greater),
            ("2.3.1", "2.3", Ordering::Greater),
            ("2.3.1", "2.3a", Ordering::Greater),
            ("2.3pre1", "2.3", Ordering::Less),
            ("2.3pre3", "2.3pre12", Ordering::Less),
            ("2.3a", "2.3c", Ordering::Less),
            ("2.3pre1", "2.3c", Ordering::Less),
            ("2.3pre1", "2.3q", Ordering::Less),
            ("6.6.9", "6.6.10", Ordering::Less),
            ("unstable-2024-01-01", "unstable-2023-12-31", Ordering::Greater),
            ("20240101000000000000000001", "20240101000000000000000000", Ordering::Greater),
            ("1.01", "1.1", Ordering::Equal),
            ("", "1", Ordering::Less),
        ];
        for (left, right, order) in cases {
            assert_eq!(compare_versions(left, right), order, "{left:?} {right:?}");
            assert_eq!(compare_versions(right, left), order.reverse(), "{right:?} {left:?}");
        }
    }
}
