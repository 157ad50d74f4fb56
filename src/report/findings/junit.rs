//! `--format junit`: an XML report as CI systems collect them.
//!
//! A test case per finding that counts; a critical one is a failure, any other
//! passes and says what it has to say, because a JUnit failure fails a build
//! and only critical findings do that here.

use super::{Counts, Format, Found, Page, message, place_text};
use crate::model::text::clean;
use crate::model::{Finding, Severity};

/// The format.
pub(super) struct Junit;

impl Format for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn text(&self, found: &Found<'_>, _: Page) -> String {
        let counts = Counts::of(found.findings);
        // A report without any test case is taken for a broken one.
        let tests = (counts.critical + counts.warning + counts.information).max(1);
        let totals = format!("tests=\"{tests}\" failures=\"{}\" errors=\"0\"", counts.critical);
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.push_str(&format!("<testsuites name=\"nix-deploy\" {totals}>\n"));
        xml.push_str(&format!("  <testsuite name=\"nix-deploy check\" {totals} skipped=\"0\">\n"));
        let cases: String = super::counting(found).map(case).collect();
        if cases.is_empty() {
            xml.push_str("    <testcase classname=\"nix-deploy\" name=\"no findings\"/>\n");
        }
        xml.push_str(&cases);
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

fn case(finding: &Finding) -> String {
    let class = match (&finding.place, &finding.host) {
        (Some(place), _) => place.file.display().to_string(),
        (None, Some(host)) => host.to_string(),
        (None, None) => "nix-deploy".to_owned(),
    };
    let place = place_text(finding);
    let (file, line) = finding
        .place
        .as_ref()
        .map(|place| {
            (
                format!(" file=\"{}\"", escape(&place.file.to_string_lossy())),
                format!(" line=\"{}\"", place.line),
            )
        })
        .unwrap_or_default();
    let mut xml = format!(
        "    <testcase classname=\"{}\" name=\"{} at {}\"{file}{line}>\n",
        escape(&class),
        escape(&finding.rule),
        escape(&place)
    );
    let message = message(finding);
    let mut body = format!("{place}: {}: {message}", finding.severity.as_str());
    for part in [&finding.source_line, &finding.mend] {
        if !part.is_empty() {
            body.push('\n');
            body.push_str(part);
        }
    }
    let element = if finding.severity == Severity::Critical { "failure" } else { "system-out" };
    let attributes = match element {
        "failure" => format!(" type=\"{}\" message=\"{}\"", escape(&finding.rule), escape(&message)),
        _ => String::new(),
    };
    xml.push_str(&format!("      <{element}{attributes}>{}</{element}>\n    </testcase>\n", escape(&body)));
    xml
}

/// Text that can stand in an attribute and between tags. Control characters
/// are no part of XML 1.0 at all, and neither are the two non-characters.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // In an attribute a bare line end would be read as a space.
            '\n' => escaped.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::report::styles::Styles;

    #[test]
    fn critical_findings_fail_and_others_say_what_they_have_to_say() {
        let findings = samples::findings();
        let text = Junit.text(&samples::found(&findings), Page::new(Styles::ASCII, None));
        assert!(text.contains("tests=\"4\" failures=\"1\""), "{text}");
        assert_eq!(text.matches("<testcase ").count(), 4);
        assert_eq!(text.matches("<failure ").count(), 1);
        assert!(
            text.contains("name=\"firewall-off at hosts/p620.nix:12:2\" file=\"hosts/p620.nix\" line=\"12\"")
        );
        assert!(text.contains("write &quot;https://example.org/日本&quot;"));
    }

    #[test]
    fn text_is_escaped_and_what_xml_cannot_hold_is_left_out() {
        assert_eq!(escape("a<b>&\"'\u{0}\u{1}\u{fffe}\nc"), "a&lt;b&gt;&amp;&quot;&apos;&#10;c");
    }
}
