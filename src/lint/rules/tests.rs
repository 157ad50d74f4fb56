//! Walks the samples of every rule.

use std::path::Path;

use super::{nearest_rule, rules};
use crate::lint::{Layer, Level, Policy, check_text};
use crate::model::Severity;

fn found(id: &str, code: &str) -> Vec<(Severity, String)> {
    let mut policy = Policy::new();
    let info = super::find_rule(id).unwrap();
    if !info.on {
        policy.set_level(id, Level::At(info.severity)).unwrap();
    }
    let report = check_text(Path::new("sample.nix"), code.as_bytes(), &policy);
    let broken: Vec<_> =
        report.findings.iter().filter(|finding| crate::lint::judge::is_syntax(&finding.rule)).collect();
    assert!(broken.is_empty() || crate::lint::judge::is_syntax(id), "{id}: {code}: {broken:?}");
    let gave_up = report.findings.iter().any(|finding| finding.message.contains("gave up"));
    assert!(!gave_up, "{id}: {code}");
    let open = report.findings.iter().filter(|finding| finding.rule == id && finding.suppressed.is_none());
    open.map(|finding| (finding.severity, finding.message.clone())).collect()
}

#[test]
fn every_bad_sample_is_found_and_no_good_one() {
    let mut wrong = Vec::new();
    for info in rules().iter().filter(|info| info.layer != Layer::Evaluated) {
        for sample in info.bad {
            let found = found(info.id, sample.code);
            if found.is_empty() {
                wrong.push(format!("{} does not find: {}", info.id, sample.code));
            }
            for (severity, message) in found {
                assert!(severity <= info.severity, "{}: {message} is {severity:?}", info.id);
                if sample.note.starts_with("critical") {
                    assert_eq!(severity, Severity::Critical, "{}: {}", info.id, sample.code);
                }
            }
        }
        for sample in info.good {
            let found = found(info.id, sample.code);
            if !found.is_empty() {
                wrong.push(format!("{} finds {:?} in: {}", info.id, found, sample.code));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_rule_says_what_why_and_where_from() {
    for info in rules() {
        assert!(!info.summary.is_empty() && !info.summary.ends_with('.'), "{}", info.id);
        assert!(info.why.len() > 40 && info.why.ends_with('.'), "{}", info.id);
        assert!(!info.source.is_empty() && !info.bad.is_empty() && !info.good.is_empty(), "{}", info.id);
        assert!(info.id.chars().all(|next| next.is_ascii_lowercase() || next == '-'), "{}", info.id);
    }
    let ids: std::collections::BTreeSet<_> = rules().iter().map(|info| info.id).collect();
    assert_eq!(ids.len(), rules().len());
}

#[test]
fn a_critical_rule_can_be_critical() {
    for info in rules().iter().filter(|info| info.severity == Severity::Critical && info.layer == Layer::Source)
    {
        let worst =
            info.bad.iter().flat_map(|sample| found(info.id, sample.code)).map(|(severity, _)| severity).max();
        assert_eq!(worst, Some(Severity::Critical), "{}", info.id);
    }
}

#[test]
fn a_misspelt_id_has_a_nearest_one() {
    assert_eq!(nearest_rule("firewal-off"), Some("firewall-off"));
    assert_eq!(nearest_rule("hardcoded-secrets"), Some("hardcoded-secret"));
    assert_eq!(nearest_rule("quite-different-thing"), None);
}

#[test]
fn what_only_an_image_or_a_virtual_machine_sets_makes_it_one() {
    for (guest, setting) in [
        (true, "virtualisation.memorySize = 2048;"),
        (true, "virtualisation.qemu.options = [ ];"),
        (true, "isoImage.squashfsCompression = \"zstd\";"),
        (true, "sdImage.compressImage = false;"),
        (true, "microvm.shares = [ ];"),
        (false, "microvm.vms.a = { };"),
        (false, "virtualisation.docker.enable = true;"),
        (false, "virtualisation.vmVariant.virtualisation.memorySize = 2048;"),
    ] {
        let code = format!("{{ networking.firewall.enable = false; {setting} }}");
        let severities: Vec<_> =
            found("firewall-off", &code).into_iter().map(|(severity, _)| severity).collect();
        let expected = if guest { Severity::Information } else { Severity::Critical };
        assert_eq!(severities, [expected], "{setting}");
    }
}
