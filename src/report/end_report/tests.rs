//! The end report, word for word, and what it never says.

use super::*;
use crate::model::SourceState;
use crate::report::layout::page;
use crate::report::story::{NASTY, host, rolled_back, success, system, unchanged};
use crate::report::styles::Styles;

fn run() -> Gathered {
    let commit = Some("4f2c1aa9d1e0b7c34f2c1aa9d1e0b7c34f2c1aa9".to_owned());
    Gathered {
        source: Some(SourceState { commit, ..SourceState::default() }),
        run_dir: "/state/runs/1".to_owned(),
        ..Gathered::default()
    }
}

fn shown(report: &HostReport, page: Page) -> String {
    page.render_all(&host_report(&host("p620"), report, &run(), page))
}

#[test]
fn a_successful_deploy_reads_as_in_the_documentation() {
    let mut report = success();
    report.outcome = HostOutcome::Deployed;
    let expected = "\
DEPLOYMENT REPORT: p620                                        SUCCESS  2m 45s
Generation 1235 → 1236   commit 4f2c1aa (clean)   kernel unchanged
Changes       modules/services/monitoring.nix; 2 packages updated, 1
              downgraded, 1 added, 1 removed, 2 rebuilt, +12.4 MiB
Services      prometheus.service restarted (0.8 s); grafana.service unchanged
Validate      ✓ host facts 0.3 s
Test          ✓ evaluate 4.2 s   ✓ build 38 s   ✓ changes
Deploy        ✓ copy 3.1 s (14 paths, 22.0 MiB)   ✓ activate 4.1 s   ✓ proved
              ✓ verify 12 s   ✓ committed
Observe       ✓ 23/23 services   ✓ ssh, dns
Warnings      1 unit had failed before this deploy: foo.service
";
    assert_eq!(shown(&report, page(120)), expected);
}

#[test]
fn a_host_that_was_rebooted_is_not_asked_to_be_rebooted_again() {
    let mut report = success();
    if let Some(changes) = &mut report.changes {
        changes.reboot_needed = true;
    }
    let waiting = shown(&report, page(200));
    assert!(waiting.contains("reboot needed") && waiting.contains("--reboot"), "{waiting}");
    let summary = "up after 12 s, 23 units".to_owned();
    let outcome = StepOutcome::Passed;
    report.steps.push(StepRecord { step: StepId::Reboot, outcome, elapsed_ms: 19_000, summary });
    let rebooted = shown(&report, page(200));
    assert!(rebooted.contains("✓ reboot 19 s (up after 12 s, 23 units)"), "{rebooted}");
    assert!(rebooted.contains("   rebooted") && !rebooted.contains("--reboot"), "{rebooted}");
}

#[test]
fn a_host_that_is_not_well_after_its_reboot_is_not_said_to_be_unchanged() {
    let mut report = success();
    report.outcome = HostOutcome::Failed;
    report.failure = Some(Failure::new(FailureClass::HostNotWell, "after the reboot: x.service failed"));
    report.truth = Some(crate::model::Truth {
        current_system: report.new.clone(),
        profile: report.new.clone(),
        generation: Some(1236),
        state: None,
        supervisor_alive: false,
        boot_id: "b2".to_owned(),
    });
    let text = shown(&report, page(200));
    assert!(text.contains("not taken back; it runs the new system and boots the new system"), "{text}");
}

#[test]
fn a_rollback_says_what_why_what_was_seen_done_and_what_is_next() {
    let expected = "\
DEPLOYMENT REPORT: p620                                    ROLLED BACK  1m 12s
Generation 1235   commit 4f2c1aa (clean)   kernel unchanged
Changes       modules/services/monitoring.nix; 2 packages updated, 1
              downgraded, 1 added, 1 removed, 2 rebuilt, +12.4 MiB
Services      prometheus.service failed; grafana.service restarted (0.8 s)
Validate      ✓ host facts 0.3 s
Test          ✓ evaluate 4.2 s   ✓ build 38 s   ✓ changes
Deploy        ✓ copy 3.1 s (14 paths, 22.0 MiB)   ✓ activate 4.1 s   ✓ proved
              ✗ verify 3.2 s
Failed        prometheus.service failed after the activation on p620
Why           its main process ended with exit code 1 (Result=exit-code, 3
              restarts)
Evidence      │ Nov 21 12:01:07 p620 prometheus[812]: level=error err=\"error
              │ loading config\"
              │ Nov 21 12:01:07 p620 systemd[1]: prometheus.service: Main
              │ process exited, code=exited, status=1/FAILURE
Done          rolled back: generation 1235 runs again and the host is well
Next          see the whole log: ssh p620 journalctl -u prometheus.service
              logs of this run: /state/runs/1
";
    assert_eq!(shown(&rolled_back(), page(120)), expected);
}

#[test]
fn what_failed_to_build_here_is_not_said_to_have_failed_on_the_host() {
    let failure = Some(Failure::new(FailureClass::Build, "nginx failed to build"));
    let text = shown(&HostReport { failure, ..rolled_back() }, page(200));
    assert!(text.contains("Failed        nginx failed to build\n"), "{text}");
}

#[test]
fn a_failed_rollback_says_what_runs_and_how_to_mend_it_by_hand() {
    let mut report = rolled_back();
    report.outcome = HostOutcome::RollbackFailed;
    if let Some(truth) = &mut report.truth {
        truth.current_system = Some(system("p620-new"));
    }
    let text = shown(&report, page(120));
    assert!(text.contains("Done          the rollback failed; it runs the new system and boots the old"));
    let by_hand = "by hand, as root on the host:\n              nix-env -p /nix/var/nix/profiles/system --set";
    assert!(text.contains(by_hand), "{text}");
    assert!(text.contains("/bin/switch-to-configuration switch\n"), "{text}");
}

#[test]
fn a_host_that_could_not_be_asked_is_never_called_well() {
    let mut report = rolled_back();
    (report.outcome, report.truth) = (HostOutcome::Unknown, None);
    let text = shown(&report, page(120));
    assert!(text.contains("Done          not known; the host could not be asked at the end"), "{text}");
    assert!(text.contains("run nix-deploy p620 again"), "{text}");
    let failure = report.failure.take();
    report.failure = failure.map(|failure| failure.hint("run the same command again to see which"));
    let text = shown(&report, page(120));
    assert_eq!(text.matches(" again").count(), 1, "{text}");
}

#[test]
fn what_was_set_right_by_itself_is_told_with_its_reason() {
    let mut report = success();
    let what = crate::model::RecoveryKind::CollectGarbage;
    report.recoveries = vec![
        Recovery::in_vain(what, "p620 has not enough room", "0 paths deleted"),
        Recovery::helped(what, "p620 has not enough room", "37 paths deleted, 95.37 MiB freed"),
    ];
    let text = shown(&report, page(200));
    let expected = "Recovered     in vain: p620 has not enough room: 0 paths deleted\n              \
                    p620 has not enough room: 37 paths deleted, 95.37 MiB freed\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn an_unchanged_host_takes_one_line() {
    let text = shown(&unchanged(), page(120));
    assert_eq!(text, "DEPLOYMENT REPORT: p620   generation 1235                     UNCHANGED  1.2 s\n");
}

#[test]
fn a_host_of_which_nothing_is_known_has_only_the_rows_that_say_something() {
    let refused = |message: &str| Failure::new(FailureClass::Unfit, message);
    let (outcome, summary) = (StepOutcome::Failed, String::new());
    let report = HostReport {
        outcome: HostOutcome::Failed,
        generation_before: None,
        generation_after: None,
        old: None,
        failure: Some(Failure { unreached: true, ..refused("p620 cannot be reached") }),
        steps: vec![StepRecord { step: StepId::HostFacts, outcome, elapsed_ms: 10_000, summary }],
        ..unchanged()
    };
    let expected = "\
DEPLOYMENT REPORT: p620                                     UNREACHABLE  1.2 s
commit 4f2c1aa (clean)
Validate      ✗ host facts 10 s
Failed        p620 cannot be reached
Done          it was not reached: nothing was changed by this run
Next          logs of this run: /state/runs/1
";
    assert_eq!(shown(&report, page(120)), expected);
    let failure = Some(refused("p620 refused the login"));
    let text = shown(&HostReport { failure, ..report }, page(120));
    assert!(text.contains(" FAILED  1.2 s"), "{text}");
    assert!(text.contains("Done          nothing was changed on the host\n"), "{text}");
}

#[test]
fn foreign_text_never_drives_the_terminal_and_never_leaves_its_width() {
    let mut report = rolled_back();
    report.warnings = vec![NASTY.repeat(20), "w".repeat(300)];
    report.services[0].unit = NASTY.to_owned();
    if let Some(failure) = &mut report.failure {
        failure.message = NASTY.to_owned();
        failure.evidence = vec![NASTY.to_owned(); 100];
    }
    for columns in [20, 40, 61, 200] {
        for line in host_report(&host(&"p".repeat(63)), &report, &run(), page(columns)) {
            let text = page(columns).render(&line);
            assert!(!text.contains(char::is_control), "{text:?}");
            // A word is never broken; whatever has spaces is.
            let label = if columns <= 60 { 10 } else { 14 };
            let beside: String = text.chars().skip(label).collect();
            let is_word = !beside.trim_start_matches("│ ").contains(' ');
            assert!(is_word || line.width() < columns.max(21), "{columns}: {text}");
        }
    }
    assert!(shown(&report, page(80)).contains("… 70 lines before"));
}

#[test]
fn without_unicode_the_report_is_ascii_and_with_colour_its_text_is_the_same() {
    let ascii = shown(&rolled_back(), Page::new(Styles::ASCII, Some(80)));
    assert!(ascii.is_ascii(), "{ascii}");
    let color = shown(&rolled_back(), Page::new(Styles::COLOR, Some(80)));
    assert!(color.contains("\u{1b}["));
    assert_eq!(crate::model::text::clean(&color), shown(&rolled_back(), page(80)));
}

#[test]
fn what_ran_before_is_no_generation_where_the_host_would_boot_another_one() {
    let failure = Some(Failure::new(FailureClass::Build, "nginx failed to build"));
    let report = HostReport { outcome: HostOutcome::Failed, failure, ..unchanged() };
    let text = shown(&report, page(120));
    assert!(text.contains("nothing was changed on the host: generation 1235 still runs"), "{text}");
    let text = shown(&HostReport { ran_another: true, ..report }, page(120));
    assert!(text.contains("nothing was changed on the host: what ran before still runs"), "{text}");
}
