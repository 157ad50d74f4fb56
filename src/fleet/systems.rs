//! Systems: the hosts a flake is meant to have.

use super::database::Database;
use super::error::FleetError;
use super::identity::FlakeIdentity;
use super::query::places;
use super::shared;
use super::value::{Value, values};

/// A host that becomes a system of its flake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// Its name.
    pub(crate) hostname: String,
    /// The attribute below `nixosConfigurations`.
    pub(crate) attribute: String,
}

/// Whether the database has anything of a host.
pub(crate) async fn is_recorded(database: &mut Database, hostname: &str) -> Result<bool, FleetError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM systems WHERE hostname = $1) \
               OR EXISTS (SELECT 1 FROM deployment_events WHERE hostname = $1) \
               OR EXISTS (SELECT 1 FROM system_states WHERE hostname = $1) \
               OR EXISTS (SELECT 1 FROM derivations WHERE derivation_name = $1 AND derivation_type = 'nixos')";
    let row = database.row("look for a host", sql, &values![hostname]).await?;
    Ok(row.and_then(|cells| cells.first()?.boolean()).unwrap_or_default())
}

/// Makes hosts known as systems of a flake, all or none; one that was retired
/// comes back. Gives the names. A name that another flake has is refused: in
/// the model a name is one system.
pub(crate) async fn register(
    database: &mut Database,
    identity: &FlakeIdentity,
    hosts: &[Registration],
    environment: Option<&str>,
) -> Result<Vec<String>, FleetError> {
    database
        .transaction(async |database| {
            let flake_id = shared::flake(database, identity).await?;
            for host in hosts {
                refuse_other_flake(database, flake_id, &host.hostname).await?;
                let sql = "INSERT INTO systems (hostname, environment_id, is_active, public_key, flake_id, derivation) \
                           VALUES ($1, (SELECT id FROM environments WHERE name = $2), $3, '', $4, $5) \
                           ON CONFLICT (hostname) DO UPDATE SET is_active = excluded.is_active, \
                           flake_id = excluded.flake_id, derivation = excluded.derivation, \
                           environment_id = coalesce(excluded.environment_id, systems.environment_id), \
                           updated_at = $6";
                let derivation = format!("nixosConfigurations.{}", host.attribute);
                let now = jiff::Timestamp::now();
                let values = values![&host.hostname, environment, true, flake_id, derivation, now];
                database.execute("register a host", sql, &values).await?;
            }
            Ok(hosts.iter().map(|host| host.hostname.clone()).collect())
        })
        .await
}

async fn refuse_other_flake(database: &mut Database, flake_id: i64, hostname: &str) -> Result<(), FleetError> {
    let sql = "SELECT f.name FROM systems s JOIN flakes f ON f.id = s.flake_id \
               WHERE s.hostname = $1 AND s.flake_id <> $2 AND coalesce(s.is_active, true)";
    let row = database.row("look for a host", sql, &values![hostname, flake_id]).await?;
    match row.as_ref().and_then(|cells| cells.first()?.text()) {
        None => Ok(()),
        Some(other) => Err(FleetError::Missing {
            what: format!("{hostname} is registered with another flake, {other}"),
            hint: format!(
                "`nix-deploy fleet retire {hostname}` first, when it has moved; else give it another name"
            ),
        }),
    }
}

/// Leaves hosts out of the questions and gives the names of those that were
/// not left out before. One that only reports is made known for that.
pub(crate) async fn retire(database: &mut Database, hosts: &[String]) -> Result<Vec<String>, FleetError> {
    database
        .transaction(async |database| {
            let list = places(0, hosts.len());
            let names: Vec<Value> = hosts.iter().map(Value::from).collect();
            let sql = format!("SELECT hostname FROM systems WHERE NOT coalesce(is_active, true) AND hostname IN ({list})");
            let rows = database.rows("read the systems", &sql, &names).await?;
            let before: Vec<&str> = rows.iter().filter_map(|cells| cells.first()?.text()).collect();
            let mut retired = Vec::new();
            for host in hosts.iter().filter(|host| !before.contains(&host.as_str())) {
                let sql = "INSERT INTO systems (hostname, is_active, public_key, derivation) VALUES ($1, $2, '', '') \
                           ON CONFLICT (hostname) DO UPDATE SET is_active = excluded.is_active, updated_at = $3";
                let values = values![host, false, jiff::Timestamp::now()];
                database.execute("retire a host", sql, &values).await?;
                retired.push(host.clone());
            }
            Ok(retired)
        })
        .await
}
