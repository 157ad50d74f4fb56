//! Finds and reads hosts.toml.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::env::Environment;
use super::error::SettingsError;
use super::source::Source;

/// What the settings file is called.
pub(crate) const FILE_NAME: &str = "hosts.toml";
/// A larger file is no settings file: a thousand hosts take half of this.
const LARGEST: u64 = 4 << 20;

/// The file to read: `--config`, else the environment's, else the first
/// hosts.toml from the current folder upwards.
pub(crate) fn find(config: Option<&Path>, environment: &Environment) -> Result<PathBuf, SettingsError> {
    let directory = &environment.directory;
    if let Some(path) = config {
        return Ok(directory.join(path));
    }
    if let Some(path) = environment.config() {
        return Ok(path);
    }
    let found = directory.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.exists());
    found.ok_or_else(|| SettingsError::NotFound {
        directory: directory.clone(),
        has_flake: directory.join("flake.nix").exists(),
    })
}

/// Reads the file as text.
pub(crate) fn read(path: &Path) -> Result<Source, SettingsError> {
    let cannot_read = |source| SettingsError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(cannot_read)?;
    let metadata = file.metadata().map_err(cannot_read)?;
    if metadata.is_dir() {
        return Err(SettingsError::Directory { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    // A pipe or a growing file has no length to trust: the bound is on what is read.
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot_read)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SettingsError::TooLarge { path: path.to_owned(), limit: LARGEST });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(path, &text)),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(SettingsError::NotUtf8 { path: path.to_owned(), line })
        }
    }
}

/// A path as it is shown: relative when it is below the current folder.
pub(crate) fn shown(path: &Path, environment: &Environment) -> String {
    path.strip_prefix(&environment.directory).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::env::CONFIG;

    #[test]
    fn the_flag_beats_the_environment_which_beats_the_nearest_file() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "version = 1").unwrap();
        let plain = Environment::for_test(&below, &[]);
        let set = Environment::for_test(&below, &[(CONFIG, "other.toml")]);
        assert_eq!(find(None, &plain).unwrap(), folder.path().join(FILE_NAME));
        assert_eq!(find(None, &set).unwrap(), below.join("other.toml"));
        assert_eq!(find(Some(Path::new("x.toml")), &set).unwrap(), below.join("x.toml"));
    }

    #[test]
    fn a_missing_file_is_told_apart_from_a_missing_flake() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::for_test(folder.path(), &[]);
        assert!(matches!(find(None, &environment), Err(SettingsError::NotFound { has_flake: false, .. })));
        std::fs::write(folder.path().join("flake.nix"), "{}").unwrap();
        assert!(matches!(find(None, &environment), Err(SettingsError::NotFound { has_flake: true, .. })));
    }

    #[test]
    fn what_is_no_text_file_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        assert!(matches!(read(folder.path()), Err(SettingsError::Directory { .. })));
        assert!(matches!(read(&path), Err(SettingsError::Read { .. })));
        std::fs::write(&path, b"a = 1\nb = \"\xff\"\n").unwrap();
        assert!(matches!(read(&path), Err(SettingsError::NotUtf8 { line: 2, .. })));
        std::fs::write(&path, vec![b'#'; 10 << 20]).unwrap();
        assert!(matches!(read(&path), Err(SettingsError::TooLarge { .. })));
    }
}
