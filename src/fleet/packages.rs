//! Packages of a commit: what has to be built before its systems can be.
//!
//! A package is known by its derivation. Its name in the model is the
//! derivation's, but two hosts of a commit may need different derivations of one
//! name (`etc`, `system-path`): the second one is called `etc@` and the
//! beginning of its hash.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::database::Database;
use super::error::FleetError;
use super::rows;
use super::shared::{self, DerivationFacts, DerivationKey, DerivationKind, Status};
use super::value::{Cell, Value, values};
use crate::model::StorePath;

/// How much of a hash tells two derivations of one name apart.
const HASH: usize = 8;

/// Packages with those of them that each needs.
pub(crate) type Needs = BTreeMap<StorePath, BTreeSet<StorePath>>;

fn plain_name(drv_path: &StorePath) -> &str {
    drv_path.name().trim_end_matches(".drv")
}

fn long_name(drv_path: &StorePath) -> String {
    format!("{}@{}", plain_name(drv_path), drv_path.hash().get(..HASH).unwrap_or_default())
}

/// Records what a system needs to be built, ready for the builders.
pub(crate) async fn record(
    database: &mut Database,
    commit_id: i64,
    system_id: i64,
    needs: &Needs,
    time: Timestamp,
) -> Result<(), FleetError> {
    let known = known(database, commit_id).await?;
    let mut names: BTreeSet<String> = known.iter().map(|(name, ..)| name.clone()).collect();
    let paths: BTreeSet<&str> = known.iter().map(|(_, path, _)| path.as_str()).collect();
    let new = needs.keys().filter(|drv_path| !paths.contains(drv_path.as_str())).map(|drv_path| {
        let plain = plain_name(drv_path).to_owned();
        let name = if names.contains(&plain) { long_name(drv_path) } else { plain };
        names.insert(name.clone());
        let (pname, version) = shared::parse_name(plain_name(drv_path));
        let (kind, status) = (DerivationKind::Package.as_str(), Status::DryRunComplete as i64);
        values![commit_id, kind, name, drv_path.as_str(), time, status, pname, version]
    });
    let new: Vec<Vec<Value>> = new.collect();
    let columns = "commit_id, derivation_type, derivation_name, derivation_path, scheduled_at, status_id, \
                   pname, version";
    let tail = "ON CONFLICT (coalesce(commit_id, -1), derivation_name, derivation_type) DO NOTHING";
    rows::insert(database, "derivations", columns, new, tail).await?;
    let ids: BTreeMap<String, i64> =
        self::known(database, commit_id).await?.into_iter().map(|(_, path, id)| (path, id)).collect();
    let id = |drv_path: &StorePath| ids.get(drv_path.as_str()).copied();
    let mut pairs = BTreeSet::new();
    for (drv_path, its_needs) in needs {
        let Some(package_id) = id(drv_path) else { continue };
        pairs.insert((system_id, package_id));
        pairs.extend(its_needs.iter().filter_map(id).map(|needed| (package_id, needed)));
    }
    let pairs = pairs.into_iter().map(|(id, depends_on_id)| values![id, depends_on_id]).collect();
    let columns = "derivation_id, depends_on_id";
    rows::insert(database, "derivation_dependencies", columns, pairs, "ON CONFLICT DO NOTHING").await
}

/// Records a package that was built for a system.
pub(crate) async fn built(
    database: &mut Database,
    commit_id: Option<i64>,
    system_id: Option<i64>,
    drv_path: &StorePath,
    time: Timestamp,
) -> Result<(), FleetError> {
    let name = free_name(database, commit_id, drv_path).await?;
    let (pname, version) = shared::parse_name(plain_name(drv_path));
    let key = DerivationKey { commit_id, kind: DerivationKind::Package, name: &name };
    let facts =
        DerivationFacts { drv_path: Some(drv_path), pname: Some(pname), version, ..DerivationFacts::default() };
    let package_id = shared::derivation(database, key, Status::BuildComplete, &facts, time).await?;
    match system_id {
        Some(system_id) => shared::depends_on(database, system_id, package_id).await,
        None => Ok(()),
    }
}

/// The name under which a derivation is or can be recorded.
async fn free_name(
    database: &mut Database,
    commit_id: Option<i64>,
    drv_path: &StorePath,
) -> Result<String, FleetError> {
    let plain = plain_name(drv_path);
    let Some(commit_id) = commit_id else { return Ok(plain.to_owned()) };
    let sql = "SELECT derivation_path FROM derivations \
               WHERE commit_id = $1 AND derivation_name = $2 AND derivation_type = 'package'";
    let row = database.row("read the package", sql, &values![commit_id, plain]).await?;
    let other =
        row.as_ref().and_then(|cells| cells.first()?.text()).is_some_and(|path| path != drv_path.as_str());
    Ok(if other { long_name(drv_path) } else { plain.to_owned() })
}

/// A system that is built has all its packages, whoever built or fetched them.
pub(crate) async fn settle_with(
    database: &mut Database,
    system_id: i64,
    time: Timestamp,
) -> Result<(), FleetError> {
    let sql = "UPDATE derivations SET status_id = 10, completed_at = $2, error_message = NULL \
               WHERE derivation_type = 'package' AND status_id IN (5, 7, 12) \
               AND id IN (SELECT depends_on_id FROM derivation_dependencies WHERE derivation_id = $1) \
               AND id NOT IN (SELECT derivation_id FROM build_reservations)";
    database.execute("settle the system's packages", sql, &values![system_id, time]).await?;
    Ok(())
}

/// Name, derivation and row of every package of a commit.
async fn known(database: &mut Database, commit_id: i64) -> Result<Vec<(String, String, i64)>, FleetError> {
    let sql = "SELECT derivation_name, derivation_path, id FROM derivations \
               WHERE commit_id = $1 AND derivation_type = 'package'";
    let rows = database.rows("read the commit's packages", sql, &values![commit_id]).await?;
    let entry = |cells: Vec<Cell>| {
        let path = cells.get(1)?.text().unwrap_or_default().to_owned();
        Some((cells.first()?.text()?.to_owned(), path, cells.get(2)?.integer()?))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::database::Patience;
    use crate::fleet::migrate;
    use crate::fleet::url::Address;

    fn drv(first: char, name: &str) -> StorePath {
        let hash: String = std::iter::repeat_n(first, 32).collect();
        StorePath::new(format!("/nix/store/{hash}-{name}.drv")).unwrap()
    }

    #[tokio::test]
    async fn derivations_of_one_name_are_told_apart_and_one_derivation_is_one_row() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("fleet.db"));
        let mut database = migrate::open(&address, Patience::COMMAND).await.unwrap();
        let sql = "INSERT INTO flakes (name, repo_url) VALUES ('x', 'x')";
        database.execute("test", sql, &[]).await.unwrap();
        let now = Timestamp::now();
        let commit_id = shared::commit(&mut database, 1, "c", now).await.unwrap();
        let mut systems = Vec::new();
        for name in ["p620", "p510"] {
            let key = DerivationKey { commit_id: Some(commit_id), kind: DerivationKind::Nixos, name };
            let facts = DerivationFacts::default();
            systems.push(
                shared::derivation(&mut database, key, Status::DryRunComplete, &facts, now).await.unwrap(),
            );
        }
        let shared_lib = drv('0', "lib-1.0");
        let etc = |hash| {
            Needs::from([
                (drv(hash, "etc"), BTreeSet::from([shared_lib.clone()])),
                (shared_lib.clone(), BTreeSet::new()),
            ])
        };
        record(&mut database, commit_id, systems[0], &etc('1'), now).await.unwrap();
        record(&mut database, commit_id, systems[1], &etc('2'), now).await.unwrap();
        // Again, and by a deploy that built them.
        record(&mut database, commit_id, systems[1], &etc('2'), now).await.unwrap();
        built(&mut database, Some(commit_id), Some(systems[1]), &drv('2', "etc"), now).await.unwrap();
        let rows = database
            .rows(
                "test",
                "SELECT derivation_name, status_id FROM derivations WHERE derivation_type = 'package' ORDER BY 1",
                &[],
            )
            .await
            .unwrap();
        let rows: Vec<_> =
            rows.iter().map(|cells| (cells[0].text().unwrap(), cells[1].integer().unwrap())).collect();
        assert_eq!(rows, [("etc", 5), ("etc@22222222", 10), ("lib-1.0", 5)]);
        let sql = "SELECT count(*) FROM derivation_dependencies";
        let count = database.row("test", sql, &[]).await.unwrap().unwrap()[0].integer();
        assert_eq!(count, Some(6), "two of each system, one of each etc");
        settle_with(&mut database, systems[0], now).await.unwrap();
        let sql = "SELECT count(*) FROM derivations WHERE status_id = 10";
        assert_eq!(database.row("test", sql, &[]).await.unwrap().unwrap()[0].integer(), Some(3));
    }
}
