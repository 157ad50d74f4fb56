//! Names that come from outside: host names and run ids. Both are checked
//! when they are made, so that nothing later can mistake one for an option, a
//! path or a piece of shell.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a host as `hosts.toml` and `nixosConfigurations` spell it.
///
/// At most 63 characters, letters, digits, `-`, `_` and `.`, and it starts with
/// a letter or digit: it can be an attribute name, a file name and an ssh
/// destination without quoting, and never an option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

/// Says why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has no characters.
    #[error("a name cannot be empty")]
    Empty,
    /// The name is longer than its kind allows.
    #[error("{name:?} is longer than {limit} characters")]
    TooLong {
        /// What was given.
        name: String,
        /// How long it may be.
        limit: usize,
    },
    /// A character stands where it may not.
    #[error(
        "{name:?} has {character:?}: letters, digits, '-', '_' and '.' may be used, a letter or digit first"
    )]
    Character {
        /// What was given.
        name: String,
        /// The first character that is refused.
        character: char,
    },
}

fn check(name: &str, limit: usize) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > limit {
        return Err(NameError::TooLong { name: name.to_owned(), limit });
    }
    let refused = name.char_indices().find(|(index, character)| {
        !(character.is_ascii_alphanumeric() || (*index > 0 && matches!(character, '-' | '_' | '.')))
    });
    match refused {
        Some((_, character)) => Err(NameError::Character { name: name.to_owned(), character }),
        None => Ok(()),
    }
}

impl HostName {
    /// Checks `name` and wraps it.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        check(&name, 63)?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Identifies one run of the program, here and on every host it touches.
///
/// `YYYYMMDD-HHMMSS-mmmxxxxx` in UTC with the milliseconds and five random digits in
/// hexadecimal: it sorts by time and is part of unit and file names on the hosts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// Makes a new id from the clock and random digits.
    pub fn generate() -> Self {
        let now = jiff::Timestamp::now();
        let stamp = now.strftime("%Y%m%d-%H%M%S");
        let random = uuid::Uuid::new_v4().simple().to_string();
        // Runs of one second are in their order, too.
        Self(format!("{stamp}-{:03x}{}", now.subsec_millisecond(), &random[..5]))
    }

    /// Checks an id that was read from a file or a host.
    pub fn new(id: impl Into<String>) -> Result<Self, NameError> {
        let id = id.into();
        check(&id, 64)?;
        Ok(Self(id))
    }

    /// Whether a text looks like what [`Self::generate`] makes, or made with six digits at
    /// its end: a person would hardly give anything such a name.
    pub fn is_generated(text: &str) -> bool {
        let is_number = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let [day, time, rest] = parts[..] else { return false };
        is_number(day, 8)
            && is_number(time, 6)
            && [6, 8].contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

text_newtype!(HostName);
text_newtype!(RunId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_cannot_be_an_option_or_a_path() {
        for name in ["-oProxyCommand=x", "", "a/b", "a b", ".hidden", "a;b", "ä"] {
            assert!(HostName::new(name).is_err(), "{name:?} was accepted");
        }
        for name in ["p620", "web-1", "a.lan", "x_y"] {
            assert!(HostName::new(name).is_ok(), "{name:?} was refused");
        }
    }

    #[test]
    fn run_ids_are_valid_names_and_differ() {
        let (first, second) = (RunId::generate(), RunId::generate());
        assert_ne!(first, second);
        assert!(RunId::is_generated(first.as_str()));
        assert_eq!(RunId::new(first.as_str()), Ok(first));
        for text in ["2024-05-01", "20240501", "20240501-120000-old", "20240501-120000-ää00", ""] {
            assert!(!RunId::is_generated(text), "{text}");
        }
    }
}
