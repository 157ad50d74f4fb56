//! `check --staged`: judges what git would commit now, as it is in the index,
//! whatever the folder holds.

use std::sync::Arc;

use super::Job;
use crate::check::{self, Judged, Source};
use crate::error::CommandError;
use crate::git;
use crate::lint::SourceFile;
use crate::model::{Failure, FailureClass};
use crate::nix::Nix;

/// Judges the Nix files that the next commit changes.
pub(super) async fn judge(job: &Job<'_>) -> Result<Judged, CommandError> {
    let here = &job.environment.directory;
    let (staged, top) = tokio::join!(git::staged_nix_files(here, &job.arguments.paths), git::top_level(here));
    let refused = |error: git::GitError| {
        let hints = error.hints();
        CommandError::from(Failure { hints, ..Failure::from_error(FailureClass::Usage, &error) })
    };
    let (staged, top) = (staged.map_err(refused)?, top.map_err(refused)?);
    // Nix and the rules read files: the index's content is given one for a while.
    let unexpected = |error: std::io::Error| CommandError::from_error(FailureClass::Unexpected, &error);
    let folder = tempfile::tempdir().map_err(unexpected)?;
    let mut files = Vec::new();
    for (index, file) in staged.into_iter().enumerate() {
        let place = top.join(&file.path);
        let shown = place.strip_prefix(&job.root).unwrap_or(&file.path).to_owned();
        if job.policy.ignores(&shown) {
            continue;
        }
        let path = folder.path().join(format!("{index}.nix"));
        std::fs::write(&path, &file.bytes).map_err(unexpected)?;
        files.push(SourceFile { shown, path });
    }
    let source = Source::of(&job.root, files, Vec::new(), Arc::clone(&job.policy));
    Ok(check::judge(job.furnish(source)?, &Nix::new(), job.ask()).await)
}
