//! Where the fleet database is: what the settings' URL means.
//!
//! The settings have checked the form; a file is absolute. PostgreSQL takes a
//! password from the URL, else from `PGPASSWORD`, else from `~/.pgpass`; the
//! library reads these as `psql` does. What is shown never holds it.

use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::error::FleetError;
use crate::model::Secret;

/// Where the fleet database is.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// A file on this machine.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

impl Address {
    /// Reads the URL of the settings.
    pub(crate) fn parse(url: &Secret) -> Result<Self, FleetError> {
        let refuse = |reason: &str| Err(FleetError::Url { reason: reason.to_owned() });
        let text = url.reveal();
        if let Some(path) = text.strip_prefix("sqlite:") {
            return match path.split_once('?') {
                Some(_) => refuse("a file takes no parameters"),
                None if path.is_empty() => refuse("it names no file"),
                None => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return refuse("a database is \"sqlite:FILE\" or \"postgres://…\"");
        }
        match PgConnectOptions::from_str(text) {
            Ok(options) => Ok(Self::Postgres(Box::new(options))),
            // The error can quote the URL.
            Err(_) => refuse("it is not of the form postgres://USER@HOST:PORT/DATABASE"),
        }
    }

    /// Where it is, without a password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(options) => {
                let host = match options.get_socket() {
                    Some(socket) => socket.display().to_string(),
                    None => format!("{}:{}", options.get_host(), options.get_port()),
                };
                let database = options.get_database().unwrap_or(options.get_username());
                format!("{database} of {} at {host}", options.get_username())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = Secret::new("postgres://ada:hunter2@db.example:5433/fleet");
        let address = Address::parse(&url).unwrap();
        assert_eq!(address.shown(), "fleet of ada at db.example:5433");
        for wrong in
            ["postgres://ada:hunter2@db:port/fleet", "mysql://ada:hunter2@db/fleet", "sqlite:/x?hunter2"]
        {
            let error = Address::parse(&Secret::new(wrong)).unwrap_err();
            assert!(!error.failure().message.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_socket_folder_is_a_host() {
        let address = Address::parse(&Secret::new("postgres://ada@%2Frun%2Fpostgresql/fleet")).unwrap();
        assert_eq!(address.shown(), "fleet of ada at /run/postgresql");
    }
}
