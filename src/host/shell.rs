//! Shell text for hosts: quoting, the wire form of a script and its answer.
//!
//! A script is constant text from `templates/` that defines a function `main`.
//! Values reach it as quoted assignments before it, never by pasting into its
//! text. It travels on standard input behind a line [`BEGIN`], so that the
//! command line that the login shell sees is always the same, whatever shell
//! that is, and so that a sudo password can go before it. Any number of scripts
//! follow each other on one standard input. The answer of each stands between
//! two marks, because rc files of login shells print.

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

    /// What goes to standard input of an open shell: values, text, and a call of
    /// `main` between the marks of `token`, in a subshell of its own.
    pub(super) fn wire(&self, token: &str) -> String {
        let mut wire = String::with_capacity(self.text.len() + 1024);
        // The subshell is parsed whole before it runs, so nothing in it can eat
        // the rest of standard input.
        wire.push_str("(\n");
        for (name, value) in &self.values {
            wire.push_str(name);
            wire.push('=');
            wire.push_str(&quote(value));
            wire.push('\n');
        }
        wire.push_str(self.text);
        wire.push_str(&format!(
            "\necho {token}-begin\nmain </dev/null\n)\ncode=$?\necho\necho {token}-end $code\necho {token}-end >&2\n"
        ));
        wire
    }
}

/// What comes first on standard input: the password line if any, and the line
/// behind which scripts begin.
pub(super) fn opening(password: Option<&Secret>) -> String {
    let password = password.map_or_else(String::new, |password| format!("{}\n", password.reveal()));
    format!("{password}{BEGIN}\n")
}

/// The line before an answer.
pub(super) fn begin_mark(token: &str) -> String {
    format!("{token}-begin\n")
}

/// How the line after an answer begins; the exit code follows.
pub(super) fn end_mark(token: &str) -> String {
    format!("{token}-end ")
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
    let begin = begin_mark(token);
    let end = format!("\n{}", end_mark(token));
    let start = output.find(&begin).ok_or(AnswerError::NotStarted)? + begin.len();
    let rest = &output[start..];
    // The mark may follow the begin mark at once when nothing was printed.
    let (text, tail) = match rest.rfind(&end) {
        Some(at) => (&rest[..at], &rest[at + end.len()..]),
        None => return Err(AnswerError::CutOff),
    };
    let code = tail.lines().next().unwrap_or_default();
    let code = code.trim().parse().map_err(|_| AnswerError::CutOff)?;
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
        let wire = format!("{}{}", opening(password), script.wire("t0k"));
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

    #[tokio::test]
    async fn scripts_follow_each_other_and_leave_nothing_to_the_next() {
        let first = Script::new("main() { seen=$V; cd /; exit 3; }").set("V", "one");
        let second = Script::new("main() { echo \"seen=$seen v=$V in=$(cat)\"; }");
        let wire = format!("{}{}{}", opening(None), first.wire("t1"), second.wire("t2"));
        let output = Command::new("/bin/sh").arg("-c").arg(remote_command(&[])).stdin(wire).output().await;
        let text = output.unwrap().stdout_text();
        assert_eq!(answer(&text, "t1"), Ok(("", 3)));
        assert_eq!(answer(&text, "t2"), Ok(("seen= v= in=\n", 0)));
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
