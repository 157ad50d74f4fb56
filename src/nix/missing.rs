//! What would have to be fetched and built for a derivation, without doing it.

use std::time::Duration;

use crate::exec::{Activity, Stream};
use crate::model::{BuildNeeds, StorePath, text};

use super::Nix;

/// Binary caches are asked about every path; a slow one must not hold up more
/// than the question is worth.
const ASKING: Duration = Duration::from_secs(120);

impl Nix {
    /// Asks what is missing to have a derivation's outputs; `None` when Nix does
    /// not say, as without a network.
    pub(crate) async fn needs(&self, drv: &StorePath) -> Option<BuildNeeds> {
        let command = self
            .nix_store()
            // One try is enough for a question.
            .args(["--option", "download-attempts", "1", "--option", "connect-timeout", "5"])
            .args(["--realise", "--dry-run", drv.as_str()])
            .deadline(ASKING);
        let mut needs = BuildNeeds::default();
        let output = command
            .output_with(|stream, line| {
                if stream == Stream::Stderr {
                    read_line(line, &mut needs);
                }
                Activity::Progress
            })
            .await;
        output.is_ok_and(|output| output.success()).then_some(needs)
    }
}

/// Reads the headings of the two lists (nix/src/libmain/shared.cc,
/// `printMissing`): `these 12 derivations will be built:`, `this path will be
/// fetched (1.20 MiB download, 4.51 MiB unpacked):`.
fn read_line(line: &str, needs: &mut BuildNeeds) {
    let line = text::clean_line(line);
    let count = || match line.split_whitespace().next() {
        Some("this") => Some(1),
        Some("these") => line.split_whitespace().nth(1)?.parse().ok(),
        _ => None,
    };
    if line.ends_with("will be built:") {
        needs.builds = count().unwrap_or(needs.builds);
    } else if line.contains("will be fetched") {
        needs.fetches = count().unwrap_or(needs.fetches);
        let sizes = line.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        for part in sizes.map(|(sizes, _)| sizes).unwrap_or_default().split(", ") {
            match part.rsplit_once(' ') {
                Some((size, "download")) => needs.download_bytes = bytes(size).unwrap_or_default(),
                Some((size, "unpacked")) => needs.unpacked_bytes = bytes(size).unwrap_or_default(),
                _ => {}
            }
        }
    }
}

/// `1.20 MiB`; newer versions choose the unit.
fn bytes(size: &str) -> Option<u64> {
    let (number, unit) = size.trim().split_once(' ')?;
    let power = ["B", "KiB", "MiB", "GiB", "TiB"].iter().position(|known| *known == unit)?;
    let value = number.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0)?;
    let factor = 1_u64 << (10 * power);
    // Nix rounds to hundredths: what is lost here is less.
    Some((value * factor as f64).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::testing::Playground;

    #[test]
    fn both_lists_are_counted_in_every_wording() {
        let read = |text: &str| {
            let mut needs = BuildNeeds::default();
            text.lines().for_each(|line| read_line(line, &mut needs));
            needs
        };
        // Nix 2.8 and 2.26; newer ones choose the unit.
        let old = read(
            "these 12 derivations will be built:\n  /nix/store/x.drv\nthese 30 paths will be fetched (10.50 MiB download, 50.25 MiB unpacked):\n  /nix/store/y",
        );
        assert_eq!((old.builds, old.fetches), (12, 30));
        assert_eq!((old.download_bytes, old.unpacked_bytes), (11_010_048, 52_690_944));
        let new = read(
            "this derivation will be built:\n  /nix/store/x.drv\nthis path will be fetched (512.0 KiB download, 1.5 GiB unpacked):",
        );
        assert_eq!((new.builds, new.fetches, new.download_bytes), (1, 1, 524_288));
        assert_eq!(new.unpacked_bytes, 1_610_612_736);
        assert_eq!(
            read("warning: you did not specify '--add-root'\nthese many paths will be fetched (x)").fetches,
            0
        );
    }

    #[tokio::test]
    async fn what_is_missing_is_counted_and_nothing_is_built() {
        let playground = Playground::new().await;
        let evaluated = playground.evaluated(&["alpha"]).await.remove(0);
        let needs = playground.nix().needs(&evaluated.drv_path).await.unwrap();
        assert_eq!((needs.builds, needs.fetches), (2, 0));
        assert!(!playground.path("store").join(&evaluated.out_path.as_str()[1..]).exists());
        let requisites = playground.nix().requisites(&evaluated.drv_path).await;
        let names: Vec<&str> = requisites.iter().map(StorePath::name).collect();
        assert!(names.contains(&"hello-1.0.drv"), "{names:?}");
    }
}
