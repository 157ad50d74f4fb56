//! Which files the installed Nix cannot parse, asked in one batch.
//!
//! `nix-instantiate --parse` prints each file's expression and stops at the
//! first bad one: that is taken out and the rest asked again, so the number of
//! processes is that of the bad files and one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Nix, NixError};
use crate::exec::Command;

/// A file that Nix refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// The file, as it was given.
    pub(crate) file: PathBuf,
    /// Line and column that Nix names, from 1; 1 when it names none.
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// What it says, one line without `error:`.
    pub(crate) message: String,
}

/// Files for one process: far from what an argument list may hold.
const AT_ONCE: usize = 1000;
/// Bad files after which no more are asked: a broken tree needs no full list.
const MOST: usize = 200;

impl Nix {
    /// Asks Nix to parse files. Gives those it refuses, in the given order;
    /// what is not among them it accepts, unless there are [`MOST`].
    ///
    /// # Errors
    /// When Nix cannot be run, or says something that names none of the files.
    pub(crate) async fn parse_files(&self, files: &[PathBuf]) -> Result<Vec<Rejected>, NixError> {
        let mut rejected = Vec::new();
        for batch in files.chunks(AT_ONCE) {
            let mut rest: &[PathBuf] = batch;
            while !rest.is_empty() && rejected.len() < MOST {
                let output = self.parse_command(rest).output().await?;
                if output.success() {
                    break;
                }
                let stderr = output.stderr_tail.join("\n");
                // What was parsed before the bad one was printed, a line each.
                let parsed = output.stdout_text().lines().count();
                let Some(at) = bad_file(rest, &stderr, parsed) else {
                    return Err(NixError::Refused(plain(&stderr)));
                };
                rejected.push(read_error(&rest[at], &stderr));
                rest = &rest[at + 1..];
            }
        }
        Ok(rejected)
    }

    fn parse_command(&self, files: &[PathBuf]) -> Command {
        let command = self.nix_instantiate().arg("--parse");
        // A relative name could be read as an option or a search path.
        let absolute = files.iter().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        command.args(absolute).deadline(Duration::from_secs(120))
    }
}

/// Which file an error is about: the one it names, else the one after those
/// that were printed.
fn bad_file(files: &[PathBuf], stderr: &str, parsed: usize) -> Option<usize> {
    let is_named = |path: &Path| {
        let name = path.to_string_lossy();
        [":", "'", "\n", " "].iter().any(|end| stderr.contains(&format!("{name}{end}")))
            || stderr.ends_with(&*name)
    };
    // Nix follows a link and names what it leads to.
    let names = |file: &PathBuf| {
        std::path::absolute(file).is_ok_and(|path| is_named(&path))
            || std::fs::canonicalize(file).is_ok_and(|path| is_named(&path))
    };
    if files.get(parsed).is_some_and(names) {
        return Some(parsed);
    }
    files.iter().position(names)
}

fn read_error(file: &Path, stderr: &str) -> Rejected {
    let stderr = plain(stderr);
    let lines: Vec<&str> = stderr.lines().collect();
    let message = lines.iter().enumerate().find_map(|(index, line)| {
        let rest = line.trim_start().strip_prefix("error:")?.trim();
        // Newer versions put the words under the mark, after the trace.
        let words = if rest.is_empty() {
            lines
                .get(index + 1..)?
                .iter()
                .map(|line| line.trim())
                .find(|line| !line.is_empty() && !line.starts_with('…'))?
        } else {
            rest
        };
        Some(words.to_owned())
    });
    let (line, column) = position(&lines, &file.to_string_lossy()).unwrap_or((1, 1));
    let message = message.unwrap_or_else(|| "it does not say why".to_owned());
    Rejected { file: file.to_owned(), line, column, message: without_position(&message) }
}

/// `at /x/a.nix:3:7` of 2.4 and newer, `at '…' (line 3, column 7)` or
/// `, at /x/a.nix:3:7` of older ones. The first that names the file.
fn position(lines: &[&str], file: &str) -> Option<(u32, u32)> {
    let base = Path::new(file).file_name()?.to_string_lossy().into_owned();
    lines.iter().filter(|line| line.contains(&base)).find_map(|line| {
        let after = &line[line.find(&base)? + base.len()..];
        let numbers: Vec<u32> = after
            .split(|next: char| !next.is_ascii_digit())
            .filter(|word| !word.is_empty())
            .filter_map(|word| word.parse().ok())
            .collect();
        match numbers.as_slice() {
            [line, column, ..] if after.starts_with(':') || after.contains("(line") => Some((*line, *column)),
            _ => None,
        }
    })
}

fn without_position(message: &str) -> String {
    let message = message.split(", at ").next().unwrap_or(message);
    let message = match message.rfind(" at /") {
        // `attribute 'a' already defined at /x/a.nix:1:3`: the place is ours.
        Some(at) => &message[..at],
        None => message,
    };
    message.trim().trim_end_matches(':').to_owned()
}

/// Without colours, which 2.34 writes even into a pipe when told to.
fn plain(text: &str) -> String {
    crate::model::text::clean(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_every_nix_are_read() {
        let file = Path::new("/x/bad.nix");
        let cases = [
            // 2.8
            (
                "error: syntax error, unexpected ';'\n\n       at /x/bad.nix:3:7:\n\n            2|\n            3| { x = ;\n             |       ^",
                (3, 7, "syntax error, unexpected ';'"),
            ),
            // 2.26
            (
                "error: undefined variable 'y'\n       at /x/bad.nix:1:7:\n            1| { x = y; }\n             |       ^",
                (1, 7, "undefined variable 'y'"),
            ),
            // 2.34: colours, and the words on a line of their own after a trace.
            (
                "\u{1b}[31;1merror:\u{1b}[0m\n       … while parsing\n         at \u{1b}[35;1m/x/bad.nix:1:1\u{1b}[0m:\n\n       \u{1b}[31;1merror:\u{1b}[0m attribute 'a' already defined at /x/bad.nix:1:3",
                (1, 1, "attribute 'a' already defined"),
            ),
            // 2.3
            ("error: syntax error, unexpected ';', at /x/bad.nix:3:7", (3, 7, "syntax error, unexpected ';'")),
            (
                "error: reading file '/x/bad.nix': Permission denied",
                (1, 1, "reading file '/x/bad.nix': Permission denied"),
            ),
        ];
        for (stderr, (line, column, message)) in cases {
            let rejected = read_error(file, stderr);
            assert_eq!((rejected.line, rejected.column), (line, column), "{stderr}");
            if !stderr.contains('…') {
                assert_eq!(rejected.message, message);
            }
        }
    }

    #[test]
    fn the_bad_file_is_the_one_that_is_named() {
        let files = [PathBuf::from("/x/a.nix"), PathBuf::from("/x/a.nix.nix"), PathBuf::from("/x/b.nix")];
        assert_eq!(bad_file(&files, "error: e\n at /x/b.nix:1:2:", 2), Some(2));
        assert_eq!(bad_file(&files, "error: e\n at /x/a.nix.nix:1:2:", 1), Some(1));
        // Output that spans lines does not lead astray.
        assert_eq!(bad_file(&files, "error: e\n at /x/a.nix.nix:1:2:", 9), Some(1));
        assert_eq!(bad_file(&files, "error: out of memory", 1), None);
    }

    #[tokio::test]
    async fn every_bad_file_is_found_in_one_go() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let files = vec![
            write("good.nix", "{ a = ''\n  two\n  lines\n''; }"),
            write("broken.nix", "{\n  a = ;\n}"),
            write("fine.nix", "1"),
            write("unknown.nix", "b"),
            write("last.nix", "2"),
        ];
        let nix = Nix::default();
        let rejected = nix.parse_files(&files).await.unwrap();
        assert_eq!(rejected.len(), 2, "{rejected:?}");
        assert_eq!((&rejected[0].file, rejected[0].line, rejected[0].column), (&files[1], 2, 7));
        assert_eq!((&rejected[1].file, rejected[1].message.as_str()), (&files[3], "undefined variable 'b'"));
    }
}
