//! What the known issues mean for one host: findings, advice, hints.
//!
//! Pure. What the host runs already informs and never blocks; only what an
//! update would bring does, and only when it is sure.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::text::clean_line;
use crate::model::{
    HostName, InstalledPackage, Issue, IssueAdvice, IssueFinding, IssueIgnore, IssueMatch, IssueReport,
    IssueScope, IssueSeverity, StorePath, VersionFit,
};

use super::inventory::Inventory;
use super::matcher::{Found, compare};
use super::range::Versions;
use super::title::normalise;

/// What is compared for a host.
pub(crate) struct Check<'a> {
    /// The host.
    pub(crate) host: &'a HostName,
    /// What it runs.
    pub(crate) running: &'a [InstalledPackage],
    /// What an update would leave there, when that is known.
    pub(crate) next: Option<&'a [InstalledPackage]>,
    /// Open issues.
    pub(crate) issues: &'a [Issue],
    /// When they were last in step with the tracker.
    pub(crate) as_of: Option<Timestamp>,
    /// Exceptions.
    pub(crate) ignore: &'a [IssueIgnore],
    /// The input of the flake that is its package set, where there is one such.
    pub(crate) package_set: Option<&'a str>,
    /// The current time, for exceptions that end and issues that rest.
    pub(crate) now: Timestamp,
}

impl Check<'_> {
    /// Compares. `url` gives the page of an issue.
    pub(crate) fn report(&self, url: impl Fn(u64) -> String) -> IssueReport {
        let inventory = Inventory::new(self.next.unwrap_or(self.running).iter().cloned());
        let found = compare(self.issues, &inventory, self.now);
        let found = found.into_iter().filter(|found| found.version_fit != VersionFit::NotAffected);
        let mut better = Vec::new();
        let mut findings: Vec<IssueFinding> = Vec::new();
        for found in found {
            let is_better = self.is_better_as_it_is(&found);
            let finding = self.finding(found, &url);
            better.extend(is_better.then(|| (finding.number, finding.package.clone())));
            findings.push(finding);
        }
        findings.sort_by(|left, right| {
            let key = |finding: &IssueFinding| (finding.ignored.is_some(), std::cmp::Reverse(finding.severity));
            key(left)
                .cmp(&key(right))
                .then_with(|| left.package.cmp(&right.package))
                .then_with(|| right.number.cmp(&left.number))
        });
        IssueReport {
            host: self.host.clone(),
            packages: inventory.len(),
            issues: self.issues.len(),
            as_of: self.as_of,
            advice: advice(&findings),
            hints: self.hints(&findings, &better),
            package_set: self.package_set.map(clean_line),
            findings,
        }
    }

    fn finding(&self, found: Found, url: &impl Fn(u64) -> String) -> IssueFinding {
        let issue = &self.issues[found.issue];
        let scope = if self.is_new(&found) { IssueScope::Update } else { IssueScope::Running };
        IssueFinding {
            number: issue.number,
            title: clean_line(&issue.title),
            url: url(issue.number),
            ignored: self.exception(issue.number, &found.package),
            package: found.package,
            versions: found.versions,
            severity: found.severity,
            version_fit: found.version_fit,
            unaffected: found.named.as_ref().and_then(Versions::unaffected),
            why: match issue.closed_at {
                Some(closed) => {
                    let day = closed.strftime("%Y-%m-%d");
                    clean_line(&format!("{}; closed on {day}, which is newer than this package set", found.why))
                }
                None => clean_line(&found.why),
            },
            scope,
        }
    }

    /// Whether an update would bring the package or another version of it.
    fn is_new(&self, found: &Found) -> bool {
        let running = self.running.iter().find(|package| package.name == found.package);
        self.next.is_some() && running.is_none_or(|running| running.versions != found.versions)
    }

    /// Whether the title names the version that an update would bring, and not
    /// the one that runs.
    fn is_better_as_it_is(&self, found: &Found) -> bool {
        let running = self.running.iter().find(|package| package.name == found.package);
        let fit = running.zip(found.named.as_ref()).map(|(running, named)| named.fit(&running.versions));
        self.is_new(found) && fit == Some(VersionFit::NotAffected)
    }

    /// The reason of the exception that a finding falls under.
    fn exception(&self, number: u64, package: &str) -> Option<String> {
        let today = self.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let matching = self.ignore.iter().find(|ignore| {
            let is_meant = match &ignore.what {
                IssueMatch::Issue(ignored) => *ignored == number,
                IssueMatch::Package(name) => normalise(name) == normalise(package),
            };
            is_meant && ignore.until.is_none_or(|until| today <= until)
        })?;
        Some(if matching.reason.is_empty() { "no reason given".to_owned() } else { matching.reason.clone() })
    }

    /// What can be done. Before an update one line per package that blocks, or is
    /// bad and better as it is; else the versions that the titles of what is bad
    /// do not name.
    fn hints(&self, findings: &[IssueFinding], better: &[(u64, String)]) -> Vec<String> {
        let mut hints = Vec::new();
        let mut add = |hint: String| {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        };
        let is_held_back = |finding: &&IssueFinding| {
            let is_better =
                better.iter().any(|(number, package)| (*number, package) == (finding.number, &finding.package));
            finding.blocks() || (is_bad(finding) && is_better)
        };
        for finding in findings.iter().filter(is_held_back) {
            add(self.hold_back(finding));
        }
        let mut is_other_version = false;
        for hint in findings.iter().filter(|_| self.next.is_none()).filter_map(other_version) {
            is_other_version = true;
            add(hint);
        }
        if let Some(input) = self.package_set.filter(|_| is_other_version) {
            add(clean_line(&format!(
                "the flake's package set is the input {input}: `nix-deploy {} --preview --input {input}` shows what \
                 moving it would bring",
                self.host
            )));
        }
        hints
    }

    fn hold_back(&self, finding: &IssueFinding) -> String {
        let input = match self.package_set {
            Some(input) => format!("{}, the flake's package set", clean_line(input)),
            None => "the input that brings it".to_owned(),
        };
        let running = self.running.iter().find(|package| package.name == finding.package);
        match running.and_then(|running| running.versions.last()) {
            Some(version) => format!(
                "stay at {} {version}, which runs now, instead of {}: hold back {input}, or pin the package",
                finding.package,
                finding.versions.last().map_or("another version", String::as_str)
            ),
            None => format!("leave out {}, or hold back {input}", finding.package),
        }
    }
}

/// Whether it asks for caution.
fn is_bad(finding: &IssueFinding) -> bool {
    finding.severity >= IssueSeverity::High && finding.ignored.is_none()
}

/// Which version of a package to go to, where the title of what is bad and runs
/// already says it.
fn other_version(finding: &IssueFinding) -> Option<String> {
    let is_meant = is_bad(finding) && finding.version_fit == VersionFit::Affected;
    let unaffected = finding.unaffected.as_ref().filter(|_| is_meant)?;
    let verb = if unaffected.at_least.is_some() || unaffected.newer_than.is_some() { "bring" } else { "pin" };
    Some(format!(
        "{verb} {} to {}, which #{} does not name",
        finding.package,
        unaffected.words(),
        finding.number
    ))
}

/// The day of the package set that a system was made from, as NixOS writes it
/// into the system's name: `nixos-system-p620-25.05.20250612.fd48718`.
pub(crate) fn package_set_day(system: &StorePath) -> Option<Date> {
    let parts: Vec<&str> = system.name().split('.').collect();
    parts.windows(2).rev().find_map(|pair| {
        let is_month = pair[0].len() >= 2 && pair[0].bytes().rev().take(2).all(|byte| byte.is_ascii_digit());
        let day = pair[1].split('-').next().filter(|day| day.len() == 8 && is_month)?;
        let number = |range: std::ops::Range<usize>| day.get(range)?.parse::<i8>().ok();
        let year: i16 = day.get(..4)?.parse().ok()?;
        Date::new(year, number(4..6)?, number(6..8)?).ok().filter(|_| year >= 2003)
    })
}

/// What a person is told: only what is sure says no, only what is bad asks
/// for caution.
fn advice(findings: &[IssueFinding]) -> IssueAdvice {
    if findings.iter().any(IssueFinding::blocks) {
        return IssueAdvice::DoNotUpdate;
    }
    if findings.iter().any(is_bad) { IssueAdvice::Caution } else { IssueAdvice::Clear }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> InstalledPackage {
        InstalledPackage { name: name.to_owned(), versions: vec![version.to_owned()], selected: true }
    }

    fn issue(number: u64, title: &str) -> Issue {
        let (labels, updated_at, closed_at) = (Vec::new(), None, None);
        Issue { number, title: title.to_owned(), labels, open: true, updated_at, closed_at }
    }

    fn report(
        running: &[InstalledPackage],
        next: Option<&[InstalledPackage]>,
        issues: &[Issue],
        ignore: &[IssueIgnore],
    ) -> IssueReport {
        let host = HostName::new("p620").unwrap();
        let now = "2025-06-15T12:00:00Z".parse().unwrap();
        Check { host: &host, running, next, issues, as_of: None, ignore, package_set: Some("nixpkgs"), now }
            .report(|number| format!("https://x/{number}"))
    }

    fn kernel() -> [Issue; 1] {
        [issue(1, "Nixos no longer boots since kernel 6.17")]
    }

    #[test]
    fn what_an_update_brings_blocks_when_it_is_sure() {
        let (running, next) = ([package("linux", "6.16.9")], [package("linux", "6.17.2")]);
        let report = report(&running, Some(&next), &kernel(), &[]);
        assert_eq!(report.advice, IssueAdvice::DoNotUpdate);
        assert_eq!(
            (report.findings[0].scope, report.findings[0].severity),
            (IssueScope::Update, IssueSeverity::Critical)
        );
        assert!(report.hints[0].contains("stay at linux 6.16.9"), "{:?}", report.hints);
        assert_eq!(report.findings[0].url, "https://x/1");
    }

    #[test]
    fn what_runs_already_informs_and_never_blocks() {
        let running = [package("linux", "6.17.2")];
        for (next, hints) in [(None, 2), (Some(&running[..]), 0)] {
            let report = report(&running, next, &kernel(), &[]);
            assert_eq!(report.findings[0].scope, IssueScope::Running);
            assert_eq!((report.advice, report.hints.len()), (IssueAdvice::Caution, hints));
        }
    }

    #[test]
    fn what_runs_and_is_bad_gets_the_version_that_its_title_does_not_name() {
        let running = [package("linux", "6.17.2"), package("zfs", "2.2.0"), package("vlc", "3.0.20")];
        let issues = [
            issue(1, "Nixos no longer boots since kernel 6.17"),
            issue(2, "zfs < 2.2.2 corrupts data"),
            issue(3, "vlc 3.0 or newer: subtitles are too small"),
        ];
        let found = report(&running, None, &issues, &[]);
        assert_eq!(
            found.hints,
            [
                "pin linux to a version older than 6.17, which #1 does not name",
                "bring zfs to 2.2.2 or newer, which #2 does not name",
                "the flake's package set is the input nixpkgs: `nix-deploy p620 --preview --input nixpkgs` shows \
                 what moving it would bring",
            ]
        );
        assert_eq!(found.package_set.as_deref(), Some("nixpkgs"));
        let mild = found.findings.iter().find(|finding| finding.number == 3).unwrap();
        assert_eq!(mild.unaffected.as_ref().unwrap().older_than.as_deref(), Some("3.0"));
    }

    #[test]
    fn what_is_better_as_it_is_is_better_held_back() {
        let running = [package("firefox", "126.0"), package("vlc", "3.0.20"), package("jq", "1.6")];
        let next = [package("firefox", "127.0"), package("vlc", "3.0.21"), package("jq", "1.7")];
        let issues = [
            issue(1, "firefox: 126.0 -> 127.0 crashes at start"),
            // The one that runs is as bad, or nobody knows.
            issue(2, "vlc 3.0 or newer: crashes at start"),
            issue(3, "jq: segfault"),
        ];
        let found = report(&running, Some(&next), &issues, &[]);
        assert_eq!(found.advice, IssueAdvice::Caution);
        assert_eq!(
            found.hints,
            [
                "stay at firefox 126.0, which runs now, instead of 127.0: hold back nixpkgs, the flake's package set, \
              or pin the package"
            ]
        );
    }

    #[test]
    fn an_issue_of_other_versions_is_no_finding() {
        let report = report(&[package("linux", "6.12.1")], None, &kernel(), &[]);
        assert!(report.findings.is_empty());
        assert_eq!(report.advice, IssueAdvice::Clear);
    }

    #[test]
    fn an_exception_counts_until_its_last_day() {
        let (running, next) = ([package("linux", "6.16.9")], [package("linux", "6.17.2")]);
        let with = |what: IssueMatch, until: &str| {
            let ignore =
                [IssueIgnore { what, reason: "tested".to_owned(), until: Some(until.parse().unwrap()) }];
            report(&running, Some(&next), &kernel(), &ignore)
        };
        let package = || IssueMatch::Package("linux".to_owned());
        assert_eq!(with(IssueMatch::Issue(1), "2025-06-15").advice, IssueAdvice::Clear);
        assert_eq!(with(package(), "2025-06-15").findings[0].ignored.as_deref(), Some("tested"));
        assert_eq!(with(package(), "2025-06-14").advice, IssueAdvice::DoNotUpdate);
        assert_eq!(with(IssueMatch::Issue(2), "2030-01-01").advice, IssueAdvice::DoNotUpdate);
    }

    #[test]
    fn the_day_of_the_package_set_stands_in_the_name_of_the_system() {
        let day = |name: &str| {
            let path = StorePath::new(format!("/nix/store/f98asahd0v34slfpy357djz098h6aq55-{name}")).unwrap();
            package_set_day(&path).map(|day| day.to_string())
        };
        assert_eq!(day("nixos-system-p620-25.05.20250612.fd48718").as_deref(), Some("2025-06-12"));
        assert_eq!(day("nixos-system-a.b-24.11.20250101.dirty").as_deref(), Some("2025-01-01"));
        for name in
            ["nixos-system-p620-25.05", "nixos-system-p620-25.05pre-git", "nixos-system-x-25.05.20259912.a"]
        {
            assert_eq!(day(name), None, "{name}");
        }
    }

    #[test]
    fn a_closed_issue_says_that_its_fix_is_newer() {
        let issues = [Issue {
            open: false,
            closed_at: Some("2025-06-14T01:00:00Z".parse().unwrap()),
            ..issue(1, "firefox: crashes")
        }];
        let report = report(&[package("firefox", "126.0")], None, &issues, &[]);
        assert!(report.findings[0].why.ends_with("closed on 2025-06-14, which is newer than this package set"));
    }

    #[test]
    fn titles_cannot_drive_a_terminal() {
        let issues = [issue(1, "firefox: \u{1b}[2Jcrashes\r\n\u{202e}<script>alert(1)</script>")];
        let report = report(&[package("firefox", "126.0")], None, &issues, &[]);
        assert_eq!(report.findings[0].title, "firefox: crashes <script>alert(1)</script>");
        assert!(!report.findings[0].why.contains('\u{1b}'));
    }
}
