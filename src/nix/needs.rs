//! What derivations still need to be built, and which of that needs which.
//!
//! `nix-store --realise --dry-run` names what must be built and not merely
//! fetched, `nix-store --query --graph` says what refers to what; one process
//! each for any number of derivations, with the same words from Nix 2.8 to 2.34.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::exec::{Activity, Command, Output, Stream};
use crate::model::{StorePath, text};

use super::{Nix, NixError};

/// Binary caches may be asked about thousands of paths.
const DEADLINE: Duration = Duration::from_secs(15 * 60);

/// Derivations that have to be built, each with those of them that it needs
/// directly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unbuilt {
    needs: BTreeMap<StorePath, BTreeSet<StorePath>>,
}

impl Unbuilt {
    /// What a derivation needs, directly or not; without itself.
    pub(crate) fn below(&self, drv_path: &StorePath) -> BTreeMap<StorePath, BTreeSet<StorePath>> {
        let mut found = BTreeMap::new();
        let mut open: Vec<&StorePath> = self.needs.get(drv_path).into_iter().flatten().collect();
        while let Some(next) = open.pop() {
            if let Some(needs) = self.needs.get(next)
                && found.insert(next.clone(), needs.clone()).is_none()
            {
                open.extend(needs);
            }
        }
        found
    }

    /// Keeps of a graph of derivations what has to be built.
    fn new(unbuilt: &BTreeSet<StorePath>, graph: &str) -> Self {
        let mut needs: BTreeMap<StorePath, BTreeSet<StorePath>> =
            unbuilt.iter().map(|drv_path| (drv_path.clone(), BTreeSet::new())).collect();
        for (needed, by) in graph.lines().filter_map(parse_edge) {
            if unbuilt.contains(&needed)
                && let Some(needs) = needs.get_mut(&by)
            {
                needs.insert(needed);
            }
        }
        Self { needs }
    }
}

/// `"HASH-NAME" -> "HASH-NAME" [color = "…"];`: the first is needed by the second.
fn parse_edge(line: &str) -> Option<(StorePath, StorePath)> {
    let (needed, rest) = line.trim().strip_prefix('"')?.split_once("\" -> \"")?;
    let (by, _) = rest.split_once('"')?;
    let path = |name: &str| StorePath::new(format!("/nix/store/{name}")).ok();
    Some((path(needed)?, path(by)?))
}

/// Reads the lines of a dry run: under `… derivations will be built:` stand
/// derivations, under `… paths will be fetched` what is fetched.
#[derive(Default)]
struct DryRun {
    builds: bool,
    found: BTreeSet<StorePath>,
}

impl DryRun {
    fn hear(&mut self, line: &str) {
        match StorePath::new(line.trim()) {
            Ok(path) if self.builds && path.is_derivation() => {
                self.found.insert(path);
            }
            Ok(_) => {}
            Err(_) => self.builds = line.contains("will be built"),
        }
    }
}

impl Nix {
    /// What these derivations still need to be built, themselves included.
    pub(crate) async fn unbuilt(&self, drv_paths: &[&StorePath]) -> Result<Unbuilt, NixError> {
        let paths = drv_paths.iter().map(|path| path.as_str());
        let mut dry_run = DryRun::default();
        let command = self.nix_store().args(["--realise", "--dry-run"]).args(paths.clone());
        let output = command
            .deadline(DEADLINE)
            .output_with(|stream, line| {
                if stream == Stream::Stderr {
                    dry_run.hear(line);
                }
                Activity::Progress
            })
            .await?;
        checked(&output)?;
        if dry_run.found.is_empty() {
            return Ok(Unbuilt::default());
        }
        let command: Command = self.nix_store().args(["--query", "--graph"]).args(paths).deadline(DEADLINE);
        let graph = command.output().await?;
        checked(&graph)?;
        Ok(Unbuilt::new(&dry_run.found, &graph.stdout_text()))
    }
}

fn checked(output: &Output) -> Result<(), NixError> {
    if output.success() {
        return Ok(());
    }
    let said = text::clean(&output.stderr_tail.join("\n"));
    Err(NixError::Refused(said.trim().trim_start_matches("error: ").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::testing::{Playground, quiet};

    fn names<'a>(paths: impl IntoIterator<Item = &'a StorePath>) -> Vec<&'a str> {
        paths.into_iter().map(StorePath::name).collect()
    }

    #[test]
    fn what_is_fetched_is_not_built() {
        let path = |name: &str| format!("  /nix/store/f98asahd0v34slfpy357djz098h6aq55-{name}");
        let mut dry_run = DryRun::default();
        let lines = [
            "warning: something else".to_owned(),
            "these 2 derivations will be built:".to_owned(),
            path("hello-1.0.drv"),
            path("world-2.0.drv"),
            "this path will be fetched (0.10 MiB download, 0.41 MiB unpacked):".to_owned(),
            path("fetched.drv"),
        ];
        lines.iter().for_each(|line| dry_run.hear(line));
        assert_eq!(names(&dry_run.found), ["hello-1.0.drv", "world-2.0.drv"]);
    }

    #[tokio::test]
    async fn what_a_system_still_needs_shrinks_as_it_is_built() {
        let playground = Playground::new().await;
        let systems = playground.evaluated(&["alpha", "beta"]).await;
        let [alpha, beta] = &systems[..] else { panic!() };
        let both = [&alpha.drv_path, &beta.drv_path];
        let unbuilt = playground.nix().unbuilt(&both).await.unwrap();
        assert_eq!(unbuilt.needs.len(), 4);
        assert_eq!(names(unbuilt.below(&alpha.drv_path).keys()), ["hello-1.0.drv"]);
        assert_eq!(names(unbuilt.below(&beta.drv_path).keys()), ["world-2.0.drv"]);
        let log = playground.path("logs/build.log");
        let request = crate::nix::Realise {
            drv_path: &alpha.drv_path,
            deadline: Duration::from_secs(60),
            log_file: &log,
            gc_root_dir: None,
        };
        playground.nix().realise(&request, &quiet).await.unwrap();
        let unbuilt = playground.nix().unbuilt(&both).await.unwrap();
        assert_eq!((unbuilt.needs.len(), unbuilt.below(&alpha.drv_path).len()), (2, 0));
        let gone = StorePath::new("/nix/store/f98asahd0v34slfpy357djz098h6aq55-gone.drv").unwrap();
        assert_eq!(playground.nix().unbuilt(&[&gone]).await.unwrap(), Unbuilt::default());
    }
}
