//! One connection to a host and the scripts that run over it.
//!
//! Every script has a deadline. A session never reconnects by itself: `link.rs`
//! decides when a new one is made, because the proof needs a new one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssh::{KnownHosts, SessionBuilder};

use super::error::HostError;
use super::shell::{self, AnswerError, Script};
use super::standing_shell::{self, StandingShell};
use crate::exec::{Activity, Command, ExecError, Output, Stream};
use crate::model::{ElevationFact, Secret};

/// A master that nobody uses ends by itself, so that nix-deploy, however it ends, leaves
/// none behind: closing a session only takes its socket away. In seconds; while it is
/// needed, a shell stands open on it.
const MASTER_IDLE: usize = 15;

/// As whom a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// As the login user.
    Login,
    /// As root.
    Root,
}

/// How the login user becomes root, with the password if one is needed.
#[derive(Clone, Debug)]
pub(crate) struct Elevation {
    pub(crate) how: ElevationFact,
    pub(crate) password: Option<Secret>,
}

impl Elevation {
    /// The words before a command line; the login shell sees them.
    fn words(&self) -> ElevationWords {
        match self.how {
            ElevationFact::Root | ElevationFact::Impossible => &[],
            ElevationFact::Sudo => &["sudo", "-n", "--"],
            // -k: a cached credential would leave the password line unread.
            ElevationFact::SudoPassword => &["sudo", "-k", "-S", "-p", "\"\"", "--"],
            ElevationFact::Doas => &["doas", "-n", "--"],
            ElevationFact::Run0 => &["run0", "--no-ask-password", "--"],
        }
    }
}

#[derive(Clone, Debug)]
enum Transport {
    Ssh(Arc<Connection>),
    Local,
}

/// The words that elevate: shells of one kind can be used for each other.
type ElevationWords = &'static [&'static str];

/// An ssh connection and the shells that stand open on it, unused.
#[derive(Debug)]
struct Connection {
    session: Arc<openssh::Session>,
    idle: Mutex<Vec<(ElevationWords, StandingShell)>>,
}

impl Connection {
    fn take_shell(&self, words: ElevationWords) -> Option<StandingShell> {
        let mut idle = lock(&self.idle);
        let index = idle.iter().position(|(kind, _)| *kind == words)?;
        Some(idle.swap_remove(index).1)
    }

    fn give_back(&self, words: ElevationWords, shell: StandingShell) {
        lock(&self.idle).push((words, shell));
    }
}

/// Locks a mutex whose critical sections cannot panic half way.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A connection. Cheap to clone; the last clone closes it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    address: String,
    transport: Transport,
    /// sudo took the password here.
    password_is_right: Arc<AtomicBool>,
}

impl Session {
    /// The machine we run on.
    pub(crate) fn local() -> Self {
        Self::over("this machine".to_owned(), Transport::Local)
    }

    fn over(address: String, transport: Transport) -> Self {
        Self { address, transport, password_is_right: Arc::default() }
    }

    /// Logs in: a new connection with its own master.
    pub(crate) async fn connect(
        destination: &str,
        config: &Path,
        control_directory: &Path,
        deadline: Duration,
    ) -> Result<Self, HostError> {
        let mut builder = SessionBuilder::default();
        builder
            .config_file(config)
            .known_hosts_check(KnownHosts::Strict)
            .control_directory(control_directory)
            .control_persist(
                std::num::NonZeroUsize::new(MASTER_IDLE)
                    .map_or(openssh::ControlPersist::Forever, openssh::ControlPersist::IdleFor),
            );
        // ssh holds each stage to ConnectTimeout; the whole gets a little more.
        let whole = deadline * 2 + Duration::from_secs(5);
        match tokio::time::timeout(whole, builder.connect_mux(destination)).await {
            Ok(Ok(session)) => {
                let connection = Connection { session: Arc::new(session), idle: Mutex::new(Vec::new()) };
                Ok(Self::over(destination.to_owned(), Transport::Ssh(Arc::new(connection))))
            }
            // What is not there can be ssh, or the log that it should have written.
            Ok(Err(openssh::Error::Connect(said)))
                if said.kind() == std::io::ErrorKind::NotFound && is_without_ssh().await =>
            {
                Err(HostError::NoSsh { address: destination.to_owned() })
            }
            // What ssh itself said, without the crate's own words around it.
            Ok(Err(openssh::Error::Connect(said))) => Err(HostError::from_ssh(destination, &said.to_string())),
            Ok(Err(error)) => Err(HostError::from_ssh(destination, &chain(&error))),
            Err(_) => Err(HostError::Deadline { address: destination.to_owned(), deadline: whole }),
        }
    }

    /// Where further ssh clients reach this connection.
    pub(crate) fn control_path(&self) -> Option<PathBuf> {
        match &self.transport {
            Transport::Ssh(connection) => Some(connection.session.control_socket().to_owned()),
            Transport::Local => None,
        }
    }

    /// Whether the connection still stands.
    pub(crate) async fn is_alive(&self) -> bool {
        match &self.transport {
            Transport::Ssh(connection) => {
                let check = connection.session.check();
                matches!(tokio::time::timeout(Duration::from_secs(5), check).await, Ok(Ok(())))
            }
            Transport::Local => true,
        }
    }

    /// Runs a script and gives the text it printed; another exit code than 0
    /// is an error.
    pub(crate) async fn run(
        &self,
        script: &Script,
        elevation: Option<&Elevation>,
        deadline: Duration,
    ) -> Result<String, HostError> {
        self.run_lines(script, elevation, deadline, |_| {}).await
    }

    /// The same, and shows each line as it comes (marks and noise included).
    pub(crate) async fn run_lines(
        &self,
        script: &Script,
        elevation: Option<&Elevation>,
        deadline: Duration,
        on_line: impl FnMut(&str) + Send,
    ) -> Result<String, HostError> {
        if let Some(elevation) = elevation {
            self.check_password(elevation, deadline).await.map_err(HostError::into_elevation)?;
        }
        let token = uuid::Uuid::new_v4().simple().to_string();
        let words = elevation.map_or(&[][..], Elevation::words);
        let password = elevation.and_then(|elevation| elevation.password.as_ref());
        let exchange = async {
            match &self.transport {
                Transport::Ssh(connection) => {
                    self.over_ssh(connection, (words, password), script, &token, on_line).await
                }
                Transport::Local => {
                    let wire = format!("{}{}", shell::opening(password), script.wire(&token));
                    let (output, mut stderr) = self.locally(words, wire, deadline, on_line).await?;
                    stderr.retain(|line| !line.starts_with(&token));
                    Ok((output, stderr))
                }
            }
        };
        let late = || HostError::Deadline { address: self.address.clone(), deadline };
        let (output, stderr) = tokio::time::timeout(deadline, exchange).await.map_err(|_| late())??;
        match shell::answer(&output, &token) {
            Ok((text, 0)) => Ok(text.to_owned()),
            Ok((_, code)) => Err(HostError::Script { address: self.address.clone(), code, stderr }),
            Err(AnswerError::NotStarted) => Err(HostError::not_started(&self.address, &stderr)),
            Err(error @ AnswerError::CutOff) => Err(self.lost(&error)),
        }
    }

    /// Gives sudo the password and then the end of file, once per connection: a wrong
    /// one costs one attempt that way. With a script behind it sudo would take the
    /// script's lines for further attempts.
    pub(super) async fn check_password(
        &self,
        elevation: &Elevation,
        deadline: Duration,
    ) -> Result<(), HostError> {
        let Some(password) = elevation.password.as_ref() else { return Ok(()) };
        if self.password_is_right.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (words, line) = (elevation.words(), format!("{}\n", password.reveal()));
        let asked = async {
            match &self.transport {
                Transport::Ssh(connection) => standing_shell::open_and_close(&connection.session, words, &line)
                    .await
                    .map_err(|error| self.lost(&error)),
                Transport::Local => {
                    let output = self.local_output(words, line, deadline, |_, _| {}).await?;
                    Ok((output.success(), output.stderr_tail))
                }
            }
        };
        let late = || HostError::Deadline { address: self.address.clone(), deadline };
        match tokio::time::timeout(deadline, asked).await.map_err(|_| late())?? {
            (true, _) => {
                self.password_is_right.store(true, Ordering::Relaxed);
                Ok(())
            }
            (false, stderr) => Err(HostError::password_refused(&self.address, &stderr)),
        }
    }

    fn lost(&self, error: &(dyn std::error::Error + 'static)) -> HostError {
        HostError::Lost { address: self.address.clone(), detail: chain(error) }
    }

    /// Runs a script in a shell that stands open, or in a new one.
    async fn over_ssh(
        &self,
        connection: &Connection,
        (words, password): (ElevationWords, Option<&Secret>),
        script: &Script,
        token: &str,
        mut on_line: impl FnMut(&str) + Send,
    ) -> Result<(String, Vec<String>), HostError> {
        loop {
            let mut shell = match connection.take_shell(words) {
                Some(shell) => shell,
                None => StandingShell::open(&connection.session, words, password)
                    .await
                    .map_err(|error| self.lost(&error))?,
            };
            let was_used = shell.is_used();
            let said = shell.run(script, token, &mut on_line).await;
            // It ended while nobody used it; a new one can be tried.
            if was_used && said.never_ran(token) {
                continue;
            }
            if said.stands {
                connection.give_back(words, shell);
            }
            return Ok((said.output, said.stderr));
        }
    }

    async fn locally(
        &self,
        words: &[&str],
        wire: String,
        deadline: Duration,
        mut on_line: impl FnMut(&str) + Send,
    ) -> Result<(String, Vec<String>), HostError> {
        let observe = |stream, line: &str| {
            if stream == Stream::Stdout {
                on_line(line);
            }
        };
        let output = self.local_output(words, wire, deadline, observe).await?;
        Ok((output.stdout_text(), output.stderr_tail))
    }

    async fn local_output(
        &self,
        words: &[&str],
        stdin: String,
        deadline: Duration,
        mut on_line: impl FnMut(Stream, &str) + Send,
    ) -> Result<Output, HostError> {
        let argv = shell::local_argv(words);
        let (program, arguments) =
            argv.split_first().map_or(("/bin/sh", &[][..]), |(first, rest)| (first, rest));
        let observe = |stream, line: &str| {
            on_line(stream, line);
            Activity::Progress
        };
        Command::new(program)
            .args(arguments)
            .stdin(stdin)
            .deadline(deadline)
            .output_with(observe)
            .await
            .map_err(|error| match error {
                ExecError::Deadline { .. } => HostError::Deadline { address: self.address.clone(), deadline },
                other => HostError::Local { address: self.address.clone(), detail: chain(&other) },
            })
    }
}

/// Whether there is no ssh on this machine.
async fn is_without_ssh() -> bool {
    matches!(Command::new("ssh").arg("-V").output().await, Err(ExecError::NotFound { .. }))
}

/// An error with its causes in one line, without repeating what a cause's text
/// already says.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn scripts_run_on_the_machine_we_are_on() {
        let script = Script::new("main() { echo \"got=$V\"; }").set("V", "a b");
        let text = Session::local().run(&script, None, Duration::from_secs(10)).await.unwrap();
        assert_eq!(shell::value(&text, "got"), Some("a b"));
    }

    #[tokio::test]
    async fn exit_codes_and_deadlines_are_errors() {
        let session = Session::local();
        let failing = Script::new("main() { echo oops >&2; return 3; }");
        let error = session.run(&failing, None, Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, HostError::Script { code: 3, ref stderr, .. } if stderr == &["oops"]));
        let hanging = Script::new("main() { sleep 60; }");
        let error = session.run(&hanging, None, Duration::from_millis(200)).await.unwrap_err();
        assert!(matches!(error, HostError::Deadline { .. }));
    }
}
