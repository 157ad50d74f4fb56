//! `--format github`: workflow commands that become annotations of a commit.
//!
//! GitHub shows ten errors and ten warnings of a step, so the worst come
//! first. Escaping is that of @actions/core (`packages/core/src/command.ts`):
//! `%`, CR and LF everywhere, `:` and `,` in properties too.

use super::{Format, Found, Page, message, worst_first};
use crate::model::text::clean;
use crate::model::{Finding, Severity};

/// The format.
pub(super) struct Github;

impl Format for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn text(&self, found: &Found<'_>, _: Page) -> String {
        worst_first(found).into_iter().map(|finding| annotation(finding) + "\n").collect()
    }
}

/// The command that annotates the place of a finding.
pub(in crate::report) fn annotation(finding: &Finding) -> String {
    let command = match finding.severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Information => "notice",
    };
    let mut properties = Vec::new();
    if let Some(place) = &finding.place {
        properties.push(format!("file={}", property(&place.file.to_string_lossy())));
        properties.push(format!("line={},endLine={}", place.line, place.end_line));
        // GitHub takes columns only of a single line.
        if place.line == place.end_line {
            properties.push(format!("col={},endColumn={}", place.column, place.end_column));
        }
    }
    let title = match &finding.host {
        Some(host) => format!("{} on {host}", finding.rule),
        None => finding.rule.clone(),
    };
    properties.push(format!("title={}", property(&title)));
    let mut text = message(finding);
    if !finding.mend.is_empty() {
        text.push('\n');
        text.push_str(&finding.mend);
    }
    format!("::{command} {}::{}", properties.join(","), data(&text))
}

/// Text as the message of a command.
pub(in crate::report) fn data(text: &str) -> String {
    // CR goes with the other control characters.
    clean(text).replace('%', "%25").replace('\n', "%0A")
}

/// Text as a property of a command.
pub(in crate::report) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::report::styles::Styles;

    #[test]
    fn the_worst_come_first_and_line_ends_are_escaped() {
        let findings = samples::findings();
        let text = Github.text(&samples::found(&findings), Page::new(Styles::ASCII, None));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "::error file=hosts/p620.nix,line=12,endLine=12,col=2,endColumn=37,title=firewall-off::\
             networking.firewall.enable: the firewall is off%0Aopen the ports that are needed with \
             networking.firewall.allowedTCPPorts"
        );
        assert!(
            lines[1].starts_with("::warning file=")
                && lines[2].starts_with("::warning title=service-root on p620::")
        );
        assert!(lines[3].starts_with("::notice ") && lines.len() == 4);
    }

    #[test]
    fn what_separates_properties_is_escaped_in_them_and_not_in_the_message() {
        assert_eq!(property("a,b:c%\nd"), "a%2Cb%3Ac%25%0Ad");
        assert_eq!(data("a,b:c%\r\nd"), "a,b:c%25%0Ad");
    }
}
