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
        if !samples.is_empty() {
            text.push_str(&format!("\n{title}:\n"));
        }
        for sample in samples {
            text.push('\n');
            if !sample.note.is_empty() {
                text.push_str(&format!("    # {}\n", sample.note));
            }
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

    const BEGIN: &str = "<!-- rules: written by `make generated` -->\n";
    const END: &str = "<!-- end of rules -->";

    /// The rules as a table of the README.
    fn table() -> String {
        let mut table =
            String::from("| rule | severity | on | `--fix` | what it finds |\n|---|---|---|---|---|\n");
        for rule in lint::rules() {
            let layer = match rule.layer {
                Layer::Source => "source",
                Layer::Evaluated => "system",
                Layer::Both => "both",
            };
            let fix = if rule.fixable { "yes" } else { "" };
            let summary = rule.summary.replace('|', "\\|");
            table.push_str(&format!("| `{}` | {} | {layer} | {fix} | {summary} |\n", rule.id, severity(rule)));
        }
        table
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "`make generated` asks for the new table this way")]
    fn the_readme_lists_every_rule() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (kept, after) = rest.split_once(END).unwrap();
        if std::env::var_os("GENERATE").is_some() {
            std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
            return;
        }
        assert_eq!(kept, table(), "the table of rules is stale: run `make generated`");
    }

    #[test]
    fn every_rule_is_explained_and_a_misspelt_one_is_guessed() {
        for rule in lint::rules() {
            let text = explain(rule.id).unwrap();
            assert!(text.starts_with(rule.id) && text.contains(rule.source), "{text}");
        }
        let error = explain("firewal-off").unwrap_err();
        assert_eq!(error.failures()[0].hints, ["did you mean \"firewall-off\"?"]);
    }

    #[test]
    fn text_is_broken_between_words() {
        let text = "word ".repeat(40);
        assert!(wrapped(&text).lines().all(|line| line.len() <= WIDTH && line.starts_with("word")));
        assert_eq!(wrapped(""), "");
    }
}
