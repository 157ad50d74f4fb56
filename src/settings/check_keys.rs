//! The keys of a `[[…checks]]` table: one health check of a host.
//!
//! Exactly one of `http`, `tcp` and `command` says what is asked. Without
//! `name` a check is called by what it asks.

use std::time::Duration;

use toml::Spanned;

use super::reader::TableReader;
use super::source::Problem;
use super::values;
use crate::model::{Check, CheckKind};

/// One attempt, unless `timeout` says else.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Further attempts, unless `retries` says else.
const RETRIES: u32 = 3;
/// The wait between attempts, unless `grace` says else.
const GRACE: Duration = Duration::from_secs(1);
/// The status of health, unless `expect_status` says else.
const EXPECT_STATUS: u16 = 200;
/// No check may wait longer than this.
const LONGEST: Duration = Duration::from_secs(3600);

/// Reads one check; `None` when it is wrong, which has been reported. `taken`
/// holds the names of the checks beside it.
pub(crate) fn read(mut reader: TableReader<'_, '_>, taken: &mut Vec<String>) -> Option<Check> {
    let name = reader.parsed("name", |text| match text.trim() {
        "" => Err("a check cannot have an empty name"),
        name => Ok(name.to_owned()),
    });
    let asked = ["http", "tcp", "command"].map(|key| reader.value(key).map(|value| (key, value.span())));
    let kind = match asked.iter().flatten().collect::<Vec<_>>()[..] {
        [] => {
            reader.report_here("a check needs one of `http`, `tcp` and `command`");
            None
        }
        [(key, _)] => read_kind(&mut reader, key),
        [.., (key, span)] => {
            let message = format!("a check asks one thing; `{key}` is too much");
            reader.report(Problem::at(span.clone(), message).hint("write another check for it"));
            None
        }
    };
    let expect_status =
        reader.integer("expect_status", 100..=599).and_then(|status| u16::try_from(status).ok());
    let kind = match (kind, expect_status, reader.value("expect_status")) {
        (Some(CheckKind::Http { url, .. }), status, _) => {
            Some(CheckKind::Http { url, expect_status: status.unwrap_or(EXPECT_STATUS) })
        }
        (Some(other), _, Some(value)) => {
            reader.report(Problem::at(value.span(), "`expect_status` belongs to a check with `http`"));
            Some(other)
        }
        (kind, ..) => kind,
    };
    let timeout = reader.duration("timeout", Duration::from_millis(1)..=LONGEST);
    let retries = reader.integer("retries", 0..=1000).and_then(|retries| u32::try_from(retries).ok());
    let grace = reader.duration("grace", Duration::ZERO..=LONGEST);
    let name = kind.as_ref().map(|kind| name.map_or_else(|| default_name(kind), Spanned::into_inner));
    if let Some(name) = &name {
        if taken.contains(name) {
            reader.report_here(format!("two checks are called {name:?}; give each its own `name`"));
        }
        taken.push(name.clone());
    }
    reader.finish();
    let (kind, name) = (kind?, name?);
    Some(Check {
        name,
        kind,
        timeout: timeout.unwrap_or(TIMEOUT),
        retries: retries.unwrap_or(RETRIES),
        grace: grace.unwrap_or(GRACE),
    })
}

fn read_kind(reader: &mut TableReader<'_, '_>, key: &str) -> Option<CheckKind> {
    match key {
        "http" => {
            let url = reader.parsed("http", values::http_url)?.into_inner();
            Some(CheckKind::Http { url, expect_status: EXPECT_STATUS })
        }
        "tcp" => {
            let address = reader.parsed("tcp", values::tcp_address)?.into_inner();
            Some(CheckKind::Tcp { address })
        }
        _ => {
            let argv = reader.list("command", values::argument)?;
            let argv: Vec<String> = argv.into_iter().map(Spanned::into_inner).collect();
            if argv.first().is_none_or(String::is_empty) {
                reader.report_value("command", "`command` names no program");
                return None;
            }
            Some(CheckKind::Command { argv })
        }
    }
}

fn default_name(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Http { url, .. } => url.clone(),
        CheckKind::Tcp { address } => address.clone(),
        CheckKind::Command { argv } => argv.join(" "),
    }
}
