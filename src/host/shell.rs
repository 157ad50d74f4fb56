//! Shell text for hosts: quoting, the wire form of a script and its answer.
//!
//! A script is constant text from `templates/` that defines a function `main`.
//! Values reach it as quoted assignments before it, never by pasting into its
//! text. It travels on standard input behind a line [`BEGIN`], so that the
//! command line that the login shell sees is always the same, whatever shell
//! that is, and so that a sudo password can go before it. Its answer stands
//! between two marks, because rc files of login shells print.

use crate::model::Secret;

/// The line that ends whatever stands before a script on standard input.
const BEGIN: &str = "nix-deploy-begin";

/// What every login shell is asked to run. It reads up to [`BEGIN`] line by
/// line, then hands the rest to a shell. There is no single quote and no
/// backslash in it, so one pair of single quotes is right in every shell.
const BOOT: &str = "while IFS= read -r l; do test \"$l\" = nix-deploy-begin && break; done; exec /bin/sh -s";

/// A script with its values.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    text: &'static str,
    values: Vec<(&'static str, String)>,
}

/// Why an answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnswerError {
    /// There is no begin mark: the script did not start.
    #[error("the script did not start")]
    NotStarted,
    /// There is no end mark: the connection or the script was cut off.
    #[error("the answer was cut off")]
    CutOff,
}

impl Script {
    /// A script from `templates/`.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text, values: Vec::new() }
    }

    /// Sets a value that the script reads as a shell variable.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// What goes to standard input: password line if any, begin mark, values,
    /// text, and a call of `main` between the marks of `token`.
    pub(crate) fn wire(&self, token: &str, password: Option<&Secret>) -> String {
        let mut wire = String::with_capacity(self.text.len() + 1024);
        if let Some(password) = password {
            wire.push_str(password.reveal());
            wire.push('\n');
        }
        wire.push_str(BEGIN);
        wire.push('\n');
        for (name, value) in &self.values {
            wire.push_str(name);
            wire.push('=');
            wire.push_str(&quote(value));
            wire.push('\n');
        }
        wire.push_str(self.text);
        // The whole text is parsed before `main` runs, so nothing in it can eat
        // the rest of standard input.
        wire.push_str(&format!(
            "\necho {token}-begin\nmain </dev/null\ncode=$?\necho\necho {token}-end $code\n"
        ));
        wire
    }
}

/// The command line for the login shell, with the words that elevate before it.
pub(crate) fn remote_command(elevate: &[&str]) -> String {
    let mut command = elevate.join(" ");
    if !command.is_empty() {
        command.push(' ');
    }
    command.push_str("/bin/sh -c '");
    command.push_str(BOOT);
    command.push('\'');
    command
}

/// The same as argv, for the machine we run on.
pub(crate) fn local_argv(elevate: &[&str]) -> Vec<String> {
    elevate
        .iter()
        .map(|word| (*word).trim_matches('"').to_owned())
        .chain(["/bin/sh".to_owned(), "-c".to_owned(), BOOT.to_owned()])
        .collect()
}

/// Quotes text for a POSIX shell.
pub(crate) fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Finds the answer between the marks of `token`: its text and `main`'s exit code.
pub(crate) fn answer<'a>(output: &'a str, token: &str) -> Result<(&'a str, i32), AnswerError> {
    let begin = format!("{token}-begin\n");
    let end = format!("\n{token}-end ");
    let start = output.find(&begin).ok_or(AnswerError::NotStarted)? + begin.len();
    let rest = &output[start..];
    // The mark may follow the begin mark at once when nothing was printed.
    let (text, tail) = match rest.rfind(&end) {
        Some(at) => (&rest[..at], &rest[at + end.len()..]),
        None => return Err(AnswerError::CutOff),
    };
    let code = tail.trim().parse().map_err(|_| AnswerError::CutOff)?;
    Ok((text, code))
}

/// The `key=value` lines of an answer, in order; other lines are left out.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once('='))
}

/// The value of the first line with this key.
pub(crate) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    pairs(text).find(|(found, _)| *found == key).map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Command;

    async fn run(script: &Script, shell_before: &str, password: Option<&Secret>) -> String {
        let wire = script.wire("t0k", password);
        let output = Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("{shell_before}{}", remote_command(&[])))
            .stdin(wire)
            .output()
            .await
            .unwrap();
        output.stdout_text()
    }

    #[tokio::test]
    async fn values_arrive_whatever_they_hold() {
        let nasty = "a'b \"c\" $(id) `id` \\ \n;& |\u{e4}";
        let script = Script::new("main() { printf 'v=%s' \"$V\"; return 7; }").set("V", nasty);
        let output = run(&script, "", None).await;
        assert_eq!(answer(&output, "t0k"), Ok((format!("v={nasty}").as_str(), 7)));
    }

    #[tokio::test]
    async fn noise_of_login_shells_and_a_password_stay_out_of_the_answer() {
        let script = Script::new("main() { echo hello; cat; }");
        let output = run(&script, "echo welcome; ", Some(&Secret::new("hunter2"))).await;
        assert!(output.starts_with("welcome\n"));
        assert!(!output.contains("hunter2"));
        assert_eq!(answer(&output, "t0k"), Ok(("hello\n", 0)));
    }

    #[tokio::test]
    async fn an_empty_answer_is_an_answer() {
        let output = run(&Script::new("main() { :; }"), "", None).await;
        assert_eq!(answer(&output, "t0k"), Ok(("", 0)));
    }

    #[test]
    fn a_cut_answer_is_told_from_one_that_never_began() {
        assert_eq!(answer("sudo: no\n", "t"), Err(AnswerError::NotStarted));
        assert_eq!(answer("t-begin\nhalf", "t"), Err(AnswerError::CutOff));
    }

    #[test]
    fn the_command_line_has_no_character_that_shells_disagree_about() {
        assert!(!BOOT.contains(['\'', '\\', '!']));
        assert!(BOOT.contains(BEGIN));
    }

    #[test]
    fn quoting_leaves_plain_words_alone() {
        assert_eq!(quote("/nix/store/x-1.2"), "/nix/store/x-1.2");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), "'it'\\''s'");
    }
}
