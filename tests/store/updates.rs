//! Updates of inputs in the record: what moved, what was known, who decided.

use nix_deploy::event::Event;
use nix_deploy::model::{
    DecidedBy, HostName, InputMove, InputRevision, IssueAdvice, IssueFinding, IssueReport, IssueScope,
    IssueSeverity, LockFileState, RiskAssessment, RiskLevel, RiskReason, UpdateCheck, UpdateDecision,
    UpdatePreview, Verdict, VersionFit,
};

use crate::engine::{BOTH, Engine};
use crate::journal::Journal;

const OLD: &str = "/nix/store/00000000000000000000000000000000-nixos-system-p620-1";
const NEW: &str = "/nix/store/11111111111111111111111111111111-nixos-system-p620-2";

fn revision(revision: &str, date: &str) -> Option<InputRevision> {
    Some(InputRevision {
        revision: Some(revision.to_owned()),
        hash: None,
        date: Some(date.parse().unwrap()),
        url: "github:NixOS/nixpkgs".to_owned(),
    })
}

fn issues(scope: IssueScope, afterwards: bool) -> Event {
    let finding = IssueFinding {
        number: 7,
        title: "linux 6.17 <b>does\u{0}not boot".to_owned(),
        url: "https://github.com/NixOS/nixpkgs/issues/7".to_owned(),
        package: "linux".to_owned(),
        versions: vec!["6.17.2".to_owned()],
        severity: IssueSeverity::High,
        version_fit: VersionFit::Unknown,
        unaffected: None,
        why: "the title begins with linux".to_owned(),
        scope,
        ignored: None,
    };
    let report = IssueReport {
        host: HostName::new("p620").unwrap(),
        packages: 1,
        issues: 1,
        as_of: None,
        findings: vec![finding],
        advice: IssueAdvice::Caution,
        hints: Vec::new(),
        package_set: None,
    };
    Event::KnownIssues { report: Box::new(report), afterwards }
}

#[tokio::test]
async fn an_update_is_recorded_with_its_inputs_its_issues_and_its_decision() {
    for kind in BOTH {
        let engine = Engine::new(kind).await;
        let moved = InputMove {
            input: "nixpkgs".to_owned(),
            before: revision("1111111aaaa", "2025-11-01T00:00:00Z"),
            after: revision("2222222bbbb", "2025-11-20T12:00:00Z"),
            compare_url: None,
        };
        let preview = UpdatePreview { inputs: vec![moved], hosts: Vec::new() };
        let reason = RiskReason {
            level: RiskLevel::High,
            check: UpdateCheck::Issues,
            host: None,
            what: "linux 6.17.2: #7".to_owned(),
        };
        let risk = RiskAssessment { level: RiskLevel::High, reasons: vec![reason], notes: Vec::new() };
        let decision = UpdateDecision {
            verdict: Verdict::Apply,
            by: DecidedBy::Person,
            actor: "ada@desk".to_owned(),
            reason: "the answer was yes".to_owned(),
        };
        let lock_file =
            |state| Event::LockFile { state, path: "/x/flake.lock".to_owned(), remark: String::new() };
        let journal = Journal::new(&engine, "20251121-100000-aaaaaa", 60).of("c1", OLD, NEW).begin();
        journal
            .event(Event::UpdatePreview { preview: Box::new(preview) })
            .event(issues(IssueScope::Update, false))
            .event(Event::Risk { risk: Box::new(risk) })
            .event(Event::UpdateDecided { decision: Box::new(decision) })
            .event(lock_file(LockFileState::Updated))
            .evaluated("p620")
            .ended("p620", "deployed")
            .event(issues(IssueScope::Running, true))
            .event(lock_file(LockFileState::Kept))
            .finish(0)
            .write();
        engine.good(&["fleet", "flush"]);
        engine.good(&["fleet", "flush"]);
        for (sql, expected) in [
            ("SELECT command FROM runs", "update"),
            (
                "SELECT input || ' ' || url || ' ' || revision_before || ' ' || revision_after FROM update_inputs",
                "nixpkgs github:NixOS/nixpkgs 1111111aaaa 2222222bbbb",
            ),
            (
                "SELECT risk || ' ' || verdict || ' ' || decided_by || ' ' || actor || ' ' || lock_file FROM updates",
                "high apply person ada@desk kept",
            ),
            (
                "SELECT package || ' ' || version || ' ' || issue_number || ' ' || state || ' ' || severity \
                 FROM issue_findings ORDER BY id",
                "linux 6.17.2 7 update high, linux 6.17.2 7 afterwards high",
            ),
        ] {
            let rows: Vec<String> = engine.rows(sql).await.into_iter().flatten().collect();
            assert_eq!(rows.join(", "), expected, "{kind:?} {sql}");
        }
        let record = &engine.json(&["fleet", "show", "20251121-1000"])[0];
        assert_eq!(record["update"]["assessment"]["reasons"][0]["what"], "linux 6.17.2: #7");
        assert_eq!(record["update"]["inputs"][0]["date_after"], "2025-11-20T12:00:00Z");
        assert_eq!(record["hosts"][0]["issues"][0]["url"], "https://github.com/NixOS/nixpkgs/issues/7");
        let shown = engine.good(&["fleet", "show", "20251121-1000"]).stdout;
        for line in [
            "input nixpkgs: 1111111 → 2222222\n",
            "risk: high\n",
            "decided: apply, by person (ada@desk): the answer was yes\n",
            "flake.lock: kept\n",
        ] {
            assert!(shown.contains(line), "{kind:?} {line} in\n{shown}");
        }
    }
}
