//! The words of issue titles that are no names of packages, or seldom are: those
//! of `vocabulary`, and those that the titles themselves show to be common.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::aliases::{alias, is_alias_target};
use super::title::{Place, Title};
use super::vocabulary::{CIRCUMSTANCE, FAILURES, GENERIC_HEADS, GROUND, LEAD_IN, ORDINARY, PLACE_WORDS};

/// What kind of word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// Never a package in prose.
    Ordinary,
    /// A package only when it leads the sentence or carries a version.
    Ground,
    /// Nothing is known against it.
    Free,
}

/// Which words of a set of titles are common, fixed lists included.
#[derive(Debug)]
pub(super) struct Words {
    counted: HashSet<String>,
    /// What titles have where templates have a package: names, installed or not.
    named: HashSet<String>,
}

/// Titles with a word before it may count as common: fewer say nothing.
const SEEN_AT_LEAST: u32 = 12;
/// A word is common when less than one title in so many has it in a place
/// that is meant for names.
const IN_NAME_PLACE: u32 = 12;

impl Words {
    /// Counts the words of all titles. A word that many of them have, and
    /// hardly any as a name, is common.
    pub(super) fn count<'a>(titles: impl IntoIterator<Item = &'a Title>) -> Self {
        let mut seen: HashMap<&str, (u32, u32)> = HashMap::new();
        let mut named_words: HashSet<&str> = HashSet::new();
        for title in titles {
            let heads = title.head.iter().filter(|item| item.len() == 1);
            named_words.extend(heads.map(|item| title.words[item.start].text.as_str()));
            for (index, word) in title.words.iter().enumerate() {
                let (all, named) = seen.entry(&word.text).or_default();
                *all += 1;
                if word.place != Place::Prose || word.backticks || index == 0 {
                    *named += 1;
                }
            }
        }
        let counted = seen
            .into_iter()
            .filter(|(_, (all, named))| *all >= SEEN_AT_LEAST && named * IN_NAME_PLACE < *all)
            .map(|(word, _)| word.to_owned())
            .collect();
        let named = named_words.into_iter().filter(|word| !is_ordinary(word)).map(str::to_owned).collect();
        Self { counted, named }
    }

    /// Whether a word is the name of a package, installed or not: some title
    /// has it where names stand, or it is a name that people use.
    pub(super) fn is_name(&self, word: &str) -> bool {
        self.named.contains(word) || alias(word).is_some() || is_alias_target(word)
    }

    /// What kind of word it is.
    pub(super) fn usage(&self, word: &str) -> Usage {
        if is_ground(word) {
            Usage::Ground
        } else if is_ordinary(word) {
            Usage::Ordinary
        } else if self.counted.contains(word) {
            Usage::Ground
        } else {
            Usage::Free
        }
    }
}

/// Whether a word is one of prose, whatever is counted.
pub(super) fn is_ordinary(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ORDINARY.split_whitespace().collect());
    WORDS.contains(word)
}

/// Whether a word names the ground that others stand on.
fn is_ground(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| GROUND.iter().copied().collect());
    WORDS.contains(word)
}

/// Whether a head says nothing about what is meant.
pub(super) fn is_generic_head(head: &str) -> bool {
    static HEADS: LazyLock<HashSet<&str>> = LazyLock::new(|| GENERIC_HEADS.iter().copied().collect());
    HEADS.contains(head) || head.starts_with("cve-")
}

/// Whether a word begins the circumstances of what happens.
pub(super) fn is_circumstance(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| CIRCUMSTANCE.iter().copied().collect());
    WORDS.contains(word)
}

/// Whether a word begins the place where it happens.
pub(super) fn is_place_word(word: &str) -> bool {
    PLACE_WORDS.contains(&word)
}

/// Whether a word says what is wrong.
pub(super) fn is_failure(word: &str) -> bool {
    // By first letter: this is asked of every word, several times.
    static BY_LETTER: LazyLock<HashMap<u8, Vec<&str>>> = LazyLock::new(|| {
        let mut by_letter: HashMap<u8, Vec<&str>> = HashMap::new();
        for failure in FAILURES {
            by_letter.entry(failure.as_bytes()[0]).or_default().push(failure);
        }
        by_letter
    });
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'\''));
    let failures = word.as_bytes().first().and_then(|letter| BY_LETTER.get(letter));
    // Short words are whole words, longer ones the beginnings of words.
    let says = |failure: &&str| if failure.len() < 4 { word == *failure } else { word.starts_with(failure) };
    is_word && failures.is_some_and(|failures| failures.iter().any(says))
}

/// Whether a word may stand before the subject.
pub(super) fn is_lead_in(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| LEAD_IN.iter().copied().collect());
    WORDS.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_prose_are_no_packages() {
        let words = Words::count(&[]);
        for word in [
            "time", "file", "which", "test", "patch", "date", "at", "with", "system", "update", "url", "symbol",
        ] {
            assert_eq!(words.usage(word), Usage::Ordinary, "{word}");
        }
        for word in ["python", "git", "go", "nix"] {
            assert_eq!(words.usage(word), Usage::Ground, "{word}");
        }
        for word in ["firefox", "systemd", "kwin", "hivex"] {
            assert_eq!(words.usage(word), Usage::Free, "{word}");
        }
    }

    #[test]
    fn a_word_that_many_titles_have_and_none_as_a_name_is_common() {
        let prose = (0..20).map(|number| format!("Something {number} fails with frobnicator today"));
        let named = (0..20).map(|number| format!("firefox: tab {number} crashes"));
        let titles: Vec<Title> = prose.chain(named).map(|text| Title::parse(&text)).collect();
        let words = Words::count(&titles);
        assert_eq!(words.usage("frobnicator"), Usage::Ground);
        assert_eq!(words.usage("firefox"), Usage::Free);
    }

    #[test]
    fn hang_is_a_failure_and_inside_of_changed_it_is_not() {
        assert!(is_failure("hangs") && is_failure("crashing") && is_failure("not"));
        assert!(!is_failure("changed") && !is_failure("note") && !is_failure("firefox"));
    }
}
