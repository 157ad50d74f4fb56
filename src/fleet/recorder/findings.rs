//! What the checks of a run found, as rows: what counted, and what did not and
//! who let it pass.

use uuid::Uuid;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::rows;
use crate::fleet::value::values;
use crate::model::{Finding, HostName, RunId, Suppression};

const COLUMNS: &str = "run_id, event_id, hostname, rule, severity, file, line, subject, message, mend, suppressed, \
                       fingerprint";

/// Writes findings of a host's deploy, or of the whole run when they are about none.
/// Secrets were masked when they were made.
pub(super) async fn write(
    database: &mut Database,
    run: &RunId,
    deploy: Option<(Uuid, &str)>,
    findings: &[Finding],
) -> Result<(), FleetError> {
    let (event_id, host) = deploy.unzip();
    let row = |finding: &Finding| {
        let file = finding.place.as_ref().map(|place| place.file.display().to_string());
        let line = finding.place.as_ref().map(|place| i64::from(place.line));
        let suppressed = finding.suppressed.as_ref().map(|suppression| match suppression {
            Suppression::Comment { reason } => format!("comment: {reason}"),
            Suppression::Baseline => "baseline".to_owned(),
            Suppression::Flag { actor } => format!("--allow by {actor}"),
        });
        values![
            run.as_str(),
            event_id,
            host.or(finding.host.as_ref().map(HostName::as_str)),
            finding.rule.as_str(),
            finding.severity.as_str(),
            file.as_deref(),
            line,
            finding.subject.as_str(),
            finding.message.as_str(),
            finding.mend.as_str(),
            suppressed.as_deref(),
            finding.fingerprint.as_str()
        ]
    };
    rows::insert(database, "findings", COLUMNS, findings.iter().map(row).collect(), "").await
}
