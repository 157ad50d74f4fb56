//! How fast a link was when much was last copied over it, and whether
//! compression is worth its work there.
//!
//! Only copies of much data in few paths are measured: with many small paths the
//! host's own work decides, not the link. The measure is kept in the state folder,
//! and tells for the next connection, because ssh agrees on compression when it
//! connects.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::context::RunContext;
use crate::model::HostName;

/// Copies of less say nothing about the link.
const LEAST_BYTES: u64 = 16 << 20;
/// Nor do those of smaller paths, on average.
const LEAST_PER_PATH: u64 = 256 << 10;
/// Slower links gain: ssh compresses 17 MiB/s and more, programs to two fifths
/// (`CASES=copy benches/run.sh` measures it).
const SLOW: u64 = 10 << 20;
/// What arrives faster in spite of compression came over a link that does not
/// need it.
const FAST: u64 = 24 << 20;
/// A slow processor keeps compressed copies below [`FAST`] over any link, and links
/// change: then the next copy is a plain one that tells anew.
const BELIEVED: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a copy told about the link, in bytes a second before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    speed: u64,
    compressed: bool,
}

impl Measure {
    /// The measure of a copy; `None` when it says nothing about the link.
    pub(super) fn of(bytes: u64, paths: usize, took: Duration, compressed: bool) -> Option<Self> {
        let paths = u64::try_from(paths).ok().filter(|paths| *paths > 0)?;
        let milliseconds = u64::try_from(took.as_millis()).ok().filter(|milliseconds| *milliseconds > 0)?;
        let is_telling = bytes >= LEAST_BYTES && bytes / paths >= LEAST_PER_PATH;
        is_telling.then(|| Self { speed: bytes.saturating_mul(1000) / milliseconds, compressed })
    }

    fn is_slow(self) -> bool {
        self.speed < if self.compressed { FAST } else { SLOW }
    }

    fn parse(text: &str) -> Option<Self> {
        let (speed, how) = text.trim().split_once(' ')?;
        Some(Self { speed: speed.parse().ok()?, compressed: how == "compressed" })
    }

    fn text(self) -> String {
        format!("{} {}\n", self.speed, if self.compressed { "compressed" } else { "plain" })
    }
}

fn file(run: &RunContext, host: &HostName) -> PathBuf {
    run.spec.state_dir.join("hosts").join(format!("{host}.link"))
}

/// Whether connections to a host are compressed.
pub(super) fn is_slow(run: &RunContext, host: &HostName) -> bool {
    read(&file(run, host), SystemTime::now()).is_some_and(Measure::is_slow)
}

/// What is known of a link, unless it is too old.
fn read(file: &Path, now: SystemTime) -> Option<Measure> {
    let kept = std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()?;
    // A clock that was set back makes it no older.
    let is_old = now.duration_since(kept).is_ok_and(|age| age > BELIEVED);
    Measure::parse(&std::fs::read_to_string(file).ok()?).filter(|_| !is_old)
}

/// Keeps a measure for the next connection. Best effort: it only makes copies
/// quicker.
pub(super) fn remember(run: &RunContext, host: &HostName, measure: Measure) {
    keep(&file(run, host), measure);
}

fn keep(file: &Path, measure: Measure) {
    // It tells nothing new, and what told of the link does not become younger.
    if measure.compressed && measure.is_slow() && file.exists() {
        return;
    }
    if let Err(error) = std::fs::write(file, measure.text()) {
        tracing::debug!(%error, "the speed of the link is not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(mib: u64, paths: usize, seconds: u64, compressed: bool) -> Option<Measure> {
        Measure::of(mib << 20, paths, Duration::from_secs(seconds), compressed)
    }

    #[test]
    fn only_much_data_in_few_paths_tells_of_the_link() {
        assert_eq!(measure(100, 10, 10, false), Some(Measure { speed: 10 << 20, compressed: false }));
        for nothing in [measure(10, 1, 10, false), measure(100, 1000, 10, false), measure(100, 0, 10, false)] {
            assert_eq!(nothing, None);
        }
        assert_eq!(Measure::of(100 << 20, 1, Duration::ZERO, false), None);
    }

    #[test]
    fn a_slow_link_is_compressed_until_it_is_clearly_fast() {
        let is_slow = |mib, seconds, compressed| measure(mib, 10, seconds, compressed).unwrap().is_slow();
        assert!(is_slow(50, 10, false) && !is_slow(110, 10, false));
        assert!(is_slow(150, 10, true) && !is_slow(250, 10, true));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p620.link");
        assert_eq!(read(&file, SystemTime::now()), None);
        std::fs::write(&file, "1000 compressed\n").unwrap();
        let believed = |age| read(&file, SystemTime::now() + age).is_some();
        assert!(believed(Duration::ZERO) && believed(BELIEVED / 2) && !believed(BELIEVED * 2));
        keep(&file, measure(20, 10, 10, false).unwrap());
        let plain = read(&file, SystemTime::now());
        assert_eq!(plain, measure(20, 10, 10, false));
        keep(&file, measure(50, 10, 10, true).unwrap());
        assert_eq!(read(&file, SystemTime::now()), plain, "a compressed copy tells of a fast link only");
        keep(&file, measure(500, 10, 10, true).unwrap());
        assert!(!read(&file, SystemTime::now()).unwrap().is_slow());
        let kept = measure(50, 10, 10, true).unwrap();
        assert_eq!(Measure::parse(&kept.text()), Some(kept));
        assert!(Measure::parse("").is_none() && Measure::parse("fast plain").is_none());
    }
}
