//! `check --fix` and `check --diff`: mends what can be mended without a change
//! of meaning, or shows how.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Job;
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::lint::{self, Fixed, SourceFile};
use crate::model::FailureClass;
use crate::model::text::plural;

/// A file with what would become of it.
struct Mended {
    file: SourceFile,
    before: String,
    fixed: Fixed,
}

/// Prints what would be mended, as differences.
pub(super) async fn show(job: &Job<'_>) -> Result<ExitCode, CommandError> {
    let (mended, what) = mended(job).await?;
    let texts = mended.iter().map(|file| lint::unified_diff(&file.file.shown, &file.before, &file.fixed.text));
    print(texts.collect::<String>().as_bytes())?;
    job.say(&format!("{what}; nothing was written"));
    Ok(exit::OK)
}

/// Mends files.
pub(super) async fn mend(job: &Job<'_>) -> Result<(), CommandError> {
    let (mended, what) = mended(job).await?;
    for file in &mended {
        write(&file.file.path, &file.fixed.text)
            .map_err(|error| CommandError::from_error(FailureClass::Usage, &error))?;
    }
    job.say(&what);
    Ok(())
}

/// The files that can be mended, and how many fixes that are, in words.
async fn mended(job: &Job<'_>) -> Result<(Vec<Mended>, String), CommandError> {
    let files = job.source().await?.files;
    let policy = std::sync::Arc::clone(&job.policy);
    let mending = tokio::task::spawn_blocking(move || {
        let mended = files.into_iter().filter_map(|file| {
            // What is no text is a finding, and nothing to be mended.
            let before = std::fs::read_to_string(&file.path).ok()?;
            let fixed = lint::fix_text(&file.shown, &before, &policy)?;
            Some(Mended { file, before, fixed })
        });
        mended.collect::<Vec<_>>()
    });
    let mended = mending.await.map_err(|error| CommandError::from_error(FailureClass::Unexpected, &error))?;
    let count: usize = mended.iter().flat_map(|file| &file.fixed.fixes).map(|(_, count)| count).sum();
    let what = format!("{} in {}", plural(count, "fix").replace("fixs", "fixes"), plural(mended.len(), "file"));
    Ok((mended, what))
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", .path.display())]
struct WriteError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Replaces a file's text, whole or not at all; what a link points to is
/// replaced, not the link.
fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |source| WriteError { path: path.to_owned(), source };
    let target = path.canonicalize().map_err(failed)?;
    let mode = std::fs::metadata(&target).map_err(failed)?.permissions().mode();
    let mut file =
        tempfile::NamedTempFile::new_in(target.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.nix"), folder.path().join("link.nix"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.nix", &link).unwrap();
        write(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(write(&folder.path().join("none.nix"), "x").is_err());
    }
}
