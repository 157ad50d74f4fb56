//! Why the fleet database could not do what was asked.
//!
//! Invariant: no message holds a password. A place is shown without its
//! userinfo's secret, and a database's own words never hold one.

use std::path::PathBuf;

use crate::model::{Failure, FailureClass};

/// Why the fleet database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FleetError {
    /// The URL says no database.
    #[error("the URL of the fleet database cannot be used: {reason}")]
    Url {
        /// What is wrong with it, without the URL.
        reason: String,
    },
    /// The folder or file of an SQLite database cannot be made or opened.
    #[error("open the fleet database {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database does not let us in or is not there.
    #[error("connect to the fleet database {place}")]
    Connect {
        /// Where, without a password.
        place: String,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// Nothing answered in time.
    #[error("the fleet database {place} does not answer")]
    Silent {
        /// Where, without a password.
        place: String,
    },
    /// The file is something else.
    #[error("{place} is not a fleet database: {reason}")]
    Foreign {
        /// Where.
        place: String,
        /// What it is instead.
        reason: String,
    },
    /// A newer tool has changed the tables.
    #[error("the fleet database {place} has schema {found}; this nix-deploy knows schemas up to {known}")]
    SchemaNewer {
        /// Where.
        place: String,
        /// The version there.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// The tables are missing or older, and nobody asked to change them.
    #[error("the fleet database {place} has {}; this nix-deploy needs schema {known}", schema(*found))]
    SchemaOlder {
        /// Where.
        place: String,
        /// The version there; 0 without tables.
        found: i64,
        /// The version needed.
        known: i64,
    },
    /// A statement failed.
    #[error("{doing} in the fleet database {place}")]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// Where.
        place: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A value is not what the schema promises.
    #[error("the fleet database holds {what}")]
    Value {
        /// What was found.
        what: String,
    },
    /// A journal cannot be read.
    #[error("read the journal {}", path.display())]
    Journal {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A line of an export or a journal is not one.
    #[error("line {line} of {place} cannot be read: {reason}")]
    Line {
        /// The file, or standard input.
        place: String,
        /// Counts from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// Reading or writing an export failed.
    #[error("{doing}")]
    Stream {
        /// What was being done.
        doing: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What was asked for is not in the database.
    #[error("{what}")]
    Missing {
        /// What is not there.
        what: String,
        /// What to do.
        hint: String,
    },
}

fn schema(found: i64) -> String {
    if found == 0 { "no tables of it yet".to_owned() } else { format!("the older schema {found}") }
}

/// SQLite's codes that have a remedy of their own (sqlite.org/rescode.html).
const SQLITE_BUSY: i32 = 5;
const SQLITE_READONLY: i32 = 8;
const SQLITE_FULL: i32 = 13;
/// Also what a file in a read-only folder gives once its write-ahead log is gone:
/// then not even reading can begin (sqlite.org/wal.html).
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_NOTADB: i32 = 26;

/// PostgreSQL's codes for two transactions that waited for each other, and for one that saw what
/// another has changed.
const POSTGRES_CONFLICTS: [&str; 2] = ["40P01", "40001"];

impl FleetError {
    /// SQLite's primary result code, when it is one of its errors.
    fn sqlite_code(&self) -> Option<i32> {
        let (Self::Statement { source, .. } | Self::Connect { source, .. }) = self else { return None };
        let code = source.as_database_error()?.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
        let code: i32 = sqlx::error::DatabaseError::code(code)?.parse().ok()?;
        Some(code & 0xff)
    }

    /// Whether a server broke a transaction off because another one was in its
    /// way, and would take it the next time.
    pub(super) fn is_conflict(&self) -> bool {
        let Self::Statement { source, .. } = self else { return false };
        let error = source.as_database_error();
        let error = error.and_then(|error| error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>());
        error.is_some_and(|error| POSTGRES_CONFLICTS.contains(&error.code()))
    }

    /// Whether the file is no SQLite database.
    pub(super) fn is_not_a_database(&self) -> bool {
        self.sqlite_code() == Some(SQLITE_NOTADB)
    }

    /// Whether somebody else holds the database just now.
    pub(super) fn is_busy(&self) -> bool {
        self.sqlite_code() == Some(SQLITE_BUSY)
    }

    /// The kind; it decides the exit code.
    fn class(&self) -> FailureClass {
        match self {
            Self::Connect { .. } if self.sqlite_code() == Some(SQLITE_CANTOPEN) => FailureClass::Unexpected,
            Self::Url { .. }
            | Self::Connect { .. }
            | Self::Silent { .. }
            | Self::Foreign { .. }
            | Self::SchemaNewer { .. }
            | Self::SchemaOlder { .. }
            | Self::Line { .. }
            | Self::Missing { .. } => FailureClass::Usage,
            Self::File { .. }
            | Self::Statement { .. }
            | Self::Value { .. }
            | Self::Journal { .. }
            | Self::Stream { .. } => FailureClass::Unexpected,
        }
    }

    fn hint(&self) -> Option<String> {
        match (self, self.sqlite_code()) {
            (_, Some(SQLITE_BUSY)) => Some("another program holds it; try again when that has ended".into()),
            (_, Some(SQLITE_READONLY | SQLITE_CANTOPEN)) => {
                Some("the file or its folder can only be read here".into())
            }
            (_, Some(SQLITE_FULL)) => {
                Some("the disk is full; what is missing is recorded when there is room".into())
            }
            (Self::SchemaNewer { .. }, _) => Some("use a newer nix-deploy".into()),
            (Self::SchemaOlder { .. }, _) => Some("run `nix-deploy fleet migrate`".into()),
            (Self::Connect { .. }, _) => Some(
                "check `url` of [database] in hosts.toml, NIX_DEPLOY_DATABASE_URL, PGPASSWORD and ~/.pgpass"
                    .into(),
            ),
            (Self::Silent { .. }, _) => Some("is the server up, and reachable from here?".into()),
            (Self::Foreign { .. }, _) => {
                Some("name another file as `url` of [database] in hosts.toml; nothing was changed".into())
            }
            (Self::Missing { hint, .. }, _) if !hint.is_empty() => Some(hint.clone()),
            _ => None,
        }
    }

    /// The failure that a person reads.
    pub(crate) fn failure(&self) -> Failure {
        let failure = Failure::from_error(self.class(), self);
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// One line with the innermost cause, for a notice.
    pub(crate) fn in_short(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let words = cause.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            source = cause.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::ConnectOptions as _;

    #[tokio::test]
    async fn a_file_that_sqlite_cannot_even_open_is_no_wrong_setting() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("none/fleet.db"));
        let source = options.connect().await.unwrap_err();
        let error = FleetError::Connect { place: "fleet.db".to_owned(), source };
        assert_eq!(error.class(), FailureClass::Unexpected);
        assert!(error.hint().unwrap().contains("can only be read here"));
    }
}
