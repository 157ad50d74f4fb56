//! The timeline of commits.
//!
//! The view gives all of the last 30 days. For its newest few commits the same
//! question is asked with only these commits, so that the answer does not cost
//! what all of them cost; a test compares the two.

use super::Kind::{Integer, Text, Time};
use super::{Answer, Column, Narrowed, places, plain, shown};
use crate::fleet::database::Database;
use crate::fleet::error::FleetError;
use crate::fleet::value::Value;

/// The columns of the timeline.
pub(crate) static TIMELINE_COLUMNS: [Column; 16] = [
    plain("flake_id", Integer),
    shown("flake_name", Text, "FLAKE"),
    plain("commit_id", Integer),
    plain("git_commit_hash", Text),
    shown("short_hash", Text, "COMMIT"),
    shown("commit_timestamp", Time, "TIME"),
    shown("total_evaluations", Integer, "EVALUATED"),
    shown("successful_evaluations", Integer, "GOOD"),
    plain("evaluation_statuses", Text),
    plain("evaluated_targets", Text),
    shown("first_deployment", Time, "FIRST DEPLOYED"),
    plain("last_deployment", Time),
    shown("total_systems_deployed", Integer, "HOSTS"),
    shown("currently_deployed_systems", Integer, "NOW ON"),
    plain("deployed_systems", Text),
    shown("currently_deployed_systems_list", Text, "RUNNING IT"),
];

/// Where the views are defined: the timeline's own text is taken from there.
const VIEWS: &str = include_str!("../migrations/both/0008_views.sql");
const BEGIN: &str = "CREATE VIEW view_commit_deployment_timeline AS\n";
/// What picks the commits in the view's text.
const RECENT: &str = "WHERE c.commit_timestamp >= (SELECT ago_30_days FROM fleet_clock)";

/// The timeline, newest first. With hosts, only commits that were deployed to
/// one of them.
pub(crate) async fn timeline(database: &mut Database, narrowed: &Narrowed) -> Result<Answer, FleetError> {
    let doing = "read the timeline";
    let mut values: Vec<Value> = Vec::new();
    let mut sql = view().to_owned();
    let mut picked = RECENT.to_owned();
    if let Some(since) = narrowed.since {
        values.push(since.into());
        picked = format!("{picked} AND c.commit_timestamp >= ${}", values.len());
    }
    match &narrowed.hosts {
        None => {
            if let Some(limit) = narrowed.limit {
                values.push(limit.into());
                picked =
                    format!("{picked} ORDER BY c.commit_timestamp DESC, c.id DESC LIMIT ${}", values.len());
            }
            sql = sql.replace(RECENT, &picked);
        }
        Some(hosts) => {
            let list = places(values.len(), hosts.len());
            values.extend(hosts.iter().map(Value::from));
            sql = sql.replace(RECENT, &picked);
            sql = format!(
                "SELECT * FROM ({sql}) everything WHERE commit_id IN (\
                 SELECT commit_id FROM deployment_events WHERE hostname IN ({list}) AND status = 'success' \
                 UNION SELECT d.commit_id FROM first_reports p JOIN derivations d ON d.store_path = p.store_path \
                 AND d.derivation_type = 'nixos' WHERE p.hostname IN ({list}))"
            );
            if let Some(limit) = narrowed.limit {
                values.push(limit.into());
                sql = format!("{sql} LIMIT ${}", values.len());
            }
        }
    }
    let names: Vec<&str> = TIMELINE_COLUMNS.iter().map(|column| column.name).collect();
    let rows = database.answer(doing, &names, &format!("FROM ({sql}) timeline"), &values).await?;
    Ok(Answer { columns: &TIMELINE_COLUMNS, rows })
}

/// The text of the view.
fn view() -> &'static str {
    let text = VIEWS.split_once(BEGIN).map_or("", |(_, rest)| rest);
    text.split_once(";\n").map_or(text, |(view, _)| view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_the_view_is_found_with_its_columns_in_order() {
        assert_eq!(view().matches(RECENT).count(), 1);
        let (_, select) = view().rsplit_once("\nSELECT ").unwrap();
        let mut rest = select;
        for column in TIMELINE_COLUMNS {
            let (_, after) = rest.split_once(column.name).unwrap_or_else(|| panic!("{}", column.name));
            rest = after;
        }
    }
}
