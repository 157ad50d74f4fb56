//! Writes what was measured of a host: before, as soon as it is known, and both
//! sides once it was looked at again.

use uuid::Uuid;

use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::rows;
use crate::fleet::value::values;
use crate::model::{Measured, Resource};

/// What was measured before the deploy.
pub(super) async fn write_before(
    database: &mut Database,
    event_id: Uuid,
    measured: &Measured,
) -> Result<(), FleetError> {
    let values = measured.iter().map(|(metric, value)| values![event_id, metric.as_str(), *value]).collect();
    let tail = "ON CONFLICT (event_id, name) DO UPDATE SET value_before = excluded.value_before";
    rows::insert(database, "resources", "event_id, name, value_before", values, tail).await
}

/// What was measured before and after it.
pub(super) async fn write_both(
    database: &mut Database,
    event_id: Uuid,
    resources: &[Resource],
) -> Result<(), FleetError> {
    let values = resources
        .iter()
        .map(|resource| values![event_id, resource.metric.as_str(), resource.before, resource.after])
        .collect();
    let tail = "ON CONFLICT (event_id, name) DO UPDATE \
                SET value_before = excluded.value_before, value_after = excluded.value_after";
    rows::insert(database, "resources", "event_id, name, value_before, value_after", values, tail).await
}
