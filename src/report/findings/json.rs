//! `--format json`: one object per line with the version of the format.
//!
//! Every line has `v` and `type`: `finding` lines carry a finding as the model
//! has it, `hardening` lines score a service of a built system, the last line is the `summary`. `v` rises when a field changes
//! meaning or goes; fields may be added.

use serde::Serialize;

use super::{Counts, Format, Found, Hardening, Page};
use crate::model::Finding;

/// Version of the format.
const SCHEMA_VERSION: u32 = 1;

/// The format.
pub(super) struct Json;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Entry<'a> {
    Finding {
        #[serde(flatten)]
        finding: &'a Finding,
        blocks: bool,
    },
    Hardening(&'a Hardening),
    Summary {
        files: usize,
        critical: usize,
        warning: usize,
        information: usize,
        suppressed: usize,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    #[serde(flatten)]
    entry: Entry<'a>,
}

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn text(&self, found: &Found<'_>, _: Page) -> String {
        let counts = Counts::of(found.findings);
        let summary = Entry::Summary {
            files: found.files,
            critical: counts.critical,
            warning: counts.warning,
            information: counts.information,
            suppressed: counts.suppressed,
        };
        let findings =
            found.findings.iter().map(|finding| Entry::Finding { finding, blocks: finding.blocks() });
        let mut text = String::new();
        for entry in findings.chain(found.hardening.iter().map(Entry::Hardening)).chain([summary]) {
            // Only a file name that is no text could not be written, and none reaches a finding.
            if let Ok(line) = serde_json::to_string(&Line { v: SCHEMA_VERSION, entry }) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::samples;
    use super::*;
    use crate::report::styles::Styles;

    #[test]
    fn each_line_has_the_version_and_the_last_one_counts() {
        let findings = samples::findings();
        let text = Json.text(&samples::found(&findings), Page::new(Styles::ASCII, None));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["v"] == 1));
        assert_eq!(lines[1]["type"], "finding");
        assert_eq!((&lines[1]["rule"], &lines[1]["blocks"]), (&"firewall-off".into(), &true.into()));
        assert_eq!(lines[1]["place"]["line"], 12);
        assert_eq!(lines[3]["suppressed"]["by"], "comment");
        let summary =
            r#"{"v":1,"type":"summary","files":7,"critical":1,"warning":2,"information":1,"suppressed":1}"#;
        assert_eq!(text.lines().last(), Some(summary));
    }
}
