//! `check --watch`: judges again whenever a Nix file changes, for the terminal
//! beside an editor. Ends on Ctrl-C.
//!
//! Folders are watched with inotify. An editor writes a file in several steps:
//! a change is judged when nothing has changed for a moment.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use tokio::sync::mpsc;

use super::Job;
use crate::error::CommandError;
use crate::exit::ExitCode;
use crate::model::FailureClass;

/// Nothing has changed for so long: what was written is whole.
const QUIET: Duration = Duration::from_millis(60);

/// Judges and waits, again and again.
pub(super) async fn watch(job: &Job<'_>) -> Result<ExitCode, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::from_error(FailureClass::Unexpected, &error).hint("inotify is needed to watch files")
    };
    let mut watched = Watched::new().map_err(failed)?;
    let ends = tokio::signal::ctrl_c();
    tokio::pin!(ends);
    loop {
        // Folders may have come; what changes while it is judged is judged again.
        watched.add_all(job).map_err(failed)?;
        clear_screen();
        let last = match job.judge().await {
            Ok(judged) => job.show(judged, &[])?,
            // Settings and baseline may be half written: the next change mends it.
            Err(error) => {
                let _ = error.write(&mut std::io::stderr().lock());
                error.exit_code()
            }
        };
        job.say("watching; Ctrl-C ends");
        tokio::select! {
            changed = watched.changed() => changed.map_err(failed)?,
            _ = &mut ends => return Ok(last),
        }
    }
}

fn clear_screen() {
    let mut output = std::io::stdout().lock();
    if output.is_terminal() {
        let _ = output.write_all(b"\x1b[2J\x1b[H");
    }
}

/// Folders under watch, and changes in them as they come.
struct Watched {
    inotify: Arc<OwnedFd>,
    changes: mpsc::UnboundedReceiver<std::io::Result<()>>,
}

impl Watched {
    fn new() -> std::io::Result<Self> {
        let inotify = Arc::new(inotify::init(CreateFlags::CLOEXEC)?);
        let (sender, changes) = mpsc::unbounded_channel();
        let reader = Arc::clone(&inotify);
        // It waits in the system for the next change, until the program ends.
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || read(&reader, &sender))?;
        Ok(Self { inotify, changes })
    }

    /// Watches every folder that holds something to judge. A folder that is
    /// watched already stays so.
    fn add_all(&self, job: &Job<'_>) -> std::io::Result<()> {
        let mut folders = BTreeSet::new();
        let tops = if job.paths.is_empty() { vec![job.root.clone()] } else { job.paths.clone() };
        for top in tops {
            if top.is_dir() {
                collect(&top, &job.root, job, &mut folders);
            } else {
                folders.extend(top.parent().map(Path::to_owned));
            }
        }
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::CREATE
            | WatchFlags::ONLYDIR;
        for folder in folders {
            match inotify::add_watch(&self.inotify, &folder, flags) {
                Ok(_) => {}
                // Gone since it was found, or closed to us: there is nothing to hear of it.
                Err(rustix::io::Errno::NOENT | rustix::io::Errno::ACCESS | rustix::io::Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for a change that matters, and then until it is over.
    async fn changed(&mut self) -> std::io::Result<()> {
        let gone = || Err(std::io::Error::other("the reader of changes ended"));
        self.changes.recv().await.unwrap_or_else(gone)?;
        while let Ok(more) = tokio::time::timeout(QUIET, self.changes.recv()).await {
            more.unwrap_or_else(gone)?;
        }
        Ok(())
    }
}

/// Tells of every change that matters until nobody listens.
fn read(inotify: &OwnedFd, sender: &mpsc::UnboundedSender<std::io::Result<()>>) {
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut reader = Reader::new(inotify, &mut buffer);
    loop {
        let told = match reader.next() {
            Ok(event) if is_worth_a_look(&event) => sender.send(Ok(())),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => {
                let _ = sender.send(Err(error.into()));
                return;
            }
        };
        if told.is_err() {
            return;
        }
    }
}

fn is_worth_a_look(event: &inotify::Event<'_>) -> bool {
    let name = event.file_name().map(|name| name.to_bytes()).unwrap_or_default();
    // A folder that comes or goes may hold Nix files.
    name.ends_with(b".nix") || name == b"hosts.toml" || event.events().contains(inotify::ReadFlags::ISDIR)
}

/// A folder with every folder below it that is judged; hidden ones are not,
/// and links are not followed.
fn collect(folder: &Path, root: &Path, job: &Job<'_>, folders: &mut BTreeSet<PathBuf>) {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let path = entry.path();
            let shown = path.strip_prefix(root).unwrap_or(&path);
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if is_folder && !is_hidden && !job.policy.ignores(shown) {
                waiting.push(path);
            }
        }
        folders.insert(folder);
    }
}
