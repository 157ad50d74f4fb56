//! `--format sarif`: SARIF 2.1.0 (OASIS standard), as code scanning services
//! take it.
//!
//! Suppressed findings are there with their suppression, as the standard wants
//! it. What was seen on a built system has no line: it is placed in the flake
//! that the system was built from, because services drop a result without a
//! file, and names host and unit as its logical location.

use serde_json::{Value, json};

use super::{Format, Found, Page, message};
use crate::model::text::clean;
use crate::model::{Finding, Severity, Suppression};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Where what was seen on a built system is placed.
const FLAKE: &str = "flake.nix";

/// The format.
pub(super) struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn text(&self, found: &Found<'_>, _: Page) -> String {
        let rules: Vec<Value> = found
            .rules
            .iter()
            .map(|rule| {
                json!({
                    "id": rule.id,
                    "shortDescription": { "text": rule.what },
                    "fullDescription": { "text": rule.why },
                    "help": { "text": format!("{}\n\n{}\n\nnix-deploy explain {}", rule.what, rule.why, rule.id) },
                    "defaultConfiguration": {
                        "enabled": rule.severity.is_some(),
                        "level": level(rule.severity.unwrap_or(Severity::Information)),
                    },
                })
            })
            .collect();
        let index_of = |finding: &Finding| found.rules.iter().position(|rule| rule.id == finding.rule);
        let results: Vec<Value> =
            found.findings.iter().map(|finding| result(finding, index_of(finding))).collect();
        let log = json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "nix-deploy",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules,
                } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        format!("{log:#}\n")
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Information => "note",
    }
}

fn result(finding: &Finding, rule_index: Option<usize>) -> Value {
    let text = match finding.mend.as_str() {
        "" => clean(&message(finding)),
        mend => format!("{}\n{}", clean(&message(finding)), clean(mend)),
    };
    let mut location = match &finding.place {
        Some(place) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file.to_string_lossy()) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        } }),
        None => json!({ "physicalLocation": { "artifactLocation": { "uri": FLAKE } } }),
    };
    if let Some(host) = &finding.host {
        let name = match finding.subject.as_str() {
            "" => host.to_string(),
            subject => format!("{host}/{}", clean(subject)),
        };
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name }]);
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location],
        "partialFingerprints": { "nixDeployFinding/v1": finding.fingerprint },
    });
    if let Some(index) = rule_index {
        result["ruleIndex"] = json!(index);
    }
    if let Some(suppression) = &finding.suppressed {
        let (kind, justification) = match suppression {
            Suppression::Comment { reason } => ("inSource", clean(reason)),
            Suppression::Baseline => ("external", "in the baseline file".to_owned()),
            Suppression::Flag { actor } => ("external", format!("allowed for one run by {}", clean(actor))),
        };
        result["suppressions"] = json!([{ "kind": kind, "justification": justification }]);
    }
    result
}

/// A path as a relative URI reference (RFC 3986): what is not unreserved is
/// percent-encoded, byte by byte; slashes stay.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::report::styles::Styles;

    fn validator() -> jsonschema::Validator {
        // The published text has one pattern that is no regular expression: a
        // stray bracket, which strict validators refuse.
        let schema = include_str!("../../../tests/fixtures/sarif/sarif-schema-2.1.0.json");
        let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
        let schema = schema.as_str();
        jsonschema::draft7::new(&serde_json::from_str(schema).unwrap()).unwrap()
    }

    fn log(findings: &[Finding]) -> Value {
        let text = Sarif.text(&samples::found(findings), Page::new(Styles::ASCII, None));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_log_is_valid_against_the_published_schema() {
        let validator = validator();
        let mut nasty = samples::findings();
        for finding in &mut nasty {
            finding.message.push_str("\u{1b}[2J\u{0}\n");
            if let Some(place) = &mut finding.place {
                place.file = "a b/ü%:#?.nix".into();
            }
        }
        for findings in [Vec::new(), samples::findings(), nasty] {
            let log = log(&findings);
            let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}\n{log:#}");
        }
        // The schema is one that can say no.
        assert!(!validator.is_valid(&json!({ "version": "2.1.0", "runs": [{ "tool": {} }] })));
    }

    #[test]
    fn results_point_to_their_rule_and_suppressions_are_kept() {
        let log = log(&samples::findings());
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        }
        assert_eq!(run["results"][1]["level"], "error");
        assert_eq!(run["results"][1]["locations"][0]["physicalLocation"]["region"]["startColumn"], 2);
        assert_eq!(run["results"][3]["suppressions"][0]["kind"], "inSource");
        let logical = &run["results"][4]["locations"][0]["logicalLocations"][0];
        assert_eq!(logical["fullyQualifiedName"], "p620/worker.service");
    }

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("hosts/a b#ü.nix"), "hosts/a%20b%23%C3%BC.nix");
    }
}
