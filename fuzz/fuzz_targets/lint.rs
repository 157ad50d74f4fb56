//! Odd texts for the parser front, every rule and every fix.
//!
//! The modules are taken in by path: the rest of the program (network, SSH) need
//! not be built for this.

#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../src/lint/mod.rs"]
mod lint;
#[path = "../../src/model/mod.rs"]
mod model;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use lint::{Baseline, Policy, check_text, fix_text, unified_diff};

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.nix");
    let policy = Policy::new();
    let report = check_text(path, bytes, &policy);
    let text = String::from_utf8_lossy(bytes);
    for finding in &report.findings {
        let place = finding.place.as_ref().expect("a finding of a text has a place");
        assert!(place.start <= place.end && place.end <= text.len(), "{finding:?}");
        assert!(place.line >= 1 && place.column >= 1 && place.end_line >= place.line, "{finding:?}");
        assert!(!finding.message.contains("gave up"), "{finding:?}");
    }
    assert_eq!(report.findings, check_text(path, bytes, &policy).findings, "the same text, the same findings");
    let mut again = report.findings.clone();
    let left = Baseline::of(&again).apply(&mut again);
    assert_eq!(left, 0);
    if let Some(fixed) = fix_text(path, &text, &policy) {
        assert_eq!(fix_text(path, &fixed.text, &policy), None, "a second run changes something");
        let broken = |finding: &model::Finding| finding.rule == "syntax-error" || finding.rule == "undefined-var";
        let after = check_text(path, fixed.text.as_bytes(), &policy);
        assert!(!after.findings.iter().any(broken), "{}", fixed.text);
        let _ = unified_diff(path, &text, &fixed.text);
    }
});
