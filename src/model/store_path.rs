//! Store paths: `/nix/store/<32 characters>-<name>`, checked when made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path directly below `/nix/store`, either an output or a `.drv`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StorePath(String);

/// A text that is no store path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a store path")]
pub struct StorePathError(pub String);

const STORE: &str = "/nix/store/";
const HASH_LENGTH: usize = 32;

impl StorePath {
    /// Checks that `path` is `/nix/store/<hash>-<name>` with nothing below it.
    ///
    /// The name may hold what Nix allows: letters, digits and `+-._?=`
    /// (Nix manual, "Store Path").
    pub fn new(path: impl Into<String>) -> Result<Self, StorePathError> {
        let path = path.into();
        let valid = path.strip_prefix(STORE).is_some_and(|base| {
            base.len() > HASH_LENGTH + 1
                && base.is_char_boundary(HASH_LENGTH)
                && base[..HASH_LENGTH].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && base.as_bytes()[HASH_LENGTH] == b'-'
                && base[HASH_LENGTH + 1..]
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-._?=".contains(&byte))
        });
        if valid { Ok(Self(path)) } else { Err(StorePathError(path)) }
    }

    /// The whole path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the hash, for example `nixos-system-p620-25.05`.
    pub fn name(&self) -> &str {
        &self.0[STORE.len() + HASH_LENGTH + 1..]
    }

    /// The hash part, 32 characters.
    pub fn hash(&self) -> &str {
        &self.0[STORE.len()..STORE.len() + HASH_LENGTH]
    }

    /// Whether this is a derivation file rather than an output.
    pub fn is_derivation(&self) -> bool {
        self.0.ends_with(".drv")
    }

    /// A path inside this one, as text.
    pub fn join(&self, below: &str) -> String {
        format!("{}/{below}", self.0)
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl TryFrom<String> for StorePath {
    type Error = StorePathError;
    fn try_from(path: String) -> Result<Self, StorePathError> {
        Self::new(path)
    }
}

impl From<StorePath> for String {
    fn from(path: StorePath) -> String {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "/nix/store/0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a-nixos-system-p620-25.05";

    #[test]
    fn parts_of_a_path_are_found() {
        let path = StorePath::new(GOOD).unwrap();
        assert_eq!(path.name(), "nixos-system-p620-25.05");
        assert_eq!(path.hash(), "0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a");
        assert!(!path.is_derivation());
        assert_eq!(path.join("bin/x"), format!("{GOOD}/bin/x"));
    }

    #[test]
    fn what_is_no_store_path_is_refused() {
        let below = format!("{GOOD}/bin");
        let shell = format!("{GOOD};reboot");
        for path in ["", "/nix/store/", "/nix/store/short-x", "/etc/passwd", &below, &shell] {
            assert!(StorePath::new(path).is_err(), "{path:?} was accepted");
        }
    }
}
