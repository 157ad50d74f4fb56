//! The part that a word plays in the sentence of a title: what it is about,
//! where it happens, under which circumstances.
//!
//! No grammar: a few words of English that real titles are made of.

use super::title::{Title, Word};
use super::words::{self, Usage, Words};

/// What part a candidate plays in the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Subject,
    /// Where it happens.
    Place,
    Circumstance,
}

/// How far a sentence has been read.
pub(super) struct Sentence {
    pub(super) role: Role,
    /// How many words that count have been read.
    pub(super) led: usize,
    /// Whether its subject has been found.
    pub(super) subject: bool,
    /// Whether its subject is not installed.
    pub(super) foreign: bool,
    /// Whether it has said what is wrong with the subject: what follows is
    /// what the subject fails at.
    pub(super) failed: bool,
}

impl Sentence {
    /// Notes a word that names nothing that is installed: right before a word
    /// of failure it is the subject.
    pub(super) fn unknown(&mut self, title: &Title, index: usize, words: &Words) {
        let word = &title.words[index];
        let is_name = words.usage(&word.text) == Usage::Free
            && word.text.starts_with(|first: char| first.is_ascii_alphabetic())
            && !words::is_failure(&word.raw)
            && !words::is_generic_head(&word.text)
            && !words::is_circumstance(&word.raw)
            && !words::is_place_word(&word.raw)
            && word.text.len() > 2;
        let leads = self.led < 2 && words.is_name(&word.text);
        if is_name
            && self.role == Role::Subject
            && !self.subject
            && (leads || (self.led < 3 && fails_after(title, index + 1)))
        {
            self.foreign = true;
        }
    }

    /// Behind a colon stands what was printed; behind a first clause of
    /// circumstances comes the subject.
    pub(super) fn clause_ends(&mut self, last: &Word) {
        if !last.ends_clause {
            return;
        }
        if !(self.subject || self.foreign) {
            self.role = Role::Subject;
        } else if self.failed || last.ends_head {
            self.role = Role::Circumstance;
        }
    }
}

/// Named as the ground something runs on, unless they are its subject.
pub(super) const ENVIRONMENTS: &[&str] =
    &["wayland", "xwayland", "x11", "nvidia", "docker", "podman", "steam", "gtk", "qt"];

pub(super) fn previous(title: &Title, index: usize) -> Option<&Word> {
    index.checked_sub(1).and_then(|index| title.words.get(index))
}

/// Whether the neighbours of a name make it the cause: `after X update`,
/// `since X`, `broken by X`.
pub(super) fn is_culprit(before: Option<&Word>, after: Option<&Word>, earlier: Option<&Word>) -> bool {
    let before = before.map_or("", |word| word.raw.as_str());
    let earlier = earlier.map_or("", |word| word.raw.as_str());
    let after = after.map_or("", |word| word.raw.as_str());
    ["update", "updates", "upgrade", "upgrades", "bump"].contains(&after)
        || ["updating", "upgrading", "since", "due"].contains(&before)
        || (before == "to"
            && ["due", "update", "updating", "upgrade", "upgrading", "switching"].contains(&earlier))
        || (before == "by" && ["broken", "caused"].contains(&earlier))
        || (before == "of" && earlier == "because")
}

/// `systemd service`, `wayland session`: the name only describes.
pub(super) fn is_adjective(word: &Word, after: Option<&Word>) -> bool {
    const DESCRIBED: [&str; 12] = [
        "service", "services", "unit", "units", "user", "timer", "socket", "session", "sessions", "backend",
        "plugin", "support",
    ];
    let described = after.is_some_and(|after| DESCRIBED.contains(&after.raw.as_str()));
    described && (word.text == "systemd" || ENVIRONMENTS.contains(&word.text.as_str()))
}

/// Whether one of the next words, other nouns and versions between, says what
/// is wrong.
pub(super) fn fails_after(title: &Title, index: usize) -> bool {
    let next = title.words.iter().skip(index).take(4);
    for word in next {
        if words::is_failure(&word.raw) {
            return true;
        }
        let goes_on =
            !words::is_circumstance(&word.raw) && !words::is_place_word(&word.raw) && !word.ends_clause;
        if !goes_on {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, name: &str) -> (Title, usize) {
        let title = Title::parse(text);
        let index = title.words.iter().position(|word| word.text == name).unwrap();
        (title, index)
    }

    #[test]
    fn a_cause_is_told_from_a_circumstance() {
        let culprit = |text: &str, name: &str| {
            let (title, index) = at(text, name);
            let earlier = index.checked_sub(1).and_then(|index| previous(&title, index));
            is_culprit(previous(&title, index), title.words.get(index + 1), earlier)
        };
        for text in [
            "hangs after mesa update",
            "broken since mesa",
            "crash due to mesa",
            "fails after upgrading mesa",
            "broken by mesa",
        ] {
            assert!(culprit(text, "mesa"), "{text}");
        }
        for text in ["crashes with mesa", "mesa crashes", "hangs on mesa"] {
            assert!(!culprit(text, "mesa"), "{text}");
        }
    }

    #[test]
    fn what_fails_is_said_within_the_clause() {
        let fails = |text: &str, name: &str| {
            let (title, index) = at(text, name);
            fails_after(&title, index + 1)
        };
        assert!(fails("frobnicator 1.2 crashes", "frobnicator"));
        assert!(!fails("frobnicator with crashes", "frobnicator"));
        assert!(fails("frobnicator daemon hangs", "frobnicator"));
        assert!(!fails("frobnicator daemon, which hangs", "frobnicator"));
    }
}
