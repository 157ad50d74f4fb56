//! `--format plain`: one line per finding, `file:line:col: severity: …`, as
//! editors and their quickfix lists read it.

use super::{Format, Found, Page, counting, message, place_text};
use crate::model::text::clean_line;

/// The format.
pub(super) struct Plain;

impl Format for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn text(&self, found: &Found<'_>, _: Page) -> String {
        let line = |finding| {
            let (place, message) = (place_text(finding), message(finding));
            let line = format!("{place}: {}: {message} [{}]", finding.severity.as_str(), finding.rule);
            clean_line(&line) + "\n"
        };
        counting(found).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::report::styles::Styles;

    #[test]
    fn each_finding_is_a_line_with_its_place_first() {
        let findings = samples::findings();
        let text = Plain.text(&samples::found(&findings), Page::new(Styles::ASCII, None));
        assert_eq!(
            text,
            "\
hosts/p620.nix:3:1: information: nothing uses the names of this set [rec-unneeded]
hosts/p620.nix:12:2: critical: networking.firewall.enable: the firewall is off [firewall-off]
hosts/p620.nix:20:8: warning: a URL without quotes [unquoted-url]
p620: warning: worker.service runs as root [service-root]
"
        );
    }
}
