//! `fleet grafana`: the dashboard for Grafana, on the views of a PostgreSQL
//! database. It is the same for every fleet and asks no database.

use std::io::Write;

use super::Desk;
use crate::cli::GrafanaArgs;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::model::{Failure, FailureClass};

const DASHBOARD: &str = include_str!("../../../templates/grafana/fleet.json");

/// Prints the dashboard, or writes it into a new file.
pub(super) fn grafana(desk: &Desk, asked: &GrafanaArgs) -> Result<ExitCode, CommandError> {
    let Some(path) = &asked.file else { return print(DASHBOARD.as_bytes()) };
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(DASHBOARD.as_bytes()));
    if let Err(error) = written {
        let failure = Failure::new(FailureClass::Usage, format!("cannot write {}", path.display()));
        return Err(failure.cause(error.to_string()).into());
    }
    desk.say(&format!("wrote the dashboard to {}", path.display()));
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn panels_have_a_number_of_their_own_a_title_a_query_and_do_not_overlap() {
        let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        assert!(panels.len() >= 12);
        let mut numbers = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in panels {
            assert!(numbers.insert(panel["id"].as_u64().unwrap()), "{panel}");
            assert!(!panel["title"].as_str().unwrap().is_empty());
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"]["uid"], "${datasource}");
                assert!(!target["rawSql"].as_str().unwrap().is_empty());
            }
            let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(place("x") + place("w") <= 24, "{panel}");
            for row in place("y")..place("y") + place("h") {
                for column in place("x")..place("x") + place("w") {
                    assert!(taken.insert((row, column)), "{} overlaps another one", panel["title"]);
                }
            }
        }
    }
}
