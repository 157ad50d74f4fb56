//! Copies closures from store to store over ssh-ng.
//!
//! ssh-ng streams all missing paths at once: ten times faster over distance
//! than ssh:// or nix-copy-closure, which ask and wait path by path.
//!
//! Nix tells in words what it copies. Its internal-json log would count bytes,
//! too, with a line for each few of them: 84,000 lines for 377 small paths, which
//! slows a first copy by a sixth. The kernel counts what the process moves.
//!
//! A host that goes silent is given up after the stall time: paths that advance
//! and bytes that move are life.

mod cache;
mod error;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::StorePath;

use super::run::{self, Call, ProgressFn};
use super::{Nix, RemoteStore};

pub(crate) use cache::PushRequest;
pub(crate) use error::CopyError;

/// What to copy and how.
#[derive(Debug)]
pub(crate) struct CopyRequest<'a> {
    /// The paths; their closures are copied.
    pub(crate) paths: Vec<StorePath>,
    /// From where; `None` is the local store. It is reached with the ssh
    /// config of `to`.
    pub(crate) from: Option<RemoteStore>,
    /// Where to.
    pub(crate) to: RemoteStore,
    /// Whether the target fetches from its binary caches what it can.
    pub(crate) substitute: bool,
    /// Whether the target must know a signature of every path. What was built
    /// here has none: a trusted login may go without.
    pub(crate) check_sigs: bool,
    /// How long it may go without any progress.
    pub(crate) stall: Duration,
    /// How long all of it may take.
    pub(crate) deadline: Duration,
    /// Gets everything Nix and ssh say, as text.
    pub(crate) log_file: &'a Path,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The paths the target lacked.
    pub(crate) paths: Vec<StorePath>,
    /// How many bytes were moved.
    pub(crate) bytes: u64,
    /// What Nix warned about, for example a cache that the target cannot reach.
    pub(crate) warnings: Vec<String>,
}

/// What of a path is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The path with everything it needs to run.
    Closure,
    /// A derivation with everything it needs to be built.
    Derivation,
}

impl Nix {
    /// Copies the closures of some paths to another store.
    pub(crate) async fn copy(
        &self,
        request: &CopyRequest<'_>,
        progress: ProgressFn<'_>,
    ) -> Result<Copied, CopyError> {
        self.copy_kind(Kind::Closure, request, progress).await
    }

    /// Copies derivations with all they need to be built elsewhere.
    pub(super) async fn copy_derivations(
        &self,
        request: &CopyRequest<'_>,
        progress: ProgressFn<'_>,
    ) -> Result<Copied, CopyError> {
        self.copy_kind(Kind::Derivation, request, progress).await
    }

    async fn copy_kind(
        &self,
        kind: Kind,
        request: &CopyRequest<'_>,
        progress: ProgressFn<'_>,
    ) -> Result<Copied, CopyError> {
        let command = self
            .nix()
            .args(copy_argv(kind, request))
            .env("NIX_SSHOPTS", request.to.ssh_options())
            .stall(request.stall)
            .stall_counts_io()
            .deadline(request.deadline);
        let written = Arc::new(AtomicU64::new(0));
        let counted = Some(Arc::clone(&written));
        let call = run::run_counting(command, "copying", request.log_file, progress, counted).await;
        let Call { output, said, activities, transcript } = call;
        match output {
            Ok(output) if output.success() => {
                let bytes = written.load(Ordering::Relaxed);
                Ok(Copied { paths: activities.copied().collect(), bytes, warnings: said.warnings })
            }
            Ok(output) => Err(CopyError::from_said(&said, output.code, transcript.path())),
            Err(error) => Err(CopyError::from_exec(error, &said, &activities.progress().doing)),
        }
    }
}

/// The arguments of `nix copy`.
fn copy_argv(kind: Kind, request: &CopyRequest<'_>) -> Vec<String> {
    let mut argv = vec!["copy".to_owned(), "--log-format".to_owned(), "raw".to_owned()];
    // Without it Nix 2.8 would copy what the derivation builds.
    if kind == Kind::Derivation {
        argv.push("--derivation".to_owned());
    }
    if request.substitute {
        argv.push("--substitute-on-destination".to_owned());
    }
    // Before Nix 2.20 this decides, and the flag is ignored (NixOS/nix, 9600).
    let substitutes = if request.substitute { "true" } else { "false" };
    argv.extend(["--option", "builders-use-substitutes", substitutes].map(str::to_owned));
    if !request.check_sigs {
        argv.push("--no-check-sigs".to_owned());
    }
    if let Some(from) = &request.from {
        argv.extend(["--from".to_owned(), from.url().to_owned()]);
    }
    argv.extend(["--to".to_owned(), request.to.url().to_owned()]);
    argv.extend(request.paths.iter().map(|path| path.as_str().to_owned()));
    argv
}

#[cfg(test)]
mod tests;
