//! The keys of `[lint]`: how much rules matter, for all hosts, for those with
//! a tag, for one; which files are not judged; the baseline file.
//!
//! Later layers win: `rules`, then the host's tags in the order of the host,
//! then the host. A rule that does not exist is a problem: a misspelt id would
//! silently change nothing.

use std::path::PathBuf;

use globset::Glob;
use toml::Spanned;

use super::nearest::nearest;
use super::reader::{self, TableReader, WrongEntry};
use super::source::Problem;
use super::values::{self, Anchors};
use crate::lint;
use crate::model::{HostName, Levels, LintSpec, Severity};

const LEVELS: [(&str, Option<Severity>); 4] = [
    ("off", None),
    ("information", Some(Severity::Information)),
    ("warning", Some(Severity::Warning)),
    ("critical", Some(Severity::Critical)),
];

/// What `[lint]` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct LintKeys {
    rules: Levels,
    /// By label; checked by `references.rs`.
    pub(crate) tags: Vec<(Spanned<String>, Levels)>,
    /// By host; checked by `references.rs`.
    pub(crate) hosts: Vec<(Spanned<HostName>, Levels)>,
    ignore: Vec<String>,
    baseline: Option<PathBuf>,
}

impl LintKeys {
    /// Reads the table to its end; what is wrong is reported and left out.
    pub(crate) fn read(mut reader: TableReader<'_, '_>, anchors: Anchors<'_>) -> Self {
        let keys = Self {
            rules: reader.table("rules").map(read_levels).unwrap_or_default(),
            tags: reader.each_named("tags", |name, table| {
                Some((Spanned::new(name.span(), (*name.as_ref()).to_owned()), read_levels(table)))
            }),
            hosts: reader.each_named("hosts", |name, mut table| {
                let host = values::host_name(name.as_ref())
                    .map_err(|reason| table.report(Problem::at(name.span(), reason)));
                let levels = read_levels(table);
                Some((Spanned::new(name.span(), host.ok()?), levels))
            }),
            ignore: reader
                .list("ignore", |text| match Glob::new(text) {
                    Ok(_) => Ok(text.to_owned()),
                    Err(error) => Err(format!("{text:?} is no pattern of paths: {}", error.kind())),
                })
                .unwrap_or_default()
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            baseline: reader.parsed("baseline", |text| anchors.path(text)).map(Spanned::into_inner),
        };
        reader.finish();
        keys
    }

    /// What holds for every host.
    pub(crate) fn spec(&self) -> LintSpec {
        LintSpec {
            levels: self.rules.clone(),
            ignore: self.ignore.clone(),
            baseline: self.baseline.clone(),
            allow: Vec::new(),
        }
    }

    /// What holds for one host alone, with these tags.
    pub(crate) fn levels_of(&self, host: &HostName, tags: &[String]) -> Levels {
        let mut levels = Levels::new();
        for label in tags {
            for (_, own) in self.tags.iter().filter(|(name, _)| name.as_ref() == label) {
                levels.extend(own.clone());
            }
        }
        for (_, own) in self.hosts.iter().filter(|(name, _)| name.as_ref() == host) {
            levels.extend(own.clone());
        }
        levels
    }
}

fn read_levels(reader: TableReader<'_, '_>) -> Levels {
    let read = |rule: &str, level: &str| {
        if lint::find_rule(rule).is_none() {
            let near = nearest(rule, lint::rules().iter().map(|rule| rule.id));
            return Err(WrongEntry::Name {
                message: format!("no rule is called `{rule}`"),
                hint: Some(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`nix-deploy check --list-rules` names them all".to_owned(),
                }),
            });
        }
        match reader::choose(level, &LEVELS) {
            Ok(level) => Ok((rule.to_owned(), level)),
            Err(reason) => Err(WrongEntry::Value(reason)),
        }
    };
    reader.finish_texts(read).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::hosts_toml::HostsToml;
    use crate::settings::source::Source;

    fn parse(text: &str) -> Result<HostsToml, Vec<String>> {
        let source = Source::new("/cfg/hosts.toml", &format!("version = 1\n{text}"));
        let anchors = Anchors { directory: Path::new("/cfg"), home: None };
        HostsToml::parse(&source, anchors).map_err(|problems| {
            let failures = problems.iter().map(|problem| source.explain(problem, "hosts.toml"));
            failures
                .map(|failure| {
                    failure.hints.iter().fold(failure.message.clone(), |text, hint| format!("{text} | {hint}"))
                })
                .collect()
        })
    }

    #[test]
    fn tags_and_the_host_come_after_what_holds_for_all() {
        let fleet = parse(
            r#"
            [lint]
            ignore = ["generated/**"]
            baseline = "baseline.json"
            [lint.rules]
            firewall-off = "warning"
            service-root = "off"
            [lint.tags.vm]
            firewall-off = "information"
            [lint.tags.open]
            firewall-off = "off"
            [lint.hosts.b]
            firewall-off = "critical"
            [hosts.a]
            tags = ["open", "vm"]
            [hosts.b]
            tags = ["vm"]
            [hosts.c]
            "#,
        )
        .unwrap();
        let spec = fleet.lint.spec();
        assert_eq!(spec.levels["firewall-off"], Some(Severity::Warning));
        assert_eq!(spec.levels["service-root"], None);
        assert_eq!((spec.ignore.len(), spec.baseline.as_deref()), (1, Some(Path::new("/cfg/baseline.json"))));
        let hosts = fleet.host_specs();
        assert_eq!(hosts[0].lint["firewall-off"], Some(Severity::Information));
        assert_eq!(hosts[1].lint["firewall-off"], Some(Severity::Critical));
        assert_eq!(hosts[2].lint, Levels::new());
    }

    #[test]
    fn names_and_values_that_mean_nothing_are_errors_with_their_place() {
        let problems = parse(
            "[lint]\nignroe = []\nignore = [\"a[\"]\n[lint.rules]\nfirewall-of = \"off\"\nzzz = \"off\"\n\
             service-root = \"error\"\nfirewall-off = 3\n[lint.tags.vmm]\n[lint.hosts.pp620]\n\
             [hosts.p620]\ntags = [\"vm\"]\n",
        )
        .unwrap_err();
        let expected = [
            "hosts.toml:3:1: unknown key `ignroe` in [lint] | did you mean `ignore`?",
            "hosts.toml:4:11: `ignore`: \"a[\" is no pattern of paths: ",
            "hosts.toml:6:1: no rule is called `firewall-of` | did you mean `firewall-off`?",
            "hosts.toml:7:1: no rule is called `zzz` | `nix-deploy check --list-rules` names them all",
            "hosts.toml:8:16: `service-root`: \"error\" is not one of off, information, warning or critical",
            "hosts.toml:9:16: `firewall-off` is a text in quotes, found a number",
            "hosts.toml:10:12: `lint.tags`: no host carries the tag \"vmm\" | did you mean \"vm\"?",
            "hosts.toml:11:13: `lint.hosts`: no host is called \"pp620\" | did you mean \"p620\"?",
        ];
        assert_eq!(problems.len(), expected.len(), "{problems:#?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.starts_with(expected), "{problem}\n{expected}");
        }
    }
}
