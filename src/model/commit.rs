//! A commit as git's history has it.

use jiff::Timestamp;

/// A commit of the configuration's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash, hexadecimal digits only.
    pub hash: String,
    /// When it was committed, by the clock of whoever did it.
    pub time: Timestamp,
}
