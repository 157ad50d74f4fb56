//! Which issues tell of something broken, by title and labels.
//!
//! Everything else is left out before anything is matched: requests, questions,
//! threads that track work, other systems, and what nobody has touched for long.

use jiff::{SignedDuration, Timestamp};

use crate::model::Issue;

use super::title::Title;

/// What an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IssueKind {
    /// Something is broken.
    Defect,
    /// A newer version or a new package is wanted.
    Request,
    /// Somebody asks.
    Question,
    /// Work is tracked, or a plan is talked about.
    Tracking,
    /// It is about another operating system.
    OtherSystem,
    /// Nobody has touched it for long, and it is marked so.
    Stale,
}

/// A stale issue that has rested so long tells nothing about today's packages.
const RESTS: SignedDuration = SignedDuration::from_hours(24 * 548);

/// Beginnings of titles that ask for a package or a version.
const REQUESTS: &[&str] = &[
    "update request",
    "package update request",
    "package request",
    "packaging request",
    "module request",
    "please update",
    "request:",
    "feature request",
    "upgrade request",
    "new package",
    "package:",
    "add package",
    "init:",
    "[request]",
    "request for",
    "please package",
    "update package",
    "bump ",
];
/// Beginnings of questions.
const QUESTIONS: &[&str] = &[
    "how ",
    "how to",
    "why ",
    "what ",
    "where ",
    "when ",
    "is there",
    "is it ",
    "can we",
    "can i ",
    "could we",
    "should ",
    "question",
    "do we ",
    "are there",
    "does anyone",
    "which ",
];
/// Words that say that work is tracked.
const TRACKING: &[&str] = &[
    "tracking issue",
    "tracking:",
    "[tracking]",
    "tracker:",
    "meta:",
    "[meta]",
    "meta issue",
    "umbrella",
    "roadmap",
    "rfc:",
    "[rfc]",
    "zero hydra",
    "zhf",
    "maintenance",
    "maintainers wanted",
    "maintainer wanted",
    "release schedule",
    "feature freeze",
    "wiki:",
    "todo:",
    "discussion:",
    "cleanup:",
    "proposal:",
    "[proposal]",
    "migration to",
    "package list",
    "backlog",
    "blockers for",
    "release checklist",
    "bug fix bonanza",
];
/// How a word of each of them begins.
const TRACKING_STEMS: &[&str] = &[
    "track",
    "meta",
    "umbrella",
    "roadmap",
    "rfc",
    "zero",
    "zhf",
    "maint",
    "release",
    "feature",
    "wiki",
    "todo",
    "discussion",
    "cleanup",
    "proposal",
    "migration",
    "package",
    "backlog",
    "blockers",
    "bonanza",
];
/// Words that say that something is broken although work is tracked.
const BROKEN: &[&str] = &[
    "break",
    "broke",
    "fail",
    "crash",
    "regress",
    "corrupt",
    "segfault",
    "panic",
    "hang",
    "freez",
    "unbootable",
    "not work",
    "error",
    "doesn't",
    "does not",
    "can't",
    "cannot",
    "stuck",
    "wrong",
    "missing",
    "leak",
    "incorrect",
    "unable",
];

/// Judges an issue; `now` decides what has rested for long.
pub(super) fn kind(issue: &Issue, title: &Title, now: Timestamp) -> IssueKind {
    let lower = issue.title.to_lowercase();
    let labels: Vec<String> = issue.labels.iter().map(|label| label.to_lowercase()).collect();
    let has_label = |part: &str| labels.iter().any(|label| label.contains(part));
    let is_broken = || BROKEN.iter().any(|word| lower.contains(word));
    let says_defect = || has_label("kind: bug") || has_label("build failure") || has_label("regression");
    if REQUESTS.iter().any(|request| lower.starts_with(request)) || is_bump(title) {
        return IssueKind::Request;
    }
    if (has_label("package (update)")
        || has_label("enhancement")
        || has_label("packaging request")
        || has_label("feature"))
        && !says_defect()
        && !is_broken()
    {
        return IssueKind::Request;
    }
    let said = lower.split_once(": ").map_or("", |(_, said)| said);
    let asks = QUESTIONS.iter().any(|question| lower.starts_with(question) || said.starts_with(question));
    if has_label("kind: question") || (asks && !says_defect() && (lower.contains('?') || !is_broken())) {
        return IssueKind::Question;
    }
    // The search through a whole title is dear, and few need it.
    let may_track =
        title.words.iter().any(|word| TRACKING_STEMS.iter().any(|stem| word.text.starts_with(stem)));
    let tracks =
        (may_track && TRACKING.iter().any(|word| lower.contains(word))) || has_label("scope: tracking");
    let announces =
        lower.starts_with("tracking") || lower.starts_with("[tracking") || lower.starts_with("meta");
    if tracks && (announces || !is_broken()) {
        return IssueKind::Tracking;
    }
    if is_other_system(title) || has_label("topic: darwin") {
        return IssueKind::OtherSystem;
    }
    let rests = issue.updated_at.is_some_and(|updated| now.duration_since(updated) > RESTS);
    if rests && has_label("stale") {
        return IssueKind::Stale;
    }
    IssueKind::Defect
}

/// `firefox: 126.0 -> 127.0` and nothing more: a change, no complaint.
fn is_bump(title: &Title) -> bool {
    let Some(arrow) = title.words.iter().position(|word| word.raw == "->") else { return false };
    let is_version = |word: Option<&super::title::Word>| {
        word.is_some_and(|word| word.raw.starts_with(|first: char| first.is_ascii_digit() || first == 'v'))
    };
    is_version(arrow.checked_sub(1).and_then(|index| title.words.get(index)))
        && is_version(title.words.get(arrow + 1))
        && arrow + 2 >= title.words.len()
}

/// Whether the title speaks of macOS and of nothing else.
fn is_other_system(title: &Title) -> bool {
    let has = |words: &[&str]| {
        title
            .words
            .iter()
            .any(|word| words.iter().any(|other| word.text.split(['/', '.']).any(|part| part == *other)))
    };
    has(&[
        "darwin",
        "macos",
        "mac",
        "osx",
        "x86-64-darwin",
        "aarch64-darwin",
        "m1",
        "nix-darwin",
        "freebsd",
        "wsl",
    ]) && !has(&["linux", "x86-64-linux", "aarch64-linux"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(title: &str, labels: &[&str]) -> IssueKind {
        let issue = Issue {
            number: 1,
            title: title.to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            open: true,
            updated_at: Some("2023-01-01T00:00:00Z".parse().unwrap()),
            closed_at: None,
        };
        kind(&issue, &Title::parse(title), "2025-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn only_what_is_broken_is_a_defect() {
        let bug = &["0.kind: bug"][..];
        let cases: [(&str, &[&str], IssueKind); 22] = [
            ("Update Request: lix 2.93.3 → 2.94", &[], IssueKind::Request),
            ("Update request: all firefox forks (CVE-2024-9680)", &[], IssueKind::Request),
            ("Package request: foo", &[], IssueKind::Request),
            ("firefox: 126.0 -> 127.0", &[], IssueKind::Request),
            ("htop is out of date", &["9.needs: package (update)"], IssueKind::Request),
            ("mpw segfaults", &["0.kind: bug", "9.needs: package (update)"], IssueKind::Defect),
            ("nixos/systemd: 257.7 -> 257.8 update fails to start x", bug, IssueKind::Defect),
            ("Why is the foo package stuck at 1.110?", &[], IssueKind::Question),
            ("how to subscribe to advisories", &["0.kind: question"], IssueKind::Question),
            ("Why does firefox crash", bug, IssueKind::Defect),
            ("Chromium maintenance", &[], IssueKind::Tracking),
            ("Tracking: Packaging CUPS v3", &["5.scope: tracking"], IssueKind::Tracking),
            ("Tracking issue: packages broken by gcc 14", &[], IssueKind::Tracking),
            ("glibc 2.26 breakage tracking issue", &[], IssueKind::Defect),
            ("wiki: Security Updates", &[], IssueKind::Tracking),
            ("firefox: broken on darwin", bug, IssueKind::OtherSystem),
            ("firefox broken on linux and darwin", bug, IssueKind::Defect),
            ("firefox fails to build", &["6.topic: darwin"], IssueKind::OtherSystem),
            ("foo crashes", &["2.status: stale"], IssueKind::Stale),
            ("foo crashes", bug, IssueKind::Defect),
            ("nginx does not start", &[], IssueKind::Defect),
            ("Can't boot after update", &[], IssueKind::Defect),
        ];
        for (title, labels, expected) in cases {
            assert_eq!(judged(title, labels), expected, "{title}");
        }
    }
}
