//! What `nix --version` says.

use std::cmp::Ordering;
use std::fmt;

use super::NixError;
use crate::model::compare_versions;

/// Which Nix is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NixVersion {
    /// The version, for example `2.26.3`.
    pub(crate) version: String,
    /// Whether it is Lix, which counts its versions from 2.90.
    pub(crate) lix: bool,
}

impl NixVersion {
    /// Reads the first line of `nix --version`: `nix (Nix) 2.8.0`,
    /// `nix (Lix, like Nix) 2.91.1`, `nix (Determinate Nix 3.6.2) 2.28.3`.
    pub(super) fn parse(text: &str) -> Result<Self, NixError> {
        let line = text.lines().next().unwrap_or_default();
        let version = line
            .split_whitespace()
            .last()
            .filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        match version {
            Some(version) => Ok(Self { version: version.to_owned(), lix: line.contains("Lix") }),
            None => Err(NixError::Version(text.trim().to_owned())),
        }
    }

    /// Whether it is this version or newer.
    pub(crate) fn at_least(&self, version: &str) -> bool {
        compare_versions(&self.version, version) != Ordering::Less
    }
}

impl fmt::Display for NixVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", if self.lix { "Lix" } else { "Nix" }, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_lines_of_every_nix_are_read() {
        let cases = [
            (include_str!("../../tests/fixtures/nix/2.8/version.txt"), "Nix 2.8.0"),
            (include_str!("../../tests/fixtures/nix/2.26/version.txt"), "Nix 2.26.3"),
            (include_str!("../../tests/fixtures/nix/2.34/version.txt"), "Nix 2.34.8"),
            (include_str!("../../tests/fixtures/nix/lix/version.txt"), "Lix 2.91.1"),
            ("nix (Lix, like Nix) 2.93.0\nSystem type: x86_64-linux", "Lix 2.93.0"),
            ("nix (Determinate Nix 3.6.2) 2.28.3", "Nix 2.28.3"),
            ("nix (Nix) 2.32pre20250919_0d7f2c1", "Nix 2.32pre20250919_0d7f2c1"),
        ];
        for (text, expected) in cases {
            assert_eq!(NixVersion::parse(text).unwrap().to_string(), expected);
        }
        assert!(NixVersion::parse("command not found").is_err());
    }

    #[test]
    fn versions_are_compared_as_nix_compares_them() {
        let version = NixVersion { version: "2.8.0".to_owned(), lix: false };
        assert!(version.at_least("2.4"));
        assert!(!version.at_least("2.19"));
    }
}
