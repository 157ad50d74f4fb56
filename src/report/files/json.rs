//! A run as one JSON object, for programs that were not there to follow it.

use serde_json::{Value, json};

use super::document::Document;

/// Version of the form; it rises when a field changes meaning or goes.
const VERSION: u32 = 1;

/// The report.
pub(super) fn text(document: &Document) -> String {
    let run = &document.gathered;
    let hosts: Vec<Value> = document
        .in_order()
        .into_iter()
        .map(|(host, known, report)| {
            json!({
                "host": host,
                "outcome": report.map(|report| report.outcome),
                "target": run.targets.get(host),
                "report": report,
                "timeline": known.steps,
                "before": known.facts,
                "findings": run.findings.get(host).map(Vec::as_slice).unwrap_or_default(),
            })
        })
        .collect();
    let report = json!({
        "v": VERSION,
        "type": "report",
        "run": document.run,
        "command": run.command,
        "issue": run.issue,
        "action": run.action,
        "mode": document.mode,
        "actor": document.actor,
        "flake": document.flake,
        "tool_version": document.tool_version,
        "started": document.started,
        "elapsed_ms": document.elapsed_ms(),
        "interrupted": document.interrupted,
        "exit_code": run.end.as_ref().map(|end| end.exit_code),
        "outcome": document.outcome(),
        "source": run.source,
        "warnings": document.warnings,
        "hosts": hosts,
    });
    format!("{report:#}\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_report_has_hosts_in_order_with_timeline_report_and_findings() {
        let report: Value = serde_json::from_str(&text(&samples::two_hosts())).unwrap();
        assert_eq!(report["exit_code"], 6);
        assert_eq!(report["command"], "deploy");
        assert_eq!(report["hosts"][0]["host"], "p620");
        assert_eq!(report["hosts"][0]["outcome"], "deployed-with-warnings");
        assert_eq!(report["hosts"][0]["timeline"][1]["step"], "evaluate");
        assert_eq!(report["hosts"][0]["timeline"][1]["begun_ms"], 20);
        assert_eq!(report["hosts"][0]["findings"][0]["rule"], "firewall-off");
        assert_eq!(report["hosts"][1]["report"]["failure"]["class"], "rolled-back");
    }

    #[test]
    fn a_run_that_was_cut_off_says_what_is_known() {
        let report: Value = serde_json::from_str(&text(&samples::cut_off())).unwrap();
        assert_eq!((&report["exit_code"], &report["interrupted"]), (&Value::Null, &Value::Bool(true)));
        assert_eq!(report["hosts"][0]["report"], Value::Null);
    }
}
