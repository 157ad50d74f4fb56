//! A shell on a host that stays open between scripts, so that a script costs
//! one round trip and no login shell of its own.
//!
//! Each script runs in a subshell with standard input at its end, between marks
//! that no other script has. Invariant: a shell whose script did not come to
//! its end mark is never used again.

use std::sync::Arc;

use openssh::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};

use super::shell::{self, Script};
use crate::model::Secret;

/// More than any answer of ours; the rest is not kept.
const LARGEST_ANSWER: usize = 16 << 20;
/// As much of what a script says on standard error as is kept.
const LARGEST_ERROR: usize = 64 << 10;

/// An open shell.
#[derive(Debug)]
pub(super) struct StandingShell {
    /// Keeps the channel; the shell ends with it.
    _child: Child<Arc<openssh::Session>>,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// Whether a script has come to its end here.
    is_used: bool,
}

/// What came back of a script.
pub(super) struct Said {
    /// Standard output, marks and noise included.
    pub(super) output: String,
    /// Standard error by lines.
    pub(super) stderr: Vec<String>,
    /// The shell stands and can take the next script.
    pub(super) stands: bool,
}

impl Said {
    /// The shell had ended before it was given the script: nothing of it ran.
    pub(super) fn never_ran(&self, token: &str) -> bool {
        !self.stands && !self.output.contains(&shell::begin_mark(token))
    }
}

impl StandingShell {
    /// Opens a shell with the words that elevate before it.
    pub(super) async fn open(
        session: &Arc<openssh::Session>,
        words: &[&str],
        password: Option<&Secret>,
    ) -> Result<Self, openssh::Error> {
        let mut child = session
            .clone()
            .arc_raw_command(shell::remote_command(words))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await?;
        let pipes = (child.stdin().take(), child.stdout().take(), child.stderr().take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(openssh::Error::Disconnected);
        };
        // A shell that cannot be written to shows in the answer of the first script.
        let _ = stdin.write_all(shell::opening(password).as_bytes()).await;
        Ok(Self {
            _child: child,
            stdin,
            stdout: BufReader::new(stdout),
            stderr: BufReader::new(stderr),
            is_used: false,
        })
    }

    /// Whether a script has come to its end here before.
    pub(super) fn is_used(&self) -> bool {
        self.is_used
    }

    /// Runs a script to its end mark, or to the end of the shell.
    pub(super) async fn run(&mut self, script: &Script, token: &str, on_line: impl FnMut(&str)) -> Said {
        let wire = script.wire(token);
        let Self { stdin, stdout, stderr, .. } = self;
        let feed = async {
            // What was not read shows in the answer.
            let _ = stdin.write_all(wire.as_bytes()).await;
            let _ = stdin.flush().await;
        };
        let end = shell::end_mark(token);
        let (error_end, mut unheard) = (end.trim_end().to_owned(), |_: &str| {});
        let ((), (output, ended), (errors, _)) = tokio::join!(
            feed,
            read_to(stdout, &end, LARGEST_ANSWER, on_line),
            read_to(stderr, &error_end, LARGEST_ERROR, &mut unheard)
        );
        self.is_used = true;
        let stderr = errors
            .lines()
            .filter(|line| !line.starts_with(&error_end) && !line.is_empty())
            .map(str::to_owned)
            .collect();
        Said { output, stderr, stands: ended }
    }
}

/// Opens a shell that gets this line and then the end of file; says whether it came
/// about, and what was said on standard error.
pub(super) async fn open_and_close(
    session: &Arc<openssh::Session>,
    words: &[&str],
    line: &str,
) -> Result<(bool, Vec<String>), openssh::Error> {
    let mut child = session
        .clone()
        .arc_raw_command(shell::remote_command(words))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .await?;
    if let Some(mut stdin) = child.stdin().take() {
        // What was not read shows in the end of the shell.
        let _ = stdin.write_all(line.as_bytes()).await;
    }
    let output = child.wait_with_output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    Ok((output.status.success(), stderr))
}

/// Reads lines up to the one that begins with the mark; says whether it came. A line
/// that is longer than `largest` comes in pieces.
async fn read_to(
    reader: &mut BufReader<impl AsyncRead + Unpin>,
    mark: &str,
    largest: usize,
    mut on_line: impl FnMut(&str),
) -> (String, bool) {
    let mut output = Vec::new();
    let mut is_whole = true;
    loop {
        let from = output.len();
        match (&mut *reader).take(largest as u64).read_until(b'\n', &mut output).await {
            Ok(0) | Err(_) => break (String::from_utf8_lossy(&output).into_owned(), false),
            Ok(_) => {}
        }
        let line = &output[from..];
        if line.starts_with(mark.as_bytes()) && line.ends_with(b"\n") {
            // The line break before the mark may have gone with what was too much.
            if !is_whole {
                output.insert(from, b'\n');
            }
            break (String::from_utf8_lossy(&output).into_owned(), true);
        }
        on_line(String::from_utf8_lossy(line).trim_end());
        // A piece without an end is as long as that.
        if output.len() >= largest {
            output.truncate(from);
            is_whole = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_without_an_end_takes_no_more_memory_than_an_answer_may() {
        let wire = format!("{}\nt-end 0\n", "x".repeat(1000));
        let mut pieces = 0;
        let (text, ended) = read_to(&mut BufReader::new(wire.as_bytes()), "t-end ", 64, |_| pieces += 1).await;
        assert_eq!((ended, pieces), (true, 16));
        assert_eq!(text, format!("{}\n\nt-end 0\n", "x".repeat(1000 % 64)));
    }
}
