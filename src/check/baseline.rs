//! The baseline file on disk: findings that were there when checking was
//! adopted.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::lint::{Baseline, BaselineError};

/// A baseline file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineFileError {
    /// It cannot be read or written.
    #[error("cannot use the baseline file {}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It says something that cannot be understood.
    #[error("cannot use the baseline file {}", .path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BaselineError,
    },
}

/// Reads a baseline file; one that does not exist keeps nothing quiet.
pub(crate) fn read(path: &Path) -> Result<Baseline, BaselineFileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Baseline::parse(&text)
            .map_err(|source| BaselineFileError::Content { path: path.to_owned(), source }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Baseline::default()),
        Err(source) => Err(BaselineFileError::Io { path: path.to_owned(), source }),
    }
}

/// Writes a baseline file, whole or not at all.
pub(crate) fn write(path: &Path, baseline: &Baseline) -> Result<(), BaselineFileError> {
    let failed = |source| BaselineFileError::Io { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(baseline.to_text().as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // A temporary file is private; this one is committed.
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).map_err(failed)
}
