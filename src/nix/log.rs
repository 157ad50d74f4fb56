//! Nix' machine-readable log, one line at a time (`--log-format internal-json`;
//! nix/src/libutil/logging.cc, `JSONLogger`).
//!
//! Tolerant: fields that are missing, activities and results that are new, and
//! lines that are something else never fail; ssh and the evaluator print plain
//! lines in between.

use serde::Deserialize;
use serde_json::Value;

use crate::model::text;

/// One line of the log.
#[derive(Debug, PartialEq)]
pub(super) enum LogLine {
    /// Something begins.
    Start { id: u64, kind: ActivityKind, text: String, fields: Vec<Value> },
    /// It ended.
    Stop { id: u64 },
    /// It has something to tell.
    Result { id: u64, result: ActivityResult },
    /// A message for people.
    Message(NixMessage),
    /// A line that is not of the log's format.
    Plain(String),
    /// JSON that was cut off: the rest comes with the next line.
    Partial,
    /// Nothing of use.
    Unknown,
}

/// What an activity does; the numbers are those of `ActivityType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActivityKind {
    /// One path is copied; fields: path, from, to.
    CopyPath,
    /// A download or upload; fields: URL.
    FileTransfer,
    /// The whole of a build call.
    Realise,
    /// All copies of one call.
    CopyPaths,
    /// All builds of one call.
    Builds,
    /// One derivation is built; fields: derivation, machine, …
    Build,
    /// One path comes from a binary cache; fields: path, cache.
    Substitute,
    /// Somebody else builds the derivation.
    BuildWaiting,
    /// Anything else.
    Other,
}

/// What an activity tells; the numbers are those of `ResultType`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ActivityResult {
    /// A line that a builder printed.
    BuildLogLine(String),
    /// The phase a builder is in.
    Phase(String),
    /// How far it is: bytes, paths or builds.
    Progress { done: u64, expected: u64 },
    /// How much of another kind is expected below it.
    Expected { kind: ActivityKind, expected: u64 },
    /// Anything else.
    Other,
}

/// A message, with the parts of an error where Nix gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NixMessage {
    /// 0 error, 1 warning, 2 notice, 3 info, 4 and more talk.
    pub(crate) level: u8,
    /// The text as a terminal would show it, without colours.
    pub(crate) text: String,
    /// The parts, when it is an error of this process.
    pub(crate) error: Option<ErrorInfo>,
}

/// An error of Nix, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorInfo {
    /// What is wrong, without position and trace.
    pub(crate) message: String,
    /// `file:line:column`, when known.
    pub(crate) position: Option<String>,
    /// How evaluation got there, innermost first, one line each.
    pub(crate) trace: Vec<String>,
}

#[derive(Deserialize)]
struct RawLine {
    action: String,
    #[serde(default)]
    id: u64,
    #[serde(default, rename = "type")]
    kind: u64,
    #[serde(default)]
    level: u8,
    #[serde(default)]
    text: String,
    #[serde(default)]
    fields: Vec<Value>,
    #[serde(default)]
    msg: String,
    raw_msg: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
    #[serde(default)]
    trace: Vec<RawTrace>,
}

#[derive(Deserialize)]
struct RawTrace {
    #[serde(default)]
    raw_msg: String,
    file: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
}

/// What every line of the format begins with.
const MARK: &str = "@nix ";

/// Reads one line, without its line end.
pub(super) fn parse(line: &str) -> LogLine {
    let Some(json) = line.strip_prefix(MARK) else {
        return LogLine::Plain(text::clean_line(line));
    };
    let raw = match serde_json::from_str::<RawLine>(json) {
        Ok(raw) => raw,
        Err(error) if error.is_eof() => return LogLine::Partial,
        Err(_) => return LogLine::Unknown,
    };
    match raw.action.as_str() {
        "start" => LogLine::Start {
            id: raw.id,
            kind: activity_kind(raw.kind),
            text: text::clean_line(&raw.text),
            fields: raw.fields,
        },
        "stop" => LogLine::Stop { id: raw.id },
        "result" => LogLine::Result { id: raw.id, result: activity_result(raw.kind, &raw.fields) },
        "msg" => LogLine::Message(message(raw)),
        _ => LogLine::Unknown,
    }
}

fn activity_kind(number: u64) -> ActivityKind {
    match number {
        100 => ActivityKind::CopyPath,
        101 => ActivityKind::FileTransfer,
        102 => ActivityKind::Realise,
        103 => ActivityKind::CopyPaths,
        104 => ActivityKind::Builds,
        105 => ActivityKind::Build,
        108 => ActivityKind::Substitute,
        111 => ActivityKind::BuildWaiting,
        _ => ActivityKind::Other,
    }
}

fn activity_result(number: u64, fields: &[Value]) -> ActivityResult {
    let integer = |index: usize| fields.get(index).and_then(Value::as_u64);
    let string = || fields.first().and_then(Value::as_str).map(str::to_owned);
    let result = match number {
        101 | 107 => string().map(|line| ActivityResult::BuildLogLine(text::clean(&line))),
        104 => string().map(|phase| ActivityResult::Phase(text::clean_line(&phase))),
        105 => integer(0).zip(integer(1)).map(|(done, expected)| ActivityResult::Progress { done, expected }),
        106 => integer(0)
            .zip(integer(1))
            .map(|(kind, expected)| ActivityResult::Expected { kind: activity_kind(kind), expected }),
        _ => None,
    };
    result.unwrap_or(ActivityResult::Other)
}

fn message(raw: RawLine) -> NixMessage {
    let error = raw.raw_msg.as_deref().map(|message| ErrorInfo {
        message: text::clean(message).trim().to_owned(),
        position: position(raw.file.as_deref(), raw.line, raw.column),
        trace: raw.trace.iter().map(RawTrace::shown).collect(),
    });
    NixMessage { level: raw.level, text: text::clean(&raw.msg).trim_end().to_owned(), error }
}

impl RawTrace {
    fn shown(&self) -> String {
        let message = text::clean(&self.raw_msg);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        match position(self.file.as_deref(), self.line, self.column) {
            Some(place) => format!("{message}, at {place}"),
            None => message,
        }
    }
}

/// `file:line:column`. Newer versions put all of it into `file`; 2.8 puts the
/// whole text of `--apply` there, which says nothing.
fn position(file: Option<&str>, line: Option<u64>, column: Option<u64>) -> Option<String> {
    let (file, line) = (text::clean_line(file?), line?);
    if file.starts_with('«') || file.contains(' ') {
        return None;
    }
    if file.contains(&format!(":{line}")) {
        return Some(file);
    }
    let column = column.map(|column| format!(":{column}")).unwrap_or_default();
    Some(format!("{file}:{line}{column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(log: &str) -> ErrorInfo {
        log.lines()
            .find_map(|line| match parse(line) {
                LogLine::Message(NixMessage { error: Some(error), .. }) => Some(error),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn errors_of_every_version_are_taken_apart_the_same_way() {
        for log in [
            include_str!("../../tests/fixtures/nix/2.8/eval-typo.log"),
            include_str!("../../tests/fixtures/nix/2.26/eval-typo.log"),
            include_str!("../../tests/fixtures/nix/2.34/eval-typo.log"),
        ] {
            let error = error_of(log);
            assert_eq!(error.message, "attribute 'missing' missing");
            assert!(error.position.unwrap().ends_with("/flake.nix:14:44"));
            assert!(error.trace[0].contains("while evaluating"), "{:?}", error.trace);
            assert!(error.trace.iter().all(|line| !line.contains('\n') && !line.contains('\u{1b}')));
        }
    }

    #[test]
    fn a_message_of_several_lines_keeps_them() {
        for log in [
            include_str!("../../tests/fixtures/nix/2.8/eval-assertion.log"),
            include_str!("../../tests/fixtures/nix/2.26/eval-assertion.log"),
            include_str!("../../tests/fixtures/nix/2.34/eval-assertion.log"),
        ] {
            let message = error_of(log).message;
            assert_eq!(message, "Failed assertions:\n- The service foo needs bar.\n- And another one.");
        }
    }

    #[test]
    fn what_is_new_or_broken_is_never_an_error() {
        assert_eq!(parse("@nix {\"action\":\"dance\"}"), LogLine::Unknown);
        assert_eq!(parse("@nix {\"action\":7}"), LogLine::Unknown);
        assert_eq!(parse("@nix {\"action\":\"msg\",\"msg\":\"cut o"), LogLine::Partial);
        assert_eq!(parse("plain \u{1b}[1mtext\u{1b}[0m"), LogLine::Plain("plain text".to_owned()));
        let start = parse("@nix {\"action\":\"start\",\"id\":1,\"type\":999,\"new\":[1]}");
        assert!(matches!(start, LogLine::Start { id: 1, kind: ActivityKind::Other, .. }));
        let result = parse("@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[\"x\"]}");
        assert_eq!(result, LogLine::Result { id: 1, result: ActivityResult::Other });
    }

    #[test]
    fn every_line_of_every_capture_is_understood() {
        for log in [
            include_str!("../../tests/fixtures/nix/2.8/build-failure.log"),
            include_str!("../../tests/fixtures/nix/2.26/build-failure.log"),
            include_str!("../../tests/fixtures/nix/2.34/build-failure.log"),
            include_str!("../../tests/fixtures/nix/2.8/copy-success.log"),
            include_str!("../../tests/fixtures/nix/2.26/copy-success.log"),
            include_str!("../../tests/fixtures/nix/2.34/copy-success.log"),
        ] {
            for line in log.lines() {
                assert!(!matches!(parse(line), LogLine::Unknown | LogLine::Partial), "{line}");
            }
        }
    }
}
