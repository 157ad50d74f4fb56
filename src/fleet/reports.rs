//! What a host said when it was asked: a report when something changed, else a
//! heartbeat of its newest report.

use jiff::{SignedDuration, Timestamp};

use super::database::Database;
use super::error::FleetError;
use super::shared::{self, ChangeReason, Report};
use super::value::{Cell, values};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// A report: it is the first one, or something is not as it was.
    Changed,
    /// A heartbeat.
    Same,
}

/// What the newest report of a host says.
struct Newest {
    id: i64,
    store_path: String,
    time: Timestamp,
    kernel: Option<String>,
    nixos_version: Option<String>,
    address: Option<String>,
}

/// Writes what a host said at `report.time`; its reason is found out here.
/// `version` is that of the program that asked.
pub(crate) async fn note(
    database: &mut Database,
    report: &Report<'_>,
    version: &str,
) -> Result<Noted, FleetError> {
    database
        .transaction(async |database| {
            let newest = newest(database, report.hostname).await?;
            match (newest.as_ref().map_or(Some(ChangeReason::Startup), |newest| change(newest, report)), newest)
            {
                (None, Some(newest)) => {
                    shared::heartbeat(database, newest.id, report.time, version).await?;
                    Ok(Noted::Same)
                }
                (reason, _) => {
                    let reason = reason.unwrap_or(ChangeReason::StateDelta);
                    shared::report(database, &Report { reason, ..report.clone() }).await?;
                    Ok(Noted::Changed)
                }
            }
        })
        .await
}

/// Why this is a report and no heartbeat; `None` when nothing has changed.
fn change(newest: &Newest, report: &Report<'_>) -> Option<ChangeReason> {
    // A deploy has reported since the host was asked; the answer is the older one.
    if newest.time > report.time {
        return None;
    }
    if newest.store_path != report.store_path.as_str() {
        return Some(ChangeReason::StateDelta);
    }
    let uptime = report.uptime.and_then(|seconds| i64::try_from(seconds).ok()).map(SignedDuration::from_secs);
    let booted = uptime.and_then(|uptime| report.time.checked_sub(uptime).ok());
    if booted.is_some_and(|booted| newest.time < booted) {
        return Some(ChangeReason::Startup);
    }
    let differs = |old: &Option<String>, new: Option<&str>| new.is_some() && old.as_deref() != new;
    (differs(&newest.kernel, report.kernel)
        || differs(&newest.nixos_version, report.nixos_version)
        || differs(&newest.address, report.address))
    .then_some(ChangeReason::StateDelta)
}

async fn newest(database: &mut Database, hostname: &str) -> Result<Option<Newest>, FleetError> {
    let sql = "SELECT id, store_path, \"timestamp\", kernel, nixos_version, primary_ip_address FROM system_states \
               WHERE hostname = $1 ORDER BY \"timestamp\" DESC, id DESC LIMIT 1";
    let row = database.row("read the newest report", sql, &values![hostname]).await?;
    Ok(row.and_then(|cells| {
        let text = |index: usize| cells.get(index).and_then(Cell::text).map(str::to_owned);
        Some(Newest {
            id: cells.first()?.integer()?,
            store_path: text(1)?,
            time: cells.get(2)?.time()?,
            kernel: text(3),
            nixos_version: text(4),
            address: text(5),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::migrate;
    use crate::fleet::url::Address;
    use crate::model::StorePath;

    #[tokio::test]
    async fn only_what_has_changed_is_a_report() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        let path = |first: char| {
            let hash: String = std::iter::repeat_n(first, 32).collect();
            StorePath::new(format!("/nix/store/{hash}-nixos-system-p620")).unwrap()
        };
        let (old, new) = (path('0'), path('1'));
        let rows = [
            // second, path, uptime, kernel, what is written
            (1_000, &old, 500, "6.6.1", "startup"),
            (1_100, &old, 600, "6.6.1", "heartbeat"),
            (1_200, &new, 700, "6.6.1", "state_delta"),
            (1_150, &old, 650, "6.6.1", "heartbeat"),
            (1_300, &new, 50, "6.6.1", "startup"),
            (1_400, &new, 150, "6.6.1", "heartbeat"),
            (1_500, &new, 250, "6.6.2", "state_delta"),
        ];
        for (second, store_path, uptime, kernel, expected) in rows {
            let report = Report {
                hostname: "p620",
                store_path,
                reason: ChangeReason::StateDelta,
                time: Timestamp::from_second(second).unwrap(),
                uptime: Some(uptime),
                nixos_version: Some("24.11"),
                kernel: Some(kernel),
                address: None,
            };
            let noted = note(&mut database, &report, "1.0").await.unwrap();
            assert_eq!(noted == Noted::Same, expected == "heartbeat", "{second}");
            if noted == Noted::Changed {
                let sql = "SELECT change_reason FROM system_states ORDER BY id DESC LIMIT 1";
                let row = database.row("test", sql, &[]).await.unwrap().unwrap();
                assert_eq!(row[0].text(), Some(expected), "{second}");
            }
        }
        let sql = "SELECT count(*), count(agent_version) FROM agent_heartbeats";
        let row = database.row("test", sql, &[]).await.unwrap().unwrap();
        assert_eq!((row[0].integer(), row[1].integer()), (Some(3), Some(3)));
    }
}
