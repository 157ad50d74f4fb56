//! Flake references: a local one becomes absolute, with the folder it names.
//!
//! A plain path stays a plain path, so that Nix itself finds out whether the
//! folder is inside a git repository. References to other places are left as
//! they are. Nothing here touches the disk.

use std::path::{Component, Path, PathBuf};

use super::env::Environment;
use super::values::Anchors;

/// A flake reference that means the same from every folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlakeRef {
    /// What Nix is given.
    pub(crate) text: String,
    /// The folder with flake.nix when the flake is a local one.
    pub(crate) directory: Option<PathBuf>,
}

/// Schemes whose references name a folder of this machine.
const LOCAL_SCHEMES: [&str; 2] = ["path:", "git+file:"];

impl FlakeRef {
    /// Resolves a reference as it stands on the command line.
    pub(crate) fn from_folder(text: &str, environment: &Environment) -> Result<Self, String> {
        Self::resolve(text, Anchors { directory: &environment.directory, home: environment.home() })
    }

    /// Resolves a reference as it stands in hosts.toml.
    pub(crate) fn resolve(text: &str, anchors: Anchors<'_>) -> Result<Self, String> {
        if let Some((flake, _)) = text.split_once('#') {
            return Err(format!(
                "{text:?} names an output; write {flake:?} alone, hosts are nixosConfigurations.NAME of it \
                 (a host's `attribute` names another)"
            ));
        }
        if text.chars().any(|character| character.is_control() || character.is_whitespace())
            || text.starts_with('-')
        {
            return Err(format!("{text:?} is no flake reference"));
        }
        let (reference, query) = match text.split_once('?') {
            Some((reference, query)) => (reference, Some(query)),
            None => (text, None),
        };
        if let Some(scheme) = LOCAL_SCHEMES.iter().find(|scheme| reference.starts_with(**scheme)) {
            return Self::local_url(scheme, &reference[scheme.len()..], query, anchors);
        }
        if reference.starts_with(['.', '/', '~']) {
            return Self::plain_path(reference, query, anchors);
        }
        Ok(Self { text: text.to_owned(), directory: None })
    }

    fn plain_path(path: &str, query: Option<&str>, anchors: Anchors<'_>) -> Result<Self, String> {
        let folder = normal(&anchors.path(path)?);
        let shown = folder.to_str().ok_or("the flake's folder is not UTF-8 text")?;
        if shown.contains(['?', '#']) {
            return Err(format!("the folder {shown:?} holds '?' or '#', which a flake reference cannot"));
        }
        let text = with_query(shown.to_owned(), query);
        Ok(Self { text, directory: Some(below(folder, query)) })
    }

    fn local_url(scheme: &str, path: &str, query: Option<&str>, anchors: Anchors<'_>) -> Result<Self, String> {
        let path = percent_decode(path.strip_prefix("//").unwrap_or(path))?;
        let folder = normal(&anchors.path(&path)?);
        let shown = folder.to_str().ok_or("the flake's folder is not UTF-8 text")?;
        let slashes = if scheme == "git+file:" { "//" } else { "" };
        let text = with_query(format!("{scheme}{slashes}{}", percent_encode(shown)), query);
        Ok(Self { text, directory: Some(below(folder, query)) })
    }
}

fn with_query(text: String, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{text}?{query}"),
        None => text,
    }
}

/// The folder that `dir=` names below the reference's own.
fn below(folder: PathBuf, query: Option<&str>) -> PathBuf {
    let parameters = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let dir = parameters.into_iter().find(|(key, _)| *key == "dir").map(|(_, value)| percent_decode(value));
    match dir {
        Some(Ok(dir)) => normal(&folder.join(dir.trim_start_matches('/'))),
        _ => folder,
    }
}

/// The path without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

fn percent_decode(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} has a '%' that begins no escape");
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next().ok_or_else(wrong)?, bytes.next().ok_or_else(wrong)?];
        let digits = std::str::from_utf8(&digits).map_err(|_| wrong())?;
        decoded.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
    }
    String::from_utf8(decoded).map_err(|_| wrong())
}

/// Escapes what a path in a URL may not hold (RFC 3986, `pchar` and `/`).
fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<(String, Option<String>), String> {
        let anchors = Anchors { directory: Path::new("/home/ada/cfg"), home: Some(Path::new("/home/ada")) };
        let flake = FlakeRef::resolve(text, anchors)?;
        Ok((flake.text, flake.directory.map(|directory| directory.display().to_string())))
    }

    fn local(text: &str, directory: &str) -> Result<(String, Option<String>), String> {
        Ok((text.to_owned(), Some(directory.to_owned())))
    }

    #[test]
    fn local_references_become_absolute_and_name_their_folder() {
        let cases = [
            (".", "/home/ada/cfg", "/home/ada/cfg"),
            ("..", "/home/ada", "/home/ada"),
            ("./nix/", "/home/ada/cfg/nix", "/home/ada/cfg/nix"),
            ("../other", "/home/ada/other", "/home/ada/other"),
            ("~/x", "/home/ada/x", "/home/ada/x"),
            ("/srv/cfg", "/srv/cfg", "/srv/cfg"),
            (".?dir=hosts", "/home/ada/cfg?dir=hosts", "/home/ada/cfg/hosts"),
            ("path:.", "path:/home/ada/cfg", "/home/ada/cfg"),
            ("path:/srv/a%20b", "path:/srv/a%20b", "/srv/a b"),
            ("git+file:.", "git+file:///home/ada/cfg", "/home/ada/cfg"),
            ("git+file:///srv/cfg?ref=main&dir=x", "git+file:///srv/cfg?ref=main&dir=x", "/srv/cfg/x"),
        ];
        for (text, flake, directory) in cases {
            assert_eq!(resolve(text), local(flake, directory), "{text}");
        }
    }

    #[test]
    fn references_to_other_places_stay_as_they_are() {
        for text in
            ["github:ada/cfg?dir=x", "git+ssh://git@forge/cfg", "git+https://forge/cfg", "cfg", "flake:cfg"]
        {
            assert_eq!(resolve(text), Ok((text.to_owned(), None)));
        }
    }

    #[test]
    fn what_cannot_be_a_reference_is_refused() {
        assert!(resolve(".#p620").unwrap_err().contains("write \".\" alone"));
        for text in ["--impure", "a b", ".\n", "path:/x%2", "path:/x%zz", "path:/%ff"] {
            assert!(resolve(text).is_err(), "{text:?}");
        }
    }
}
