//! The only place that starts processes.
//!
//! A [`Command`] is a program with argv: nothing here ever builds a shell
//! string. Each child gets a fixed locale, its own process group (so that a
//! Ctrl-C at the terminal reaches us and not it), no standard input unless
//! given, and a deadline; past the deadline, or when the caller goes away, the
//! whole group is killed. Output is collected, and may be read line by line
//! while it comes.

mod error;
mod io_count;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::Instant;

pub(crate) use error::ExecError;
use io_count::IoCount;

/// How much of each output stream is kept in memory, in bytes. More is read,
/// written to the log file and counted, but not kept.
const KEPT_BYTES: usize = 64 << 20;
/// Environment variables that are ours alone: no child gets them.
const SECRETS: [&str; 2] = ["NIX_DEPLOY_SUDO_PASSWORD", "NIX_DEPLOY_DATABASE_URL"];
/// How many lines of standard error a failure shows.
const TAIL_LINES: usize = 20;
/// A line longer than this is cut, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// A program to run, with everything about how.
#[derive(Debug)]
pub(crate) struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    directory: Option<PathBuf>,
    stdin: Option<Vec<u8>>,
    deadline: Duration,
    stall: Option<Duration>,
    stall_counts_io: bool,
    written: Option<Arc<AtomicU64>>,
    log_file: Option<PathBuf>,
}

/// What a finished command left.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// The last lines of standard error.
    pub stderr_tail: Vec<String>,
}

/// A stream of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where a program is: the path itself when it has a slash, else the first of
/// that name on PATH.
#[expect(clippy::disallowed_methods, reason = "PATH is where programs are found, and no setting of ours")]
pub(crate) fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.exists().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

impl Output {
    /// Standard output as text; what is not UTF-8 is replaced.
    pub(crate) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Whether the exit code is 0.
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }
}

impl Command {
    /// A program looked up on PATH (or an absolute path), with a deadline
    /// of 60 seconds until another is set.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: std::iter::once(("LC_ALL".into(), Some("C.UTF-8".into())))
                .chain(SECRETS.map(|name| (name.into(), None)))
                .collect(),
            directory: None,
            stdin: None,
            deadline: Duration::from_secs(60),
            stall: None,
            stall_counts_io: false,
            written: None,
            log_file: None,
        }
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable of the child.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes an environment variable of the child.
    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// Sets the folder the child starts in.
    pub(crate) fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Gives the child this standard input; without it, it gets none.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// How long it may take.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long it may go without printing a line.
    pub(crate) fn stall(mut self, stall: Duration) -> Self {
        self.stall = Some(stall);
        self
    }

    /// Lets bytes that the program itself reads and writes restart the stall
    /// clock too, for programs that move much and say little. Where the
    /// system does not count them, only lines do.
    pub(crate) fn stall_counts_io(mut self) -> Self {
        self.stall_counts_io = true;
        self
    }

    /// Keeps the number of bytes that the program itself has written up to date,
    /// for programs that do not say it; goes with [`Self::stall_counts_io`].
    pub(crate) fn count_written(mut self, written: Arc<AtomicU64>) -> Self {
        self.written = Some(written);
        self
    }

    /// Appends all standard error to this file while it comes.
    pub(crate) fn log_file(mut self, path: impl AsRef<Path>) -> Self {
        self.log_file = Some(path.as_ref().to_owned());
        self
    }

    /// The program and its arguments, for tests and messages.
    pub(crate) fn argv(&self) -> Vec<String> {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|part| part.to_string_lossy().into_owned())
            .collect()
    }

    fn program_name(&self) -> String {
        let program = Path::new(&self.program);
        program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
    }

    /// Runs it and collects its output, whatever its exit code.
    pub(crate) async fn output(self) -> Result<Output, ExecError> {
        self.output_with(|_, _| Activity::Progress).await
    }

    /// Runs it; another exit code than 0 is an error.
    pub(crate) async fn checked(self) -> Result<Output, ExecError> {
        let program = self.program_name();
        let output = self.output().await?;
        output.checked(program)
    }

    /// Runs it and shows each line of output as it comes. The observer says
    /// whether the line is progress, which restarts the stall clock.
    pub(crate) async fn output_with(
        self,
        mut observe: impl FnMut(Stream, &str) -> Activity + Send,
    ) -> Result<Output, ExecError> {
        let program = self.program_name();
        tracing::debug!(argv = ?self.argv(), "start");
        let io_error = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => ExecError::NotFound { program: program.clone() },
            _ => ExecError::Io { program: program.clone(), source },
        };
        let mut child = self.spawn().map_err(io_error)?;
        // From here on the group dies with this future, however it ends.
        let group = Group(child.id());

        let stdin = child.stdin.take();
        let input = self.stdin;
        let feed = async move {
            if let (Some(mut pipe), Some(bytes)) = (stdin, input) {
                // A child that does not read its input closes the pipe: its exit code tells.
                let _ = pipe.write_all(&bytes).await;
                let _ = pipe.shutdown().await;
            }
        };
        let mut log = match &self.log_file {
            Some(path) => Some(open_log(path).await.map_err(io_error)?),
            None => None,
        };
        let (sender, mut lines) = tokio::sync::mpsc::channel(256);
        let stdout = forward(child.stdout.take(), Stream::Stdout, sender.clone());
        let stderr = forward(child.stderr.take(), Stream::Stderr, sender);

        let ends = Instant::now() + self.deadline;
        let mut silent_since = Instant::now();
        let mut io_count = IoCount::new(child.id().filter(|_| self.stall_counts_io), self.written);
        let io_pause = io_count.pause(self.stall.unwrap_or_default());
        let mut next_look = silent_since + io_pause;
        let mut collected = Collected::default();
        let watch = async {
            loop {
                let stalls = self.stall.map(|stall| silent_since + stall);
                let mut wake = stalls.map_or(ends, |stalls| stalls.min(ends));
                if io_count.is_watched() {
                    wake = wake.min(next_look);
                }
                match tokio::time::timeout_at(wake, lines.recv()).await {
                    Ok(Some((stream, line))) => {
                        if let (Some(file), Stream::Stderr) = (&mut log, stream) {
                            // The log is a courtesy: a full disk must not fail the command.
                            let _ = file.write_all(&line).await;
                        }
                        if observe(stream, collected.add(stream, &line)) == Activity::Progress {
                            silent_since = Instant::now();
                        }
                    }
                    Ok(None) => break Ok(()),
                    Err(_) if Instant::now() >= ends => {
                        break Err(ExecError::Deadline {
                            program: program.clone(),
                            deadline: self.deadline,
                            stderr_tail: Vec::new(),
                        });
                    }
                    Err(_) if io_count.has_grown() => {
                        silent_since = Instant::now();
                        next_look = silent_since + io_pause;
                    }
                    Err(_) if stalls.is_none_or(|stalls| Instant::now() < stalls) => {
                        next_look = Instant::now() + io_pause;
                    }
                    Err(_) => {
                        break Err(ExecError::Stalled {
                            program: program.clone(),
                            stall: self.stall.unwrap_or_default(),
                            stderr_tail: Vec::new(),
                        });
                    }
                }
            }
        };
        let mut watched = {
            let streams = async { tokio::join!(feed, stdout, stderr) };
            tokio::pin!(watch, streams);
            let mut streams_open = true;
            loop {
                tokio::select! {
                    result = &mut watch => break result,
                    _ = &mut streams, if streams_open => streams_open = false,
                }
            }
        };
        if let Some(file) = &mut log {
            let _ = file.flush().await;
        }
        let tail: Vec<String> = collected.tail.into();
        if let Err(ExecError::Deadline { stderr_tail, .. } | ExecError::Stalled { stderr_tail, .. }) =
            &mut watched
        {
            stderr_tail.clone_from(&tail);
        }
        watched?;
        // The streams are closed; a child that lingers is held to the same deadline.
        let status = match tokio::time::timeout_at(ends, child.wait()).await {
            Ok(status) => status.map_err(io_error)?,
            Err(_) => {
                return Err(ExecError::Deadline { program, deadline: self.deadline, stderr_tail: tail });
            }
        };
        group.disarm();
        tracing::debug!(program, code = ?status.code(), "end");
        Ok(Output { code: status.code(), stdout: collected.stdout, stderr_tail: tail })
    }

    fn spawn(&self) -> std::io::Result<tokio::process::Child> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.spawn()
    }
}

impl Output {
    /// The output when the exit code is 0, else an error.
    pub(crate) fn checked(self, program: impl Into<String>) -> Result<Self, ExecError> {
        if self.success() {
            return Ok(self);
        }
        Err(ExecError::Failed { program: program.into(), code: self.code, stderr_tail: self.stderr_tail })
    }
}

/// Whether a line of output counts as progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It restarts the stall clock.
    Progress,
    /// It does not.
    Idle,
}

/// Kills a process group when dropped, unless its leader was reaped first.
struct Group(Option<u32>);

impl Group {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(pid) = self.0.and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw)
        else {
            return;
        };
        // The group may be gone already; then there is nothing to kill.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

async fn open_log(path: &Path) -> std::io::Result<File> {
    let mut options = tokio::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600).open(path).await
}

async fn forward(
    pipe: Option<impl AsyncRead + Unpin>,
    stream: Stream,
    sender: tokio::sync::mpsc::Sender<(Stream, Vec<u8>)>,
) {
    let Some(pipe) = pipe else { return };
    let mut reader = BufReader::with_capacity(64 << 10, pipe);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) if sender.send((stream, line)).await.is_err() => return,
            Ok(_) => {}
        }
    }
}

#[derive(Default)]
struct Collected {
    stdout: Vec<u8>,
    tail: VecDeque<String>,
    line: String,
}

impl Collected {
    fn add(&mut self, stream: Stream, line: &[u8]) -> &str {
        self.line = String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned();
        match stream {
            Stream::Stdout if self.stdout.len() + line.len() <= KEPT_BYTES => {
                self.stdout.extend_from_slice(line)
            }
            Stream::Stdout => {}
            Stream::Stderr => {
                if self.tail.len() == TAIL_LINES {
                    self.tail.pop_front();
                }
                self.tail.push_back(self.line.clone());
            }
        }
        &self.line
    }
}

#[cfg(test)]
mod tests;
