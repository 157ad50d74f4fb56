//! The `command` check: a program on the host, as root.

use std::time::Duration;

use crate::host::error::HostError;
use crate::host::link::Link;
use crate::host::session::{Privilege, Session};
use crate::host::shell::{self, Script};
use crate::model::text::clean_line;

const COMMAND: &str = include_str!("../../../templates/check-command.sh");

/// Passes when the program ends with exit code 0.
pub(super) async fn attempt(
    argv: &[String],
    link: &Link,
    session: &Session,
    timeout: Duration,
) -> Result<(), String> {
    let words: Vec<String> = argv.iter().map(|word| shell::quote(word)).collect();
    let script = Script::new(COMMAND).set("WORDS", words.join(" "));
    let shown = argv.join(" ");
    match link.run_on(session, &script, Privilege::Root, timeout).await {
        Ok(_) => Ok(()),
        Err(HostError::Script { code, stderr, .. }) => {
            let said = stderr.last().map(|line| format!(": {}", clean_line(line))).unwrap_or_default();
            Err(format!("`{shown}` ended with exit code {code}{said}"))
        }
        Err(other) => Err(format!("`{shown}`: {other}")),
    }
}
