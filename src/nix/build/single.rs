//! One derivation by itself, here and with the remote builders of this Nix:
//! what a builder of the queue does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::model::StorePath;
use crate::nix::Nix;
use crate::nix::run::{self, Call, ProgressFn};

use super::failure::{self, BuildError, FailedDerivation};
use super::realise_argv;

/// What to build and how.
#[derive(Debug)]
pub(crate) struct Realise<'a> {
    /// The derivation; it is in the local store.
    pub(crate) drv_path: &'a StorePath,
    /// How long it may take.
    pub(crate) deadline: Duration,
    /// Gets everything Nix and the builders say, as text.
    pub(crate) log_file: &'a Path,
    /// An existing folder for a link that keeps the result from garbage collection.
    pub(crate) gc_root_dir: Option<PathBuf>,
}

impl Nix {
    /// Builds or fetches a derivation. Gives what it built; nothing when only
    /// the link to it was named.
    pub(crate) async fn realise(
        &self,
        request: &Realise<'_>,
        progress: ProgressFn<'_>,
    ) -> Result<Option<StorePath>, BuildError> {
        let argv = realise_argv(None, request.gc_root_dir.as_deref(), std::iter::once(request.drv_path));
        // What was not in a cache at the evaluation may be there now: another
        // builder has pushed it. Nix remembers for an hour that it was not.
        let fresh = ["--option", "narinfo-cache-negative-ttl", "0"];
        let command = self.nix_store().args(argv).args(fresh).deadline(request.deadline);
        let Call { output, said, mut transcript, .. } =
            run::run(command, "building", request.log_file, progress).await;
        let ended = match output {
            Ok(output) if output.success() => {
                return Ok(main_output(&output.stdout_text(), request.drv_path));
            }
            Ok(output) => failure::Ended::Code(output.code),
            Err(error) => failure::Ended::Exec(Arc::new(error)),
        };
        let mut culprits = Vec::new();
        for (drv, reason) in failure::failed_derivations(&said) {
            let mut log = transcript.take_out(&drv);
            if log.file.is_none()
                && let Some(text) = self.stored_log(&drv, None).await
            {
                log = transcript.put(&drv, &text);
            }
            culprits.push(FailedDerivation::new(drv, &reason, log));
        }
        Err(BuildError::judge(culprits, &said, &ended, transcript.path()))
    }
}

/// Of several outputs, the one that has the derivation's own name.
fn main_output(stdout: &str, drv_path: &StorePath) -> Option<StorePath> {
    let outputs: Vec<StorePath> = stdout.lines().filter_map(|line| StorePath::new(line.trim()).ok()).collect();
    let name = drv_path.name().trim_end_matches(".drv");
    outputs.iter().find(|path| path.name() == name).or(outputs.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::testing::{Playground, quiet};

    #[test]
    fn the_main_output_is_the_one_with_the_name_of_the_derivation() {
        let path = |name: &str| format!("/nix/store/f98asahd0v34slfpy357djz098h6aq55-{name}");
        let drv_path = StorePath::new(path("hello-1.0.drv")).unwrap();
        let stdout = format!("{}\n{}\n", path("hello-1.0-bin"), path("hello-1.0"));
        assert_eq!(main_output(&stdout, &drv_path).unwrap().as_str(), path("hello-1.0"));
        assert_eq!(main_output("/home/ada/state/result\n", &drv_path), None);
    }

    #[tokio::test]
    async fn one_derivation_is_built_or_says_why_not() {
        let playground = Playground::new().await;
        let log = playground.path("logs/build.log");
        let [alpha, broken] = &playground.evaluated(&["alpha", "broken"]).await[..] else { panic!() };
        let request = |drv_path| Realise {
            drv_path,
            deadline: Duration::from_secs(60),
            log_file: &log,
            gc_root_dir: None,
        };
        let built = playground.nix().realise(&request(&alpha.drv_path), &quiet).await.unwrap();
        assert_eq!(built.as_ref(), Some(&alpha.out_path));
        let error = playground.nix().realise(&request(&broken.drv_path), &quiet).await.unwrap_err();
        assert!(error.to_string().starts_with("broken-3.0 failed to build: "), "{error}");
        let missing = StorePath::new("/nix/store/f98asahd0v34slfpy357djz098h6aq55-gone-1.0.drv").unwrap();
        let error = playground.nix().realise(&request(&missing), &quiet).await.unwrap_err();
        assert!(matches!(error, BuildError::Collected { .. }), "{error:?}");
    }
}
