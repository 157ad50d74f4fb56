//! What the checks of a run found, as rows: what counted, and what did not and
//! who let it pass.

use uuid::Uuid;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::values;
use crate::model::{Finding, RunId, Suppression};

/// Writes one finding of a host's deploy. Secrets were masked when it was made.
pub(super) async fn write(
    database: &mut Database,
    run: &RunId,
    event_id: Uuid,
    host: &str,
    finding: &Finding,
) -> Result<(), FleetError> {
    let file = finding.place.as_ref().map(|place| place.file.display().to_string());
    let line = finding.place.as_ref().map(|place| i64::from(place.line));
    let suppressed = finding.suppressed.as_ref().map(|suppression| match suppression {
        Suppression::Comment { reason } => format!("comment: {reason}"),
        Suppression::Baseline => "baseline".to_owned(),
        Suppression::Flag { actor } => format!("--allow by {actor}"),
    });
    let sql = "INSERT INTO findings (run_id, event_id, hostname, rule, severity, file, line, subject, message, \
               mend, suppressed, fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = values![
        run.as_str(),
        event_id,
        host,
        finding.rule.as_str(),
        finding.severity.as_str(),
        file.as_deref(),
        line,
        finding.subject.as_str(),
        finding.message.as_str(),
        finding.mend.as_str(),
        suppressed.as_deref(),
        finding.fingerprint.as_str()
    ];
    database.execute("write a finding", sql, &values).await?;
    Ok(())
}
