//! Explains rules: one of them whole, or all of them in a list.

use crate::error::CommandError;
use crate::lint::{self, Layer, RuleInfo};
use crate::model::FailureClass;
use crate::settings::nearest;

/// How wide the text is, in columns.
const WIDTH: usize = 78;

/// Everything there is to say about a rule.
pub(crate) fn explain(id: &str) -> Result<String, CommandError> {
    let rule = lint::find_rule(id).ok_or_else(|| unknown(id))?;
    let mut text = format!("{}\n\n", rule.id);
    text.push_str(&wrapped(rule.summary));
    text.push('\n');
    text.push_str(&wrapped(rule.why));
    text.push_str(&format!(
        "\n  severity   {}\n  decided    {}\n  --fix      {}\n  source     {}\n",
        severity(rule),
        decided(rule),
        if rule.fixable { "mends it" } else { "does not mend it" },
        rule.source
    ));
    for (title, samples) in [("Bad", rule.bad), ("Good", rule.good)] {
        for sample in samples {
            let note = if sample.note.is_empty() { String::new() } else { format!(" ({})", sample.note) };
            text.push_str(&format!("\n{title}{note}:\n\n"));
            for line in sample.code.trim_matches('\n').lines() {
                text.push_str(format!("    {line}").trim_end());
                text.push('\n');
            }
        }
    }
    text.push_str(&format!(
        "\nTo let a place pass, on its line or the line above:\n\n    # nix-deploy: allow {} -- the reason\n",
        rule.id
    ));
    Ok(text)
}

/// Every rule in one line.
pub(crate) fn list() -> String {
    let widest = lint::rules().iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in lint::rules() {
        text.push_str(&format!("{:<widest$}  {:<11}  {}\n", rule.id, severity(rule), rule.summary));
    }
    text
}

fn severity(rule: &RuleInfo) -> &'static str {
    if rule.on { rule.severity.as_str() } else { "off" }
}

fn decided(rule: &RuleInfo) -> &'static str {
    match rule.layer {
        Layer::Source => "on the source",
        Layer::Evaluated => "on the built system",
        Layer::Both => "on the source; the built system is right where it speaks",
    }
}

/// No rule is called so.
pub(crate) fn unknown(id: &str) -> CommandError {
    let error = CommandError::new(FailureClass::Usage, format!("no rule is called {id:?}"));
    match nearest(id, lint::rules().iter().map(|rule| rule.id)) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error.hint("`nix-deploy check --list-rules` names them all"),
    }
}

/// Text broken into lines.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&format!("{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push_str(&format!("{line}\n"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words() {
        let text = "word ".repeat(40);
        assert!(wrapped(&text).lines().all(|line| line.len() <= WIDTH && line.starts_with("word")));
        assert_eq!(wrapped(""), "");
    }
}
