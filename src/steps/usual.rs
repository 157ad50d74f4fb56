//! What is usual for a host: the metrics after the latest deploys from here, in
//! a small file per host in the state folder, so that no database is needed.
//!
//! The file is replaced as a whole. One of a newer version is left alone, one of
//! another machine or that cannot be read begins anew.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{HostName, Measured, Metric, RunId};

/// Version of the file.
const VERSION: u32 = 1;
/// Deploys that are remembered.
const KEPT: usize = 10;
/// With fewer nothing is called usual.
const FEWEST: usize = 3;

#[derive(Serialize, Deserialize)]
struct Remembered {
    version: u32,
    machine_id: String,
    runs: Vec<Remark>,
}

#[derive(Serialize, Deserialize)]
struct Remark {
    run: RunId,
    measured: Measured,
}

/// Where one host's metrics are remembered.
pub(super) struct Usual<'a> {
    pub(super) state_dir: &'a Path,
    pub(super) host: &'a HostName,
    pub(super) machine_id: &'a str,
}

impl Usual<'_> {
    fn path(&self) -> PathBuf {
        self.state_dir.join("hosts").join(format!("{}.resources.json", self.host))
    }

    /// What is remembered of this machine; `None` when the file is a newer one.
    fn read(&self) -> Option<Vec<Remark>> {
        let text = std::fs::read(self.path()).unwrap_or_default();
        let version = serde_json::from_slice::<serde_json::Value>(&text).ok();
        if version.and_then(|file| file.get("version")?.as_u64()).is_some_and(|found| found > VERSION.into()) {
            return None;
        }
        let remembered = serde_json::from_slice::<Remembered>(&text).ok();
        let same = remembered.filter(|remembered| remembered.machine_id == self.machine_id);
        Some(same.map(|remembered| remembered.runs).unwrap_or_default())
    }

    /// The median of each metric.
    pub(super) fn medians(&self) -> Measured {
        let runs = self.read().unwrap_or_default();
        let median = |metric: Metric| {
            let mut values: Vec<f64> =
                runs.iter().filter_map(|remark| remark.measured.get(&metric).copied()).collect();
            values.sort_by(f64::total_cmp);
            let half = values.len() / 2;
            match values.len() {
                count if count < FEWEST => None,
                count if count % 2 == 1 => values.get(half).copied(),
                _ => Some(f64::midpoint(*values.get(half - 1)?, *values.get(half)?)),
            }
        };
        Metric::ALL.into_iter().filter_map(|metric| Some((metric, median(metric)?))).collect()
    }

    /// Remembers the metrics of one more deploy.
    pub(super) fn remember(&self, run: &RunId, measured: Measured) -> std::io::Result<()> {
        let Some(mut runs) = self.read() else { return Ok(()) };
        runs.push(Remark { run: run.clone(), measured });
        let surplus = runs.len().saturating_sub(KEPT);
        runs.drain(..surplus);
        let remembered = Remembered { version: VERSION, machine_id: self.machine_id.to_owned(), runs };
        let path = self.path();
        let folder = path.parent().unwrap_or(self.state_dir);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &remembered)?;
        file.write_all(b"\n")?;
        file.persist(&path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(value: f64) -> Measured {
        Measured::from([(Metric::Load, value)])
    }

    #[test]
    fn the_median_of_the_last_ten_is_usual_once_there_are_three() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostName::new("p620").unwrap();
        let usual = Usual { state_dir: folder.path(), host: &host, machine_id: "m" };
        let run = RunId::generate();
        for (value, expected) in [(9.0, None), (9.0, None), (1.0, Some(9.0)), (2.0, Some(5.5))] {
            usual.remember(&run, load(value)).unwrap();
            assert_eq!(usual.medians().get(&Metric::Load).copied(), expected);
        }
        for _ in 0..10 {
            usual.remember(&run, load(4.0)).unwrap();
        }
        assert_eq!(usual.medians(), load(4.0));
        let another = Usual { machine_id: "n", ..usual };
        assert!(another.medians().is_empty());
        another.remember(&run, load(7.0)).unwrap();
        assert_eq!(another.read().unwrap().len(), 1);
    }

    #[test]
    fn a_newer_file_is_left_alone_and_a_broken_one_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostName::new("p620").unwrap();
        let usual = Usual { state_dir: folder.path(), host: &host, machine_id: "m" };
        std::fs::create_dir(folder.path().join("hosts")).unwrap();
        let newer = r#"{"version":2,"machine":"m"}"#;
        std::fs::write(usual.path(), newer).unwrap();
        usual.remember(&RunId::generate(), load(1.0)).unwrap();
        assert_eq!(std::fs::read_to_string(usual.path()).unwrap(), newer);
        std::fs::write(usual.path(), "{").unwrap();
        usual.remember(&RunId::generate(), load(1.0)).unwrap();
        assert_eq!(usual.read().unwrap().len(), 1);
    }
}
