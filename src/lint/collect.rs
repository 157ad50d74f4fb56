//! Finds the files to judge, and reads them without being held up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::{Finding, Place, Severity};

use super::Policy;
use super::hash::fingerprint;
use super::rules::UNREADABLE_FILE;

/// A file to judge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFile {
    /// What findings call it: relative to the folder that is checked.
    pub shown: PathBuf,
    /// Where it is.
    pub path: PathBuf,
}

/// What [`collect`] found.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// Files, each once, sorted by shown path.
    pub files: Vec<SourceFile>,
    /// Rule `unreadable-file`: what should have been judged and cannot be.
    pub findings: Vec<Finding>,
}

/// Walks `paths` (files, or folders for their `*.nix`). What is shown is
/// relative to `root`. Hidden folders, `result` links and whatever the policy
/// ignores are left out; links to folders are not followed; a path that is
/// named itself is always judged.
pub fn collect(root: &Path, paths: &[PathBuf], policy: &Policy) -> Collected {
    let mut walk = Walk { root, policy, files: BTreeMap::new(), findings: Vec::new() };
    for path in paths {
        let path = root.join(path);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => walk.folder(&path),
            Ok(metadata) if metadata.is_file() => walk.add(&path),
            Ok(_) => walk.refuse(&path, "it is neither a file nor a folder"),
            Err(error) => walk.refuse(&path, &error.to_string()),
        }
    }
    let files = walk.files.into_iter().map(|(shown, path)| SourceFile { shown, path }).collect();
    Collected { files, findings: walk.findings }
}

struct Walk<'a> {
    root: &'a Path,
    policy: &'a Policy,
    files: BTreeMap<PathBuf, PathBuf>,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn shown(&self, path: &Path) -> PathBuf {
        let shown = path.strip_prefix(self.root).unwrap_or(path);
        shown.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
    }

    fn add(&mut self, path: &Path) {
        self.files.insert(self.shown(path), path.to_owned());
    }

    fn refuse(&mut self, path: &Path, problem: &str) {
        let shown = self.shown(path);
        self.findings.extend(unreadable(&shown, problem, self.policy));
    }

    /// All below a folder. An explicit stack: folders may be nested as deep as
    /// the file system allows.
    fn folder(&mut self, folder: &Path) {
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.refuse(&folder, &error.to_string());
                    continue;
                }
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let path = entry.path();
                if name.starts_with('.') || self.policy.ignores(&self.shown(&path)) {
                    continue;
                }
                let is_nix = name.ends_with(".nix");
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(path),
                    Ok(kind) if kind.is_file() && is_nix => self.add(&path),
                    Ok(kind) if kind.is_symlink() && is_nix => self.link(&path),
                    Ok(kind) if !kind.is_file() && !kind.is_symlink() && is_nix => {
                        self.refuse(&path, "it is not a regular file");
                    }
                    Err(error) if is_nix => self.refuse(&path, &error.to_string()),
                    // A link to a folder could lead in a circle or out of the tree.
                    _ => {}
                }
            }
        }
    }

    fn link(&mut self, path: &Path) {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => self.add(path),
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => self.refuse(path, "it is not a regular file"),
            Err(error) => self.refuse(path, &error.to_string()),
        }
    }
}

/// What reading a file gave.
pub(crate) enum Bytes {
    Read(Vec<u8>),
    Refused(String),
}

/// Larger files are data, not code.
const LARGEST: u64 = 64 << 20;

/// Reads a regular file. A pipe or a device is refused: reading could wait
/// for ever.
pub(crate) fn read(path: &Path) -> Bytes {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Bytes::Refused("it is not a regular file".to_owned()),
        Ok(metadata) if metadata.len() > LARGEST => Bytes::Refused("it is larger than 64 MiB".to_owned()),
        Ok(_) => match std::fs::read(path) {
            Ok(bytes) => Bytes::Read(bytes),
            Err(error) => Bytes::Refused(error.to_string()),
        },
        Err(error) => Bytes::Refused(error.to_string()),
    }
}

/// The finding for a file that cannot be judged.
pub(crate) fn unreadable(shown: &Path, problem: &str, policy: &Policy) -> Option<Finding> {
    let severity = policy.severity(UNREADABLE_FILE.id, Severity::Warning)?;
    let path = shown.to_string_lossy();
    Some(Finding {
        rule: UNREADABLE_FILE.id.to_owned(),
        severity,
        place: Some(Place {
            file: shown.to_owned(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            start: 0,
            end: 0,
        }),
        subject: String::new(),
        message: format!("cannot be read: {problem}"),
        mend: "mend or remove it, or leave it out with `[lint] ignore`".to_owned(),
        source_line: String::new(),
        host: None,
        suppressed: None,
        fingerprint: fingerprint(&[UNREADABLE_FILE.id, &path, problem]),
    })
}
