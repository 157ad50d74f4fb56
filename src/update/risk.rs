//! One assessment from everything the checks of an update found.
//!
//! Pure. Only what the update changes is a risk: what runs already, and what
//! the configuration has said before, is a note.
//!
//! | level | what |
//! |---|---|
//! | critical | an issue that blocks (boot, data or remote access, and the title names the version); a critical finding in the configuration |
//! | high | any other issue that is critical or high; a host without room for what it would get |
//! | medium | a mild issue; issues that could not be looked up; a host that could not be compared; units that had failed before |

use crate::model::text::{bytes, clean_line, plural};
use crate::model::{
    Finding, HostFacts, HostName, HostPreview, IssueFinding, IssueReport, IssueScope, IssueSeverity,
    PreviewBase, RiskAssessment, RiskLevel, RiskReason, Severity, UpdateCheck,
};

/// Beside what is copied a store needs room for the database and a build log, in bytes.
const SPARE_ROOM: u64 = 64 << 20;
/// A kernel with its initrd, in bytes: what a boot partition has to have room for.
const KERNEL_ROOM: u64 = 96 << 20;

/// What the checks found.
#[derive(Debug, Default)]
pub(crate) struct Evidence<'a> {
    /// Known issues by host.
    pub(crate) issues: &'a [IssueReport],
    /// Why issues could not be looked up, or not as of today.
    pub(crate) issues_lacking: Option<String>,
    /// What would change.
    pub(crate) previews: &'a [HostPreview],
    /// What was found in the configuration.
    pub(crate) findings: &'a [Finding],
    /// The facts of the hosts that answered.
    pub(crate) facts: &'a [(HostName, HostFacts)],
}

/// Judges.
pub(crate) fn assess(evidence: &Evidence<'_>) -> RiskAssessment {
    let mut assessment = RiskAssessment::default();
    issues(evidence, &mut assessment);
    configuration(evidence, &mut assessment);
    for preview in evidence.previews {
        preview_of(preview, evidence, &mut assessment);
    }
    for (host, facts) in evidence.facts {
        let failed = facts.broken_before();
        if !failed.is_empty() {
            let names: Vec<&str> = failed.iter().take(3).copied().collect();
            let more = if failed.len() > names.len() { ", …" } else { "" };
            let what =
                format!("{} had failed before: {}{more}", plural(failed.len(), "unit"), names.join(", "));
            add(&mut assessment, RiskLevel::Medium, UpdateCheck::Hosts, Some(host), what);
        }
    }
    // The order of the checks within a level.
    assessment.reasons.sort_by(|left, right| right.level.cmp(&left.level).then(left.check.cmp(&right.check)));
    assessment.level = assessment.reasons.first().map(|reason| reason.level).unwrap_or_default();
    assessment
}

fn add(
    assessment: &mut RiskAssessment,
    level: RiskLevel,
    check: UpdateCheck,
    host: Option<&HostName>,
    what: String,
) {
    assessment.reasons.push(RiskReason { level, check, host: host.cloned(), what: clean_line(&what) });
}

fn issues(evidence: &Evidence<'_>, assessment: &mut RiskAssessment) {
    if let Some(why) = &evidence.issues_lacking {
        let what = format!("known issues could not be looked up: {why}");
        add(assessment, RiskLevel::Medium, UpdateCheck::Issues, None, what);
    }
    for report in evidence.issues {
        let counted = report.findings.iter().filter(|finding| finding.ignored.is_none());
        let (new, running): (Vec<&IssueFinding>, Vec<&IssueFinding>) =
            counted.partition(|finding| finding.scope == IssueScope::Update);
        for finding in new {
            let level = level_of(finding);
            let what = format!(
                "{} {}: #{} {}",
                finding.package,
                finding.versions.join(", "),
                finding.number,
                finding.title
            );
            add(assessment, level, UpdateCheck::Issues, Some(&report.host), what);
        }
        if !running.is_empty() {
            let issues = plural(running.len(), "known issue");
            assessment.notes.push(format!("{}: {issues} of what it runs already", report.host));
        }
    }
}

/// What an issue of the update weighs: only what is sure is critical.
fn level_of(finding: &IssueFinding) -> RiskLevel {
    match finding.severity {
        IssueSeverity::Critical if finding.blocks() => RiskLevel::Critical,
        IssueSeverity::Critical | IssueSeverity::High => RiskLevel::High,
        IssueSeverity::Medium => RiskLevel::Medium,
    }
}

fn configuration(evidence: &Evidence<'_>, assessment: &mut RiskAssessment) {
    for finding in evidence.findings.iter().filter(|finding| finding.blocks()) {
        let place = finding
            .place
            .as_ref()
            .map_or(String::new(), |place| format!("{}:{}: ", place.file.display(), place.line));
        let what = format!("{place}{} [{}]", finding.message, finding.rule);
        add(assessment, RiskLevel::Critical, UpdateCheck::Configuration, None, what);
    }
    let is_warning = |finding: &&Finding| finding.severity == Severity::Warning && finding.suppressed.is_none();
    let warnings = evidence.findings.iter().filter(is_warning).count();
    if warnings > 0 {
        assessment.notes.push(format!("the configuration has {}", plural(warnings, "warning")));
    }
}

fn preview_of(preview: &HostPreview, evidence: &Evidence<'_>, assessment: &mut RiskAssessment) {
    let host = &preview.host;
    if preview.base == PreviewBase::Configuration {
        let why = preview.unreachable.as_deref().unwrap_or("it could not be asked");
        let what = format!("compared with the configuration, not with what runs: {why}");
        add(assessment, RiskLevel::Medium, UpdateCheck::Preview, Some(host), what);
    }
    if preview.reboot_needed == Some(true) {
        let reasons = preview.reboot_reasons.join(", ");
        assessment.notes.push(clean_line(&format!("{host}: runs all of it only after a reboot ({reasons})")));
    }
    let Some((_, facts)) = evidence.facts.iter().find(|(name, _)| name == host) else { return };
    if let (Some(storage), Some(free)) = (preview.storage, facts.store_free)
        && storage.new_bytes + SPARE_ROOM > free
    {
        let what = format!("the store has {} free, and would get {}", bytes(free), bytes(storage.new_bytes));
        add(assessment, RiskLevel::High, UpdateCheck::Hosts, Some(host), what);
    }
    let new_kernel = preview.reboot_reasons.iter().any(|reason| reason.contains("kernel"));
    if let Some(free) = facts.boot_free.filter(|free| new_kernel && *free < KERNEL_ROOM) {
        let what = format!("the boot partition has {} free, and would get another kernel", bytes(free));
        add(assessment, RiskLevel::High, UpdateCheck::Hosts, Some(host), what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssueAdvice, Precision, StorageImpact, StorePath, UnitHealth, VersionFit};

    fn host() -> HostName {
        HostName::new("p620").unwrap()
    }

    fn finding(severity: IssueSeverity, scope: IssueScope, version_fit: VersionFit) -> IssueFinding {
        IssueFinding {
            number: 7,
            title: "linux 6.17 does not boot".to_owned(),
            url: String::new(),
            package: "linux".to_owned(),
            versions: vec!["6.17.2".to_owned()],
            severity,
            version_fit,
            unaffected: None,
            why: String::new(),
            scope,
            ignored: None,
        }
    }

    fn report(findings: Vec<IssueFinding>) -> IssueReport {
        IssueReport {
            host: host(),
            packages: 10,
            issues: 10,
            as_of: None,
            findings,
            advice: IssueAdvice::Clear,
            hints: Vec::new(),
            package_set: None,
        }
    }

    fn of_issues(findings: Vec<IssueFinding>) -> RiskAssessment {
        assess(&Evidence { issues: &[report(findings)], ..Evidence::default() })
    }

    fn preview() -> HostPreview {
        HostPreview {
            host: host(),
            base: PreviewBase::Running,
            unreachable: None,
            precision: Precision::Exact,
            old: None,
            new: StorePath::new("/nix/store/0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a-nixos-system-p620").unwrap(),
            packages: Vec::new(),
            rebuilt: None,
            configuration_paths: None,
            storage: None,
            needs: None,
            reboot_needed: None,
            reboot_reasons: Vec::new(),
            new_packages: None,
            notes: Vec::new(),
        }
    }

    fn facts() -> HostFacts {
        serde_json::from_str(
            r#"{"uid":0,"user":"root","elevation":"root","current_system":null,"booted_system":null,"profile":null,
                "generation":null,"machine_id":"m","boot_id":"b","hostname":"p620","systemd":true,"machine":"x86_64",
                "nix_version":null,"trusted":true,"store_free":1073741824,"store_free_inodes":null,
                "boot_free":1073741824,"memory_available":null,"load":null,"uptime":null,"baseline":{},"lock":null,
                "orphans":[],"deployed":null}"#,
        )
        .unwrap()
    }

    fn of_preview(preview: HostPreview, facts: HostFacts) -> RiskAssessment {
        let (previews, facts) = ([preview], [(host(), facts)]);
        assess(&Evidence { previews: &previews, facts: &facts, ..Evidence::default() })
    }

    #[test]
    fn where_nothing_is_found_there_is_no_risk() {
        assert_eq!(of_issues(Vec::new()), RiskAssessment::default());
        assert_eq!(of_preview(preview(), facts()), RiskAssessment::default());
    }

    #[test]
    fn an_issue_weighs_what_it_is_and_only_a_sure_one_is_critical() {
        use IssueSeverity::{Critical, High, Medium};
        let cases = [
            (Critical, VersionFit::Affected, RiskLevel::Critical),
            (Critical, VersionFit::Unknown, RiskLevel::High),
            (High, VersionFit::Affected, RiskLevel::High),
            (Medium, VersionFit::Affected, RiskLevel::Medium),
        ];
        for (severity, fit, level) in cases {
            let found = of_issues(vec![finding(severity, IssueScope::Update, fit)]);
            assert_eq!(found.level, level, "{severity:?} {fit:?}");
            assert_eq!(found.reasons[0].what, "linux 6.17.2: #7 linux 6.17 does not boot");
        }
    }

    #[test]
    fn what_runs_already_and_what_is_ignored_is_no_risk() {
        let running = finding(IssueSeverity::Critical, IssueScope::Running, VersionFit::Affected);
        let ignored = IssueFinding {
            ignored: Some("tested".to_owned()),
            ..finding(IssueSeverity::Critical, IssueScope::Update, VersionFit::Affected)
        };
        let found = of_issues(vec![running, ignored]);
        assert_eq!(found.level, RiskLevel::None);
        assert_eq!(found.notes, ["p620: 1 known issue of what it runs already"]);
    }

    #[test]
    fn the_worst_reason_is_first_and_decides() {
        let found = of_issues(vec![
            finding(IssueSeverity::Medium, IssueScope::Update, VersionFit::Unknown),
            finding(IssueSeverity::Critical, IssueScope::Update, VersionFit::Affected),
            finding(IssueSeverity::High, IssueScope::Update, VersionFit::Unknown),
        ]);
        let levels: Vec<RiskLevel> = found.reasons.iter().map(|reason| reason.level).collect();
        assert_eq!(levels, [RiskLevel::Critical, RiskLevel::High, RiskLevel::Medium]);
        assert_eq!(found.level, RiskLevel::Critical);
    }

    #[test]
    fn issues_that_cannot_be_looked_up_are_not_taken_for_none() {
        let lacking = Some("GitHub does not answer".to_owned());
        let found = assess(&Evidence { issues_lacking: lacking, ..Evidence::default() });
        assert_eq!(found.level, RiskLevel::Medium);
        assert!(found.reasons[0].what.ends_with("GitHub does not answer"));
    }

    #[test]
    fn a_critical_finding_of_the_configuration_is_critical_and_a_warning_is_a_note() {
        let finding = |severity, suppressed| Finding {
            rule: "firewall-off".to_owned(),
            severity,
            place: None,
            subject: String::new(),
            message: "the firewall is off".to_owned(),
            mend: String::new(),
            source_line: String::new(),
            host: None,
            suppressed,
            fingerprint: String::new(),
        };
        let of = |finding: Finding| assess(&Evidence { findings: &[finding], ..Evidence::default() });
        assert_eq!(of(finding(Severity::Critical, None)).level, RiskLevel::Critical);
        let allowed = crate::model::Suppression::Flag { actor: "anna@laptop".to_owned() };
        assert_eq!(of(finding(Severity::Critical, Some(allowed))), RiskAssessment::default());
        let warned = of(finding(Severity::Warning, None));
        assert_eq!((warned.level, warned.notes.len()), (RiskLevel::None, 1));
    }

    #[test]
    fn a_host_without_room_is_a_high_risk() {
        let storage = Some(StorageImpact { new_bytes: 1 << 30, ..StorageImpact::default() });
        assert_eq!(of_preview(HostPreview { storage, ..preview() }, facts()).level, RiskLevel::High);
        let with_kernel = || HostPreview {
            reboot_needed: Some(true),
            reboot_reasons: vec!["kernel 6.6 → 6.12".to_owned()],
            ..preview()
        };
        let found = of_preview(with_kernel(), facts());
        assert_eq!((found.level, found.notes.len()), (RiskLevel::None, 1));
        let full = HostFacts { boot_free: Some(1 << 20), ..facts() };
        assert_eq!(of_preview(with_kernel(), full).level, RiskLevel::High);
    }

    #[test]
    fn a_host_that_is_unwell_or_could_not_be_compared_asks_for_a_look() {
        let mut unwell = facts();
        let broken = UnitHealth {
            load: "loaded".to_owned(),
            active: "failed".to_owned(),
            sub: "failed".to_owned(),
            result: String::new(),
            restarts: 0,
        };
        unwell.baseline.insert("nginx.service".to_owned(), broken);
        let found = of_preview(preview(), unwell);
        assert_eq!(found.level, RiskLevel::Medium);
        assert_eq!(found.reasons[0].what, "1 unit had failed before: nginx.service");
        let blind = HostPreview {
            base: PreviewBase::Configuration,
            unreachable: Some("it does not \u{1b}[2Janswer".to_owned()),
            ..preview()
        };
        let found = of_preview(blind, facts());
        assert_eq!(found.level, RiskLevel::Medium);
        assert!(found.reasons[0].what.ends_with("it does not answer"), "{:?}", found.reasons);
    }
}
