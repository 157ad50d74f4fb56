//! Hosts that their last deploy did not reach. The status of the schema is `failed` for
//! them, too; the report of the deploy says why.

use std::collections::BTreeSet;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::Cell;
use crate::model::HostReport;

const LAST_FAILED: &str = "SELECT e.hostname, e.report FROM deployment_events e \
     WHERE e.status = 'failed' AND e.report IS NOT NULL AND NOT EXISTS ( \
         SELECT 1 FROM deployment_events n WHERE n.hostname = e.hostname \
         AND (n.started_at > e.started_at OR (n.started_at = e.started_at AND n.id > e.id)))";

/// The names of the hosts that nobody reached in their last deploy.
pub(crate) async fn unreached(database: &mut Database) -> Result<BTreeSet<String>, FleetError> {
    let rows = database.rows("read the last deploys", LAST_FAILED, &[]).await?;
    let is_unreached =
        |text: &str| serde_json::from_str::<HostReport>(text).is_ok_and(|report| report.is_unreached());
    let named = rows.iter().filter(|cells| cells.get(1).and_then(Cell::text).is_some_and(is_unreached));
    Ok(named.filter_map(|cells| cells.first()?.text().map(str::to_owned)).collect())
}
