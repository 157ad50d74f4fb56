//! Copies closures to a binary cache, in whatever form Nix knows (`s3://`,
//! `file://`, `ssh://` …); a login for it is Nix' own affair.

use std::path::Path;
use std::time::Duration;

use crate::model::StorePath;
use crate::nix::Nix;
use crate::nix::run::{self, Call};

use super::CopyError;

/// What to push and how.
#[derive(Debug)]
pub(crate) struct PushRequest<'a> {
    /// The path; its closure is copied.
    pub(crate) path: &'a StorePath,
    /// The cache, as `nix copy --to` takes it.
    pub(crate) cache: &'a str,
    /// How long it may go without any progress.
    pub(crate) stall: Duration,
    /// How long all of it may take.
    pub(crate) deadline: Duration,
    /// Gets everything Nix says, as text.
    pub(crate) log_file: &'a Path,
}

impl Nix {
    /// Copies a closure of the local store to a binary cache.
    pub(crate) async fn push(&self, request: &PushRequest<'_>) -> Result<(), CopyError> {
        let command = self
            .nix()
            .args(push_argv(request))
            .stall(request.stall)
            .stall_counts_io()
            .deadline(request.deadline);
        let Call { output, said, activities, transcript } =
            run::run(command, "pushing", request.log_file, &|_| {}).await;
        match output {
            Ok(output) if output.success() => Ok(()),
            Ok(output) => Err(CopyError::from_said(&said, output.code, transcript.path())),
            Err(error) => Err(CopyError::from_exec(error, &said, &activities.progress().doing)),
        }
    }
}

/// Behind `--to` the cache is never another option, whatever it looks like.
fn push_argv(request: &PushRequest<'_>) -> Vec<String> {
    let to = ["copy", "--log-format", "raw", "--to", request.cache, "--", request.path.as_str()];
    to.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::Realise;
    use crate::nix::testing::{Playground, quiet};

    #[tokio::test]
    async fn a_closure_is_copied_to_a_cache_and_what_cannot_be_says_why() {
        let playground = Playground::new().await;
        let [alpha] = &playground.evaluated(&["alpha"]).await[..] else { panic!() };
        let log = playground.path("logs/push.log");
        let request = |cache| PushRequest {
            path: &alpha.out_path,
            cache,
            stall: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            log_file: &log,
        };
        let cache = format!("file://{}", playground.path("cache").display());
        assert!(playground.nix().push(&request(&cache)).await.is_err(), "it is not built yet");
        let realise = Realise {
            drv_path: &alpha.drv_path,
            deadline: Duration::from_secs(60),
            log_file: &log,
            gc_root_dir: None,
        };
        playground.nix().realise(&realise, &quiet).await.unwrap();
        playground.nix().push(&request(&cache)).await.unwrap();
        let info = playground.path("cache").join(format!("{}.narinfo", alpha.out_path.hash()));
        assert!(info.exists());
        let error = playground.nix().push(&request("nowhere://x")).await.unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
