//! The schema of hosts.toml and what one such file says.
//!
//! Version 1. A file with another version is refused before anything else in
//! it is judged.

use toml::Spanned;
use toml::de::DeTable;

use super::host_keys::{HostKeys, Layer};
use super::issue_keys;
use super::lint_keys::LintKeys;
use super::notify_keys;
use super::pull_request_keys;
use super::reader::{Problems, TableReader};
use super::references;
use super::resource_keys::ResourceKeys;
use super::rollout_keys;
use super::source::{Problem, Source};
use super::values::{self, Anchors};
use crate::model::{
    HostName, HostSpec, IssueSettings, NotifierSpec, PullRequestSpec, Rollout, Secret, Substituter,
};

/// The version this program reads and writes.
const VERSION: i64 = 1;
/// No run works on more hosts at a time.
pub(crate) const MOST_PARALLEL: i64 = 1024;

/// A tag with the keys that every host that carries it takes.
#[derive(Debug)]
pub(crate) struct TagEntry {
    /// The label.
    pub(crate) name: Spanned<String>,
    /// What it says.
    pub(crate) keys: HostKeys,
}

/// A host with its own keys.
#[derive(Debug)]
pub(crate) struct HostEntry {
    /// Its name.
    pub(crate) name: Spanned<HostName>,
    /// What it says.
    pub(crate) keys: HostKeys,
}

/// What a hosts.toml says, layer by layer.
#[derive(Debug, Default)]
pub(crate) struct HostsToml {
    /// The flake reference as written.
    pub(crate) flake: Option<Spanned<String>>,
    /// The database; a file has an absolute path.
    pub(crate) database_url: Option<Secret>,
    /// `[defaults]`.
    pub(crate) defaults: HostKeys,
    /// `[tags]`, in the order of the file.
    pub(crate) tags: Vec<TagEntry>,
    /// `[hosts]`, in the order of the file.
    pub(crate) hosts: Vec<HostEntry>,
    /// `[rollout]`.
    pub(crate) rollout: Rollout,
    /// `[recover]`: whether garbage is collected where there is no room. `None`
    /// leaves it to the hosts, and to a person for this machine.
    pub(crate) recover_gc: Option<bool>,
    /// `[[substituters]]`.
    pub(crate) substituters: Vec<Substituter>,
    /// `[lint]`.
    pub(crate) lint: LintKeys,
    /// `[issues]`.
    pub(crate) issues: IssueSettings,
    /// `[pull_request]`.
    pub(crate) pull_request: PullRequestSpec,
    /// `[notify]`, in the order of the file.
    pub(crate) notify: Vec<NotifierSpec>,
    /// Limits for every host, below all that is said of single ones.
    resources: ResourceKeys,
}

impl HostsToml {
    /// Reads a file; when anything is wrong with it, all of that.
    pub(crate) fn parse(source: &Source, anchors: Anchors<'_>) -> Result<Self, Problems> {
        if source.text().trim().is_empty() {
            return Err(vec![Problem::whole("the file is empty").hint("`nix-deploy init --force` writes one")]);
        }
        let (document, errors) = DeTable::parse_recoverable(source.text());
        if !errors.is_empty() {
            return Err(syntax_problems(&errors));
        }
        let mut problems = Problems::new();
        let mut reader = TableReader::new("the file", 0..0, document.as_ref(), &mut problems);
        if !read_version(&mut reader) {
            return Err(problems);
        }
        let hosts_toml = Self::read(reader, anchors);
        references::check(&hosts_toml, &mut problems);
        problems.sort_by_key(Problem::start);
        if problems.is_empty() { Ok(hosts_toml) } else { Err(problems) }
    }

    fn read(mut reader: TableReader<'_, '_>, anchors: Anchors<'_>) -> Self {
        let flake = reader.parsed("flake", |text| match text.trim() {
            "" => Err("a flake reference cannot be empty"),
            flake => Ok(flake.to_owned()),
        });
        let database_url = reader.table("database").and_then(|table| read_database(table, anchors));
        let defaults = reader.table("defaults");
        let defaults =
            defaults.map(|table| HostKeys::read(table, Layer::Defaults, anchors)).unwrap_or_default();
        let tags = reader.each_named("tags", |name, mut table| {
            let label =
                values::tag(name.as_ref()).map_err(|reason| table.report(Problem::at(name.span(), reason)));
            let keys = HostKeys::read(table, Layer::Tag, anchors);
            Some(TagEntry { name: Spanned::new(name.span(), label.ok()?), keys })
        });
        let hosts = reader.each_named("hosts", |name, mut table| {
            let host = values::host_name(name.as_ref())
                .map_err(|reason| table.report(Problem::at(name.span(), reason)));
            let keys = HostKeys::read(table, Layer::Host, anchors);
            Some(HostEntry { name: Spanned::new(name.span(), host.ok()?), keys })
        });
        if reader.value("hosts").is_none() {
            reader.report(
                Problem::whole("the file names no host")
                    .hint("add a [hosts.NAME] for each host, or let `nix-deploy init --force` write the file"),
            );
        }
        let rollout = reader.table("rollout").map(rollout_keys::read).unwrap_or_default();
        let recover_gc = reader.table("recover").and_then(read_recover);
        let substituters = reader.each_table("substituters", read_substituter);
        let lint = reader.table("lint").map(|table| LintKeys::read(table, anchors)).unwrap_or_default();
        let issues = reader.table("issues").map(issue_keys::read).unwrap_or_default();
        let resources = reader.table("resources").map(ResourceKeys::read).unwrap_or_default();
        let pull_request = reader.table("pull_request").map(pull_request_keys::read).unwrap_or_default();
        let notify =
            reader.each_named("notify", |name, table| notify_keys::read(name.as_ref(), table, anchors));
        reader.finish();
        Self {
            flake,
            database_url,
            defaults,
            tags,
            hosts,
            rollout,
            recover_gc,
            substituters,
            lint,
            issues,
            resources,
            pull_request,
            notify,
        }
    }

    /// Every host with its layers applied, in the order of the file.
    pub(crate) fn host_specs(&self) -> Vec<HostSpec> {
        self.hosts.iter().map(|entry| self.host_spec(entry)).collect()
    }

    fn host_spec(&self, entry: &HostEntry) -> HostSpec {
        let mut host = HostSpec::with_defaults(entry.name.as_ref().clone());
        let labels = self.defaults.tags.iter().chain(&entry.keys.tags).map(|label| label.as_ref().clone());
        super::host_keys::add_new(&mut host.tags, labels);
        host.collect_garbage = self.recover_gc.unwrap_or(host.collect_garbage);
        self.resources.apply(&mut host.limits);
        self.defaults.apply(&mut host);
        for label in host.tags.clone() {
            for tag in self.tags.iter().filter(|tag| *tag.name.as_ref() == label) {
                tag.keys.apply(&mut host);
            }
        }
        entry.keys.apply(&mut host);
        host.lint = self.lint.levels_of(&host.name, &host.tags);
        host
    }
}

/// Says each line's first syntax error; those behind it on the line only follow from it.
fn syntax_problems(errors: &[toml::de::Error]) -> Problems {
    let mut problems: Problems = errors
        .iter()
        .map(|error| match error.span() {
            Some(span) => Problem::at(span, error.message()),
            None => Problem::whole(error.message()),
        })
        .collect();
    problems.sort_by_key(Problem::start);
    problems.dedup_by_key(|problem| problem.start());
    problems
}

/// Whether the file has a version that this program reads.
fn read_version(reader: &mut TableReader<'_, '_>) -> bool {
    let Some(value) = reader.value("version") else {
        let hint = format!("write `version = {VERSION}` as its first line");
        reader.report(Problem::whole("the file has no version").hint(hint));
        return true;
    };
    let version = value.as_ref().as_integer().and_then(|version| version.as_str().parse::<i64>().ok());
    match version {
        Some(VERSION) => true,
        Some(newer) if newer > VERSION => {
            let message = format!("the file has version {newer}; this nix-deploy reads version {VERSION}");
            reader.report(Problem::at(value.span(), message).hint("use a newer nix-deploy"));
            false
        }
        _ => {
            reader.report_value("version", format!("`version` is the number {VERSION}"));
            true
        }
    }
}

fn read_database(mut reader: TableReader<'_, '_>, anchors: Anchors<'_>) -> Option<Secret> {
    let value = reader.value("url");
    let url = value.and_then(|value| {
        let reason = match value.as_ref().as_str().map(|text| values::database_url(text, anchors)) {
            Some(Ok(url)) => return Some(url),
            Some(Err(reason)) => reason,
            None => "a database is a text in quotes".to_owned(),
        };
        // The line may hold a password, whatever it looks like.
        reader.report(Problem::at(value.span(), format!("`url`: {reason}")).without_line());
        None
    });
    reader.finish();
    url
}

fn read_recover(mut reader: TableReader<'_, '_>) -> Option<bool> {
    let gc = reader.boolean("gc");
    reader.finish_knowing(&[("collect_garbage", "[hosts.NAME] or [defaults]; here it is `gc`")]);
    gc
}

fn read_substituter(mut reader: TableReader<'_, '_>) -> Option<Substituter> {
    let url = reader.parsed("url", values::substituter_url);
    let keys = reader.list("keys", values::public_key).unwrap_or_default();
    if url.is_none() && reader.value("url").is_none() {
        reader.report_here("a binary cache needs a `url`");
    }
    reader.finish();
    let keys = keys.into_iter().map(Spanned::into_inner).collect();
    Some(Substituter { url: url?.into_inner(), keys })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::model::{BuildOn, CheckKind, Elevate, NetworkCheck};

    fn parse(text: &str) -> Result<HostsToml, Vec<String>> {
        let source = Source::new("/cfg/hosts.toml", text);
        let anchors = Anchors { directory: Path::new("/cfg"), home: Some(Path::new("/home/ada")) };
        HostsToml::parse(&source, anchors).map_err(|problems| {
            problems.iter().map(|problem| source.explain(problem, "hosts.toml").message).collect()
        })
    }

    fn host(text: &str) -> HostSpec {
        parse(text).unwrap().host_specs().remove(0)
    }

    #[test]
    fn a_host_that_says_nothing_has_every_default() {
        let expected = HostSpec::with_defaults(HostName::new("p620").unwrap());
        assert_eq!(host("version = 1\n[hosts.p620]\n"), expected);
    }

    #[test]
    fn the_sample_fleet_is_read() {
        let fleet = parse(include_str!("../../hosts.toml")).unwrap().host_specs();
        let names: Vec<&str> = fleet.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["p620", "p510", "razer", "samsung"]);
    }

    #[test]
    fn every_key_of_a_host_arrives() {
        let text = r#"
            version = 1
            [hosts.p620]
            attribute = "other"
            address = "10.0.0.1"
            user = "deploy"
            port = 2222
            jump = "gate"
            identity_file = "~/.ssh/id"
            ssh_config = "ssh/config"
            elevate = "doas"
            build_on = "p620"
            use_substitutes = true
            collect_garbage = true
            tags = ["server"]
            critical_services = ["nginx"]
            network = ["ssh", "tailscale"]
            dns_name = "cache.nixos.org"
            depends_on = []
            rollback = { auto = false, confirm_timeout = "90s", activation_timeout = "5m" }
            timeouts = { connect = "1s", command = "2s", reconnect = "9s", copy_stall = "3s", evaluate = "4s", build = "5s", \
            lock = "6s", settle = "7s", reboot = "8s" }
            [[hosts.p620.checks]]
            command = ["systemctl", "is-active", "x"]
            timeout = "9s"
            retries = 0
            grace = "0s"
        "#;
        let host = host(&text.replace("\\\n", ""));
        assert_eq!(host.attribute, "other");
        assert_eq!(host.address.as_deref(), Some("10.0.0.1"));
        assert_eq!(
            (host.user.as_deref(), host.port, host.jump.as_deref()),
            (Some("deploy"), Some(2222), Some("gate"))
        );
        assert_eq!(host.identity_file.as_deref(), Some(Path::new("/home/ada/.ssh/id")));
        assert_eq!(host.ssh_config.as_deref(), Some(Path::new("/cfg/ssh/config")));
        assert_eq!((host.elevate, host.use_substitutes, host.collect_garbage), (Elevate::Doas, true, true));
        assert_eq!(host.build_on, BuildOn::Host(HostName::new("p620").unwrap()));
        assert_eq!(host.network, [NetworkCheck::Ssh, NetworkCheck::Tailscale]);
        assert_eq!(host.critical_services, ["nginx.service"]);
        assert_eq!(host.dns_name.as_deref(), Some("cache.nixos.org"));
        assert_eq!(host.rollback.confirm_timeout, Duration::from_secs(90));
        assert!(!host.rollback.auto);
        let timeouts = host.timeouts;
        let seconds = [
            timeouts.connect,
            timeouts.command,
            timeouts.reconnect,
            timeouts.copy_stall,
            timeouts.evaluate,
            timeouts.build,
            timeouts.lock,
            timeouts.settle,
            timeouts.reboot,
        ];
        assert_eq!(seconds.map(|timeout| timeout.as_secs()), [1, 2, 9, 3, 4, 5, 6, 7, 8]);
        let check = &host.checks[0];
        assert_eq!(check.name, "systemctl is-active x");
        assert_eq!((check.timeout, check.retries, check.grace), (Duration::from_secs(9), 0, Duration::ZERO));
        assert!(matches!(&check.kind, CheckKind::Command { argv } if argv.len() == 3));
    }

    #[test]
    fn single_values_are_replaced_and_lists_add_up_from_defaults_over_tags_to_the_host() {
        let host = host(
            r#"
            version = 1
            [defaults]
            user = "a"
            port = 1
            jump = "gate"
            tags = ["all-hosts"]
            critical_services = ["sshd"]
            network = ["ssh", "dns"]
            depends_on = ["dns"]
            [tags.server]
            user = "b"
            port = 2
            critical_services = ["sshd", "nginx"]
            network = ["ssh"]
            checks = [{ name = "web", http = "http://old/" }, { name = "tcp", tcp = "a:1" }]
            [tags.late]
            port = 3
            [tags.all-hosts]
            elevate = "sudo"
            [hosts.p620]
            user = "c"
            tags = ["server", "late", "free-form"]
            critical_services = ["postgresql"]
            checks = [{ name = "web", http = "http://new/", expect_status = 204 }]
            [hosts.dns]
            "#,
        );
        assert_eq!((host.user.as_deref(), host.port, host.jump.as_deref()), (Some("c"), Some(3), Some("gate")));
        assert_eq!(host.elevate, Elevate::Sudo);
        assert_eq!(host.tags, ["all-hosts", "server", "late", "free-form"]);
        assert_eq!(host.critical_services, ["sshd.service", "nginx.service", "postgresql.service"]);
        assert_eq!(host.network, [NetworkCheck::Ssh]);
        assert_eq!(host.depends_on, [HostName::new("dns").unwrap()]);
        let checks: Vec<&str> = host.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(checks, ["tcp", "web"]);
        assert_eq!(host.checks[1].kind, CheckKind::Http { url: "http://new/".to_owned(), expect_status: 204 });
    }

    #[test]
    fn tags_apply_in_the_order_of_the_host_not_of_the_file() {
        let text = |tags: &str| {
            format!("version = 1\n[tags.a]\nport = 1\n[tags.b]\nport = 2\n[hosts.x]\ntags = {tags}\n")
        };
        assert_eq!(host(&text("[\"a\", \"b\"]")).port, Some(2));
        assert_eq!(host(&text("[\"b\", \"a\"]")).port, Some(1));
    }

    #[test]
    fn the_machine_itself_has_no_address() {
        let text =
            "version = 1\n[defaults]\naddress = \"local\"\n[hosts.x]\n[hosts.y]\naddress = \"localhost\"\n";
        let hosts = parse(text).unwrap().host_specs();
        assert!(hosts[0].is_local());
        assert_eq!(hosts[1].address.as_deref(), Some("localhost"));
    }

    #[test]
    fn hosts_keep_the_order_of_the_file() {
        let text = "version = 1\n[hosts.zebra]\n[hosts.ant]\n[hosts.bee]\n";
        let names: Vec<String> =
            parse(text).unwrap().host_specs().iter().map(|host| host.name.to_string()).collect();
        assert_eq!(names, ["zebra", "ant", "bee"]);
    }

    #[test]
    fn recovering_and_binary_caches_are_read_and_checked() {
        let text = "version = 1\n[recover]\ngc = true\n[hosts.a]\n[hosts.b]\ncollect_garbage = false\n\
                    [[substituters]]\nurl = \"https://cache.example.org\"\nkeys = [\"c-1:AbC+/=\"]\n\
                    [[substituters]]\nurl = \"http://10.0.0.1:5000\"\n";
        let file = parse(text).unwrap();
        assert_eq!(file.recover_gc, Some(true));
        let allowed: Vec<bool> = file.host_specs().iter().map(|host| host.collect_garbage).collect();
        assert_eq!(allowed, [true, false], "a host overrides it");
        let cache = |url: &str, keys: &[&str]| Substituter {
            url: url.to_owned(),
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
        };
        let expected =
            [cache("https://cache.example.org", &["c-1:AbC+/="]), cache("http://10.0.0.1:5000", &[])];
        assert_eq!(file.substituters, expected);
        let problems = |text: &str| parse(&format!("version = 1\n[hosts.x]\n{text}")).unwrap_err();
        assert_eq!(problems("[[substituters]]\nkeys = []\n"), ["hosts.toml:3:1: a binary cache needs a `url`"]);
        assert!(problems("[[substituters]]\nurl = \"cache\"\n")[0].contains("is no URL"));
        assert!(problems("[[substituters]]\nurl = \"http://a\"\nkeys = [\"x\"]\n")[0].contains("NAME:BASE64"));
        assert!(problems("[recover]\ncollect_garbage = true\n")[0].contains("unknown key `collect_garbage`"));
    }

    #[test]
    fn a_newer_version_is_refused_before_anything_else_is_judged() {
        assert_eq!(
            parse("version = 2\nnews = 1\n").unwrap_err(),
            ["hosts.toml:1:11: the file has version 2; this nix-deploy reads version 1"]
        );
        for text in ["0", "-1", "\"1\"", "1.0", "true", "99999999999999999999"] {
            let problems = parse(&format!("version = {text}\n[hosts.x]\n")).unwrap_err();
            assert_eq!(problems, ["hosts.toml:1:11: `version` is the number 1"], "{text}");
        }
    }

    #[test]
    fn a_large_file_and_deep_nesting_are_read_or_refused_without_a_crash() {
        let hosts: String = (0..2000).map(|number| format!("[hosts.h{number}]\nport = 22\n")).collect();
        assert_eq!(parse(&format!("version = 1\n{hosts}")).unwrap().hosts.len(), 2000);
        assert!(parse(&format!("version = 1\nx = {}", "[".repeat(100_000))).is_err());
        assert!(parse(&"[a".repeat(10_000)).is_err());
        assert!(parse("\0\0\0").is_err());
    }
}
