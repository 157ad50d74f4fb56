//! One connection to a host and the scripts that run over it.
//!
//! Every script has a deadline. A session never reconnects by itself: `link.rs`
//! decides when a new one is made, because the proof needs a new one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openssh::{KnownHosts, SessionBuilder, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::error::HostError;
use super::shell::{self, AnswerError, Script};
use crate::exec::{Activity, Command, ExecError, Stream};
use crate::model::{ElevationFact, Secret};

/// A master that nobody uses ends by itself, so that a killed nix-deploy leaves
/// none behind, in seconds.
const MASTER_IDLE: usize = 300;
/// More than any answer of ours; the rest is not kept.
const LARGEST_ANSWER: usize = 16 << 20;

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
    fn words(&self) -> &'static [&'static str] {
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
    Ssh(Arc<openssh::Session>),
    Local,
}

/// A connection. Cheap to clone; the last clone closes it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    address: String,
    transport: Transport,
}

impl Session {
    /// The machine we run on.
    pub(crate) fn local() -> Self {
        Self { address: "this machine".to_owned(), transport: Transport::Local }
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
                Ok(Self { address: destination.to_owned(), transport: Transport::Ssh(Arc::new(session)) })
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
            Transport::Ssh(session) => Some(session.control_socket().to_owned()),
            Transport::Local => None,
        }
    }

    /// Whether the connection still stands.
    pub(crate) async fn is_alive(&self) -> bool {
        match &self.transport {
            Transport::Ssh(session) => {
                matches!(tokio::time::timeout(Duration::from_secs(5), session.check()).await, Ok(Ok(())))
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
        let token = uuid::Uuid::new_v4().simple().to_string();
        let words = elevation.map_or(&[][..], Elevation::words);
        let wire = script.wire(&token, elevation.and_then(|elevation| elevation.password.as_ref()));
        let exchange = async {
            match &self.transport {
                Transport::Ssh(session) => self.over_ssh(session, words, wire, on_line).await,
                Transport::Local => self.locally(words, wire, deadline, on_line).await,
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

    fn lost(&self, error: &(dyn std::error::Error + 'static)) -> HostError {
        HostError::Lost { address: self.address.clone(), detail: chain(error) }
    }

    async fn over_ssh(
        &self,
        session: &openssh::Session,
        words: &[&str],
        wire: String,
        mut on_line: impl FnMut(&str) + Send,
    ) -> Result<(String, Vec<String>), HostError> {
        let mut child = session
            .raw_command(shell::remote_command(words))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|error| self.lost(&error))?;
        let stdin = child.stdin().take();
        let stdout = child.stdout().take();
        let stderr = child.stderr().take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // What was not read shows in the answer.
                let _ = stdin.write_all(wire.as_bytes()).await;
                let _ = stdin.shutdown().await;
            }
        };
        let collect = async {
            let mut output = Vec::new();
            let Some(stdout) = stdout else { return output };
            let mut reader = BufReader::new(stdout);
            loop {
                let from = output.len();
                match reader.read_until(b'\n', &mut output).await {
                    Ok(0) | Err(_) => return output,
                    Ok(_) => on_line(String::from_utf8_lossy(&output[from..]).trim_end()),
                }
                if output.len() > LARGEST_ANSWER {
                    output.truncate(from);
                }
            }
        };
        let errors = async {
            let mut text = Vec::new();
            if let Some(stderr) = stderr {
                let _ = stderr.take(64 << 10).read_to_end(&mut text).await;
            }
            String::from_utf8_lossy(&text).lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let ((), output, stderr) = tokio::join!(feed, collect, errors);
        // The exit status says nothing that the marks do not: it is only reaped.
        let _ = child.wait().await;
        Ok((String::from_utf8_lossy(&output).into_owned(), stderr))
    }

    async fn locally(
        &self,
        words: &[&str],
        wire: String,
        deadline: Duration,
        mut on_line: impl FnMut(&str) + Send,
    ) -> Result<(String, Vec<String>), HostError> {
        let argv = shell::local_argv(words);
        let (program, arguments) =
            argv.split_first().map_or(("/bin/sh", &[][..]), |(first, rest)| (first, rest));
        let observe = |stream, line: &str| {
            if stream == Stream::Stdout {
                on_line(line);
            }
            Activity::Progress
        };
        let output = Command::new(program)
            .args(arguments)
            .stdin(wire)
            .deadline(deadline)
            .output_with(observe)
            .await
            .map_err(|error| match error {
                ExecError::Deadline { .. } => HostError::Deadline { address: self.address.clone(), deadline },
                other => HostError::Local { address: self.address.clone(), detail: chain(&other) },
            })?;
        Ok((output.stdout_text(), output.stderr_tail))
    }
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
