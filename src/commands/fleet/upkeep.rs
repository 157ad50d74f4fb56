//! The database's upkeep: schema, retention, backup.

use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use super::{Desk, fail, print_json};
use crate::cli::{ExportArgs, FlushArgs, ImportArgs, JsonArgs, PruneArgs};
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::{self, ExitCode};
use crate::fleet::{self, prune as pruning, transfer};
use crate::model::text::plural;
use crate::model::{Failure, FailureClass};

/// Brings the schema up to date.
pub(super) async fn migrate(desk: &Desk, asked: &JsonArgs) -> Result<ExitCode, CommandError> {
    let (database, migrated) = fleet::open_and_migrate(&desk.address()?).await.map_err(fail)?;
    if desk.json(asked.json) {
        let place = database.place();
        return print_json([serde_json::json!({
            "database": place,
            "from": migrated.from,
            "to": migrated.to,
            "beside_crystal_forge": migrated.beside,
        })]);
    }
    let beside = if migrated.beside { ", beside the tables of Crystal Forge" } else { "" };
    desk.say(&if migrated.from == migrated.to {
        format!("{} has schema {} already", database.place(), migrated.to)
    } else {
        format!("{} went from schema {} to {}{beside}", database.place(), migrated.from, migrated.to)
    });
    Ok(exit::OK)
}

/// Records what earlier runs could not.
pub(super) async fn flush(desk: &Desk, asked: &FlushArgs) -> Result<ExitCode, CommandError> {
    let address = desk.address()?;
    let flushed = fleet::recorder::flush(&address, &desk.settings.state_dir, asked.all).await.map_err(fail)?;
    if desk.json(asked.json) {
        return print_json([&flushed]);
    }
    let unreadable = match flushed.unreadable.as_slice() {
        [] => String::new(),
        runs => format!("; these cannot be read: {}", runs.join(", ")),
    };
    desk.say(&format!(
        "recorded {} of {}{unreadable}",
        plural(flushed.events, "event"),
        plural(flushed.runs, "run")
    ));
    Ok(exit::OK)
}

/// Thins old reports, and removes journals when asked.
pub(super) async fn prune(desk: &Desk, asked: &PruneArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let before = jiff::Timestamp::now().checked_sub(asked.keep).unwrap_or(jiff::Timestamp::MIN);
    let pruned = pruning::prune(&mut database, before).await.map_err(fail)?;
    let journals = match asked.journals {
        true => fleet::recorder::remove_journals(&mut database, &desk.settings.state_dir, before)
            .await
            .map_err(fail)?,
        false => 0,
    };
    if desk.json(asked.json) {
        return print_json([serde_json::json!({
            "reports": pruned.reports, "heartbeats": pruned.heartbeats, "journals": journals,
        })]);
    }
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    desk.say(&format!(
        "removed {}, {} and {}",
        plural(count(pruned.reports), "report"),
        plural(count(pruned.heartbeats), "heartbeat"),
        plural(journals, "journal")
    ));
    Ok(exit::OK)
}

/// Writes everything.
pub(super) async fn export(desk: &Desk, asked: &ExportArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    match &asked.file {
        None => {
            let mut text = Vec::new();
            transfer::export(&mut database, &mut text).await.map_err(fail)?;
            print(&text)
        }
        Some(path) => {
            let file = private_file(path).map_err(|error| cannot("write", path, &error))?;
            let mut output = BufWriter::new(file);
            let rows = transfer::export(&mut database, &mut output).await.map_err(fail)?;
            output
                .into_inner()
                .map_err(|error| error.into_error())
                .and_then(|mut file| file.flush().and_then(|()| file.sync_all()))
                .map_err(|error| cannot("write", path, &error))?;
            desk.say(&format!("wrote {} to {}", plural(count(rows), "row"), path.display()));
            Ok(exit::OK)
        }
    }
}

/// Reads everything.
pub(super) async fn import(desk: &Desk, asked: &ImportArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let rows = match &asked.file {
        None => transfer::import(&mut database, std::io::stdin().lock(), "standard input").await,
        Some(path) => {
            let file = std::fs::File::open(path).map_err(|error| cannot("read", path, &error))?;
            transfer::import(&mut database, BufReader::new(file), &path.display().to_string()).await
        }
    };
    let rows = rows.map_err(fail)?;
    if desk.json(asked.json) {
        return print_json([serde_json::json!({ "rows": rows })]);
    }
    desk.say(&format!("read {} into {}", plural(count(rows), "row"), database.place()));
    Ok(exit::OK)
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

/// A new file that only its owner may read: the record names hosts and errors.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> CommandError {
    Failure::new(FailureClass::Usage, format!("cannot {doing} {}", path.display()))
        .cause(error.to_string())
        .into()
}
