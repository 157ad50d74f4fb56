//! The versions that a title names for a package, and whether ours is among
//! them: `254.x`, `since 6.17`, `112.0+`, `257.7 -> 257.8`.
//!
//! Versions are compared as Nix compares them. A version that stands elsewhere
//! in the title, away from the package, belongs to nobody.

use std::cmp::Ordering;
use std::ops::Range;

use crate::model::text::clean_line;
use crate::model::{UnaffectedVersions, VersionFit, compare_versions};

use super::title::{Word, version};

/// Versions of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// This one, and those that begin with it: `6.17` holds `6.17.3`.
    Named(String),
    /// This one and newer.
    From(String),
    /// This one and older.
    UpTo(String),
    /// Older than this one.
    Before(String),
    /// From the first to the second, both included.
    Between(String, String),
}

/// Words that may stand between a package and its version.
const FILLERS: [&str; 14] = [
    "version", "versions", "v", "release", "driver", "drivers", "kernel", "update", "updated", "upgrade",
    "upgraded", "from", "bump", "package",
];
/// So many words behind a package can belong to its version.
const WINDOW: usize = 7;

impl Versions {
    /// The versions that stand beside the words of a package.
    pub(super) fn beside(words: &[Word], package: &Range<usize>) -> Option<Self> {
        Self::behind(words, package.end).or_else(|| Self::in_front(words, package.start))
    }

    /// `6.12.2 kernel`, `since 6.12 kernels`.
    fn in_front(words: &[Word], start: usize) -> Option<Self> {
        let before = words.get(start.checked_sub(1)?)?;
        let found = Self::of_word(&before.raw).filter(|_| before.raw.contains('.') && !before.ends_clause)?;
        let earlier = start.checked_sub(2).and_then(|index| words.get(index));
        Some(match (earlier.map(|word| word.raw.as_str()), found) {
            (Some("since" | ">="), Self::Named(version)) => Self::From(version),
            (_, found) => found,
        })
    }

    fn behind(words: &[Word], end: usize) -> Option<Self> {
        let window = words.get(end..words.len().min(end + WINDOW)).unwrap_or_default();
        let mut operator = None;
        // "since kernel 6.17" says it in front of the package.
        let mut lead = end.checked_sub(2).and_then(|index| words.get(index)).map(|word| word.raw.as_str());
        let mut index = 0;
        while let Some(word) = window.get(index) {
            match word.raw.as_str() {
                "since" | ">=" | "after" | "starting" => lead = Some("since"),
                "<=" | "until" => operator = Some("<="),
                "<" | "before" => operator = Some("<"),
                ">" => operator = Some(">="),
                filler if FILLERS.contains(&filler) => {}
                raw => {
                    let found = Self::of_word(raw)?;
                    let follows = |offset: usize| window.get(index + offset).map(|word| word.raw.as_str());
                    return Some(found.joined(lead, operator, follows));
                }
            }
            index += 1;
        }
        None
    }

    /// One word: `6.17`, `112.0+`, `254.x`.
    fn of_word(raw: &str) -> Option<Self> {
        let found = version(raw)?;
        if let Some(base) = found.strip_suffix('+') {
            return Some(Self::From(base.to_owned()));
        }
        let base = found.strip_suffix(".x").or_else(|| found.strip_suffix(".*")).unwrap_or(found);
        // `2nd`, `32bit` and `4k` are no versions.
        let is_count = !base.contains('.') && base.bytes().any(|byte| byte.is_ascii_alphabetic());
        (!is_count).then(|| Self::Named(base.to_owned()))
    }

    /// What the words around a version make of it.
    fn joined<'a>(
        self,
        lead: Option<&str>,
        operator: Option<&str>,
        follows: impl Fn(usize) -> Option<&'a str>,
    ) -> Self {
        let Self::Named(first) = self else { return self };
        let second = || follows(2).and_then(Self::of_word);
        match (operator, follows(1), follows(2)) {
            (Some("<="), ..) => return Self::UpTo(first),
            (Some("<"), ..) => return Self::Before(first),
            (Some(_), ..) => return Self::From(first),
            // An update goes wrong in what it leads to.
            (_, Some("->" | "to"), _) => {
                if let Some(Self::Named(second)) = second() {
                    return Self::Named(second);
                }
            }
            (_, Some("through" | "until" | "-"), _) => {
                if let Some(Self::Named(second)) = second() {
                    return Self::Between(first, second);
                }
            }
            (_, Some("or" | "and"), Some("newer" | "later" | "above" | "higher" | "up")) => {
                return Self::From(first);
            }
            (_, Some("or" | "and"), Some("older" | "earlier" | "below" | "lower")) => return Self::UpTo(first),
            _ => {}
        }
        if lead == Some("since") { Self::From(first) } else { Self::Named(first) }
    }

    /// Whether any of these versions is among them.
    pub(super) fn fit(&self, versions: &[String]) -> VersionFit {
        if versions.is_empty() {
            VersionFit::Unknown
        } else if versions.iter().any(|version| self.holds(version)) {
            VersionFit::Affected
        } else {
            VersionFit::NotAffected
        }
    }

    fn holds(&self, version: &str) -> bool {
        // `unstable-2024-01-01` and a hash are compared with nothing.
        let order = |other: &str| {
            if begins_with(version, other) { Ordering::Equal } else { compare_versions(version, other) }
        };
        match self {
            Self::Named(named) => begins_with(version, named),
            Self::From(first) => order(first) != Ordering::Less,
            Self::UpTo(last) => order(last) != Ordering::Greater,
            Self::Before(end) => order(end) == Ordering::Less,
            Self::Between(first, last) => order(first) != Ordering::Less && order(last) != Ordering::Greater,
        }
    }

    /// The versions that are not named, where that is a side and not all but one.
    pub(super) fn unaffected(&self) -> Option<UnaffectedVersions> {
        let clean = |version: &String| Some(clean_line(version));
        let none = UnaffectedVersions::default();
        Some(match self {
            Self::Named(_) => return None,
            Self::From(first) => UnaffectedVersions { older_than: clean(first), ..none },
            Self::UpTo(last) => UnaffectedVersions { newer_than: clean(last), ..none },
            Self::Before(end) => UnaffectedVersions { at_least: clean(end), ..none },
            Self::Between(first, last) => {
                UnaffectedVersions { older_than: clean(first), newer_than: clean(last), ..none }
            }
        })
    }

    /// In the words of the report.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Named(version) => format!("version {version}"),
            Self::From(version) => format!("version {version} and newer"),
            Self::UpTo(version) => format!("version {version} and older"),
            Self::Before(version) => format!("versions before {version}"),
            Self::Between(first, last) => format!("versions {first} to {last}"),
        }
    }
}

/// `6.17` begins `6.17.3` and `6.17-rc1`, and not `6.170`.
fn begins_with(version: &str, beginning: &str) -> bool {
    version
        .strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_', '+', 'p', 'r']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::title::Title;

    fn fit(title: &str, package: &str, installed: &str) -> VersionFit {
        let title = Title::parse(title);
        let at = title.words.iter().position(|word| word.text == package).unwrap();
        let versions = Versions::beside(&title.words, &(at..at + 1));
        versions.map_or(VersionFit::Unknown, |versions| versions.fit(&[installed.to_owned()]))
    }

    #[test]
    fn a_version_in_a_title_narrows_what_it_is_about() {
        use VersionFit::{Affected, NotAffected, Unknown};
        let cases = [
            ("systemd: 257.7 -> 257.8 update fails", "systemd", "257.8", Affected),
            ("systemd: 257.7 -> 257.8 update fails", "systemd", "257.7", NotAffected),
            ("systemd: 257.7 → 257.8 update fails", "systemd", "258.1", NotAffected),
            ("Firefox 112.0+ crashes on Wayland", "firefox", "113.0.1", Affected),
            ("Firefox 112.0+ crashes on Wayland", "firefox", "111.0", NotAffected),
            ("no longer boots since kernel 6.17", "kernel", "6.17.2", Affected),
            ("no longer boots since kernel 6.17", "kernel", "6.18", Affected),
            ("no longer boots since kernel 6.17", "kernel", "6.16.9", NotAffected),
            ("systemd 254.x: resolved is broken", "systemd", "254.10", Affected),
            ("systemd 254.x: resolved is broken", "systemd", "255.1", NotAffected),
            ("Cannot boot with 6.12.2 kernel", "kernel", "6.12.2", Affected),
            ("Cannot boot with 6.12.2 kernel", "kernel", "6.12.20", NotAffected),
            ("glibc >= 2.40 breaks steam", "glibc", "2.40-36", Affected),
            ("zfs < 2.2.2 corrupts data", "zfs", "2.2.0", Affected),
            ("zfs < 2.2.2 corrupts data", "zfs", "2.2.2", NotAffected),
            ("zfs: 2.2.2 and older corrupt data", "zfs", "2.1.14", Affected),
            ("nginx 1.26 or newer fails", "nginx", "1.27", Affected),
            ("mesa versions 24.0 through 24.1 flicker", "mesa", "24.0.7", Affected),
            ("nvidia-x11 version 550.78: black screen", "nvidia-x11", "550.78-6.6.31", Affected),
            ("firefox crashes after 2 minutes", "firefox", "126.0", Unknown),
            ("firefox crashes on NixOS 24.05", "firefox", "126.0", Unknown),
            ("firefox: crashes with gtk 4.14", "firefox", "126.0", Unknown),
            ("systemd 24.05 channel", "systemd", "255", Unknown),
        ];
        for (title, package, installed, expected) in cases {
            assert_eq!(fit(title, package, installed), expected, "{title} / {installed}");
        }
    }

    #[test]
    fn the_versions_that_a_title_does_not_name_are_those_beside_its_range() {
        let unaffected = |versions: Versions| versions.unaffected().map(|versions| versions.words());
        let text = |version: &str| version.to_owned();
        let cases = [
            (Versions::From(text("6.17")), Some("a version older than 6.17")),
            (Versions::Before(text("2.2.2")), Some("2.2.2 or newer")),
            (Versions::UpTo(text("2.2")), Some("a version newer than 2.2")),
            (Versions::Between(text("1"), text("2")), Some("a version older than 1 or a version newer than 2")),
            (Versions::Named(text("6.17")), None),
        ];
        for (versions, expected) in cases {
            assert_eq!(unaffected(versions).as_deref(), expected);
        }
    }

    #[test]
    fn without_an_installed_version_nothing_is_known() {
        assert_eq!(Versions::Named("1.0".to_owned()).fit(&[]), VersionFit::Unknown);
        let several = ["1.1.1w".to_owned(), "3.0.13".to_owned()];
        assert_eq!(Versions::UpTo("1.1.1z".to_owned()).fit(&several), VersionFit::Affected);
    }
}
