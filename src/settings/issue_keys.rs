//! The keys of `[issues]`: where known issues come from and which do not count.
//!
//! An exception is a table with `match`, `reason` and `until`, or only the text
//! of its `match`.

use jiff::civil::Date;
use toml::de::DeValue;

use super::reader::TableReader;
use super::source::Problem;
use crate::model::{IssueIgnore, IssueMatch, IssueSettings, OnUnavailable};

const ON_UNAVAILABLE: [(&str, OnUnavailable); 2] =
    [("warn", OnUnavailable::Warn), ("block", OnUnavailable::Block)];

/// Reads `[issues]`; what is wrong has been reported.
pub(crate) fn read(mut reader: TableReader<'_, '_>) -> IssueSettings {
    let default = IssueSettings::default();
    let repository = reader.parsed("repository", repository).map(toml::Spanned::into_inner);
    let api_url = reader.parsed("api_url", api_url).map(toml::Spanned::into_inner);
    let on_unavailable = reader.choice("on_unavailable", &ON_UNAVAILABLE);
    let plain = |text: &str| Ok(IssueIgnore { what: what(text)?, reason: String::new(), until: None });
    let ignore = reader.each_table_or_text("ignore", plain, read_ignore);
    reader.finish();
    IssueSettings {
        repository: repository.unwrap_or(default.repository),
        api_url: api_url.unwrap_or(default.api_url),
        on_unavailable: on_unavailable.unwrap_or(default.on_unavailable),
        ignore,
    }
}

fn read_ignore(mut reader: TableReader<'_, '_>) -> Option<IssueIgnore> {
    let what = reader.parsed("match", what).map(toml::Spanned::into_inner);
    if reader.value("match").is_none() {
        reader.report_here("an exception needs `match`: \"#123\" or \"pkg:NAME\"");
    }
    let reason = reader.parsed("reason", |text| match text.trim() {
        "" => Err("say why it does not matter"),
        reason => Ok(reason.to_owned()),
    });
    let until = match reader.value("until") {
        Some(value) => {
            let date = date(value.as_ref());
            if date.is_none() {
                reader.report(Problem::at(value.span(), "`until` is a day like 2026-12-31"));
            }
            date
        }
        None => None,
    };
    reader.finish();
    Some(IssueIgnore { what: what?, reason: reason.map(toml::Spanned::into_inner).unwrap_or_default(), until })
}

/// A day, as TOML writes it or as a text.
fn date(value: &DeValue<'_>) -> Option<Date> {
    match value {
        DeValue::Datetime(date) => date.to_string().parse().ok(),
        other => other.as_str()?.parse().ok(),
    }
}

/// `#123` or `pkg:NAME`.
fn what(text: &str) -> Result<IssueMatch, String> {
    let text = text.trim();
    if let Some(number) = text.strip_prefix('#').and_then(|number| number.parse().ok()) {
        return Ok(IssueMatch::Issue(number));
    }
    match text.strip_prefix("pkg:").map(str::trim) {
        Some(name) if !name.is_empty() && !name.contains(char::is_whitespace) => {
            Ok(IssueMatch::Package(name.to_owned()))
        }
        _ => Err(format!("{text:?} is neither an issue like \"#123\" nor a package like \"pkg:firefox\"")),
    }
}

/// `OWNER/NAME`, as GitHub allows it.
pub(super) fn repository(text: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match text.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is no repository like \"NixOS/nixpkgs\"")),
    }
}

/// A web address; a token must not travel in the clear, unless within this
/// machine.
pub(super) fn api_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let parsed = reqwest::Url::parse(url).map_err(|_| format!("{text:?} is no web address"))?;
    let is_local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let has_more = parsed.query().is_some() || parsed.fragment().is_some() || !parsed.username().is_empty();
    match parsed.scheme() {
        _ if parsed.host_str().is_none() || has_more => {
            Err(format!("{text:?} is no address of a REST interface"))
        }
        "https" => Ok(url.to_owned()),
        "http" if is_local => Ok(url.to_owned()),
        _ => Err(format!("{text:?} has to begin with https://")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::hosts_toml::HostsToml;
    use crate::settings::source::Source;
    use crate::settings::values::Anchors;

    fn parse(text: &str) -> Result<IssueSettings, Vec<String>> {
        let source = Source::new("/cfg/hosts.toml", &format!("version = 1\n[hosts.x]\n{text}"));
        let anchors = Anchors { directory: Path::new("/cfg"), home: None };
        HostsToml::parse(&source, anchors).map(|file| file.issues).map_err(|problems| {
            let failures = problems.iter().map(|problem| source.explain(problem, "t"));
            failures
                .map(|failure| {
                    failure.hints.iter().fold(failure.message, |text, hint| format!("{text} | {hint}"))
                })
                .collect()
        })
    }

    #[test]
    fn without_the_section_nixpkgs_on_github_is_asked_and_nothing_blocks() {
        let settings = parse("").unwrap();
        assert_eq!(settings, IssueSettings::default());
        assert_eq!(settings.on_unavailable, OnUnavailable::Warn);
    }

    #[test]
    fn exceptions_are_texts_or_tables() {
        let settings = parse(
            "[issues]\nrepository = \"me/fork\"\napi_url = \"https://ghe.example/api/v3/\"\non_unavailable = \"block\"\n\
             ignore = [\n  \"#7\",\n  { match = \"#123\", reason = \"worked around\", until = 2026-12-31 },\n  \
             { match = \"pkg:steam\", reason = \"not used\", until = \"2027-01-01\" },\n]\n",
        )
        .unwrap();
        assert_eq!(
            (settings.repository.as_str(), settings.api_url.as_str()),
            ("me/fork", "https://ghe.example/api/v3")
        );
        assert_eq!(settings.on_unavailable, OnUnavailable::Block);
        let ignored = |what, reason: &str, until: Option<&str>| IssueIgnore {
            what,
            reason: reason.to_owned(),
            until: until.map(|day| day.parse().unwrap()),
        };
        assert_eq!(
            settings.ignore,
            [
                ignored(IssueMatch::Issue(7), "", None),
                ignored(IssueMatch::Issue(123), "worked around", Some("2026-12-31")),
                ignored(IssueMatch::Package("steam".to_owned()), "not used", Some("2027-01-01")),
            ]
        );
    }

    #[test]
    fn exceptions_may_also_be_tables_of_their_own() {
        let settings = parse("[[issues.ignore]]\nmatch = \"pkg:foo\"\nreason = \"r\"\n").unwrap();
        assert_eq!(settings.ignore.len(), 1);
    }

    #[test]
    fn every_mistake_is_said_at_its_place() {
        let problems = parse(
            "[issues]\nrepository = \"nixpkgs\"\napi_url = \"http://ghe.example\"\non_unavailable = \"blok\"\n\
             ignore = [\"123\", 7, { match = \"pkg:\", until = \"soon\" }, { reason = \"\" }]\nignor = 1\n",
        )
        .unwrap_err();
        let expected = [
            "t:4:14: `repository`: \"nixpkgs\" is no repository like \"NixOS/nixpkgs\"",
            "t:5:11: `api_url`: \"http://ghe.example\" has to begin with https://",
            "t:6:18: `on_unavailable`: \"blok\" is not one of warn or block; did you mean \"block\"?",
            "t:7:11: `ignore`: \"123\" is neither an issue like \"#123\" nor a package like \"pkg:firefox\"",
            "t:7:18: an item of `ignore` is a text in quotes or a table, found a number",
            "t:7:31: `match`: \"pkg:\" is neither an issue like \"#123\" nor a package like \"pkg:firefox\"",
            "t:7:47: `until` is a day like 2026-12-31",
        ];
        assert_eq!(problems[..expected.len()], expected);
        assert!(problems.iter().any(|problem| problem.contains("needs `match`")), "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("`reason`: say why")), "{problems:?}");
        assert!(problems.last().unwrap().contains("unknown key `ignor` in [issues] | did you mean `ignore`?"));
    }
}
