//! The keys that `[defaults]`, `[tags.NAME]` and `[hosts.NAME]` share: one
//! layer of what is said about a host.
//!
//! Layers are applied to a [`HostSpec`] in the order defaults, tags (as the
//! host lists them), host. A single value of a later layer replaces that of an
//! earlier one, and so does `network`. `critical_services`, `checks`, `tags`
//! and `depends_on` add up; a check replaces an earlier one of the same name.

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use super::check_keys;
use super::reader::{Misplaced, TableReader};
use super::resource_keys::ResourceKeys;
use super::values::{self, Address, Anchors};
use crate::model::{BuildOn, Check, Elevate, HostName, HostSpec, NetworkCheck, RollbackPolicy, Timeouts};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Keys of the tables below a host, for those who write them into the host.
const MISPLACED: [Misplaced; 10] = [
    ("auto", "[….rollback]"),
    ("confirm_timeout", "[….rollback]"),
    ("activation_timeout", "[….rollback]"),
    ("connect", "[….timeouts]"),
    ("copy_stall", "[….timeouts]"),
    ("evaluate", "[….timeouts]"),
    ("http", "[[….checks]]"),
    ("tcp", "[[….checks]]"),
    ("command", "[[….checks]] or [….timeouts]"),
    ("strategy", "[rollout]"),
];

/// Whose keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// `[defaults]`.
    Defaults,
    /// `[tags.NAME]`, which cannot carry tags itself.
    Tag,
    /// `[hosts.NAME]`.
    Host,
}

/// What one layer says; what it does not say is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostKeys {
    attribute: Option<String>,
    address: Option<Address>,
    user: Option<String>,
    port: Option<u16>,
    jump: Option<String>,
    identity_file: Option<PathBuf>,
    ssh_config: Option<PathBuf>,
    elevate: Option<Elevate>,
    /// Where to build; a host's name is checked by `references.rs`.
    pub(crate) build_on: Option<Spanned<BuildOn>>,
    use_substitutes: Option<bool>,
    collect_garbage: Option<bool>,
    /// Labels, in order.
    pub(crate) tags: Vec<Spanned<String>>,
    critical_services: Vec<String>,
    checks: Vec<Check>,
    network: Option<Vec<NetworkCheck>>,
    dns_name: Option<String>,
    /// Hosts deployed before; checked by `references.rs`.
    pub(crate) depends_on: Vec<Spanned<HostName>>,
    rollback: RollbackKeys,
    timeouts: TimeoutKeys,
    resources: ResourceKeys,
}

#[derive(Clone, Debug, Default)]
struct RollbackKeys {
    auto: Option<bool>,
    confirm_timeout: Option<Duration>,
    activation_timeout: Option<Duration>,
}

#[derive(Clone, Debug, Default)]
struct TimeoutKeys {
    connect: Option<Duration>,
    command: Option<Duration>,
    reconnect: Option<Duration>,
    copy_stall: Option<Duration>,
    evaluate: Option<Duration>,
    build: Option<Duration>,
    lock: Option<Duration>,
    settle: Option<Duration>,
    reboot: Option<Duration>,
}

impl HostKeys {
    /// Reads one layer to its end; what is wrong is reported and left out.
    pub(crate) fn read(mut reader: TableReader<'_, '_>, layer: Layer, anchors: Anchors<'_>) -> Self {
        let keys = Self {
            attribute: reader.parsed("attribute", values::attribute).map(Spanned::into_inner),
            address: reader.parsed("address", values::address).map(Spanned::into_inner),
            user: reader.parsed("user", values::user).map(Spanned::into_inner),
            port: reader.integer("port", 1..=65535).and_then(|port| u16::try_from(port).ok()),
            jump: reader.parsed("jump", values::jump).map(Spanned::into_inner),
            identity_file: reader.parsed("identity_file", |text| anchors.path(text)).map(Spanned::into_inner),
            ssh_config: reader.parsed("ssh_config", |text| anchors.path(text)).map(Spanned::into_inner),
            elevate: reader.choice("elevate", &ELEVATE),
            build_on: reader.parsed("build_on", build_on),
            use_substitutes: reader.boolean("use_substitutes"),
            collect_garbage: reader.boolean("collect_garbage"),
            tags: read_tags(&mut reader, layer),
            critical_services: plain(reader.list("critical_services", values::unit)),
            checks: read_checks(&mut reader),
            network: reader
                .list("network", |text| super::reader::choose(text, &NETWORK))
                .map(|list| plain(Some(list))),
            dns_name: reader.parsed("dns_name", values::dns_name).map(Spanned::into_inner),
            depends_on: reader.list("depends_on", values::host_name).unwrap_or_default(),
            rollback: reader.table("rollback").map(RollbackKeys::read).unwrap_or_default(),
            timeouts: reader.table("timeouts").map(TimeoutKeys::read).unwrap_or_default(),
            resources: reader.table("resources").map(ResourceKeys::read).unwrap_or_default(),
        };
        reader.finish_knowing(&MISPLACED);
        keys
    }

    /// Puts what this layer says over what earlier ones said.
    pub(crate) fn apply(&self, host: &mut HostSpec) {
        replace(&mut host.attribute, &self.attribute);
        match &self.address {
            Some(Address::Here) => host.address = None,
            Some(Address::Remote(address)) => host.address = Some(address.clone()),
            None => {}
        }
        replace_option(&mut host.user, &self.user);
        replace_option(&mut host.port, &self.port);
        replace_option(&mut host.jump, &self.jump);
        replace_option(&mut host.identity_file, &self.identity_file);
        replace_option(&mut host.ssh_config, &self.ssh_config);
        replace(&mut host.elevate, &self.elevate);
        replace(&mut host.build_on, &self.build_on.as_ref().map(|build_on| build_on.as_ref().clone()));
        replace(&mut host.use_substitutes, &self.use_substitutes);
        replace(&mut host.collect_garbage, &self.collect_garbage);
        add_new(&mut host.critical_services, self.critical_services.iter().cloned());
        for check in &self.checks {
            host.checks.retain(|earlier| earlier.name != check.name);
            host.checks.push(check.clone());
        }
        replace(&mut host.network, &self.network);
        replace_option(&mut host.dns_name, &self.dns_name);
        // What a whole group waits for may be a member of the group itself.
        let itself = host.name.clone();
        let others = self.depends_on.iter().map(|name| name.as_ref().clone());
        add_new(&mut host.depends_on, others.filter(|name| *name != itself));
        self.rollback.apply(&mut host.rollback);
        self.timeouts.apply(&mut host.timeouts);
        self.resources.apply(&mut host.limits);
    }
}

const ELEVATE: [(&str, Elevate); 5] = [
    ("auto", Elevate::Auto),
    ("none", Elevate::None),
    ("sudo", Elevate::Sudo),
    ("doas", Elevate::Doas),
    ("run0", Elevate::Run0),
];

const NETWORK: [(&str, NetworkCheck); 4] = [
    ("ssh", NetworkCheck::Ssh),
    ("dns", NetworkCheck::Dns),
    ("tailscale", NetworkCheck::Tailscale),
    ("route", NetworkCheck::Route),
];

fn build_on(text: &str) -> Result<BuildOn, String> {
    match text {
        "local" => Ok(BuildOn::Local),
        "target" => Ok(BuildOn::Target),
        name => values::host_name(name).map(BuildOn::Host),
    }
}

fn read_tags(reader: &mut TableReader<'_, '_>, layer: Layer) -> Vec<Spanned<String>> {
    if layer != Layer::Tag {
        return reader.list("tags", values::tag).unwrap_or_default();
    }
    reader.report_value("tags", "a tag cannot carry tags; list them at the hosts");
    Vec::new()
}

fn read_checks(reader: &mut TableReader<'_, '_>) -> Vec<Check> {
    let mut taken = Vec::new();
    reader.each_table("checks", |check| check_keys::read(check, &mut taken))
}

fn plain<T>(list: Option<Vec<Spanned<T>>>) -> Vec<T> {
    list.unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
}

fn replace<T: Clone>(target: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        *target = value.clone();
    }
}

fn replace_option<T: Clone>(target: &mut Option<T>, value: &Option<T>) {
    if value.is_some() {
        target.clone_from(value);
    }
}

/// Appends what is not there yet.
pub(crate) fn add_new<T: PartialEq>(list: &mut Vec<T>, more: impl Iterator<Item = T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

impl RollbackKeys {
    fn read(mut reader: TableReader<'_, '_>) -> Self {
        let keys = Self {
            auto: reader.boolean("auto"),
            confirm_timeout: reader.duration("confirm_timeout", SECOND..=HOUR),
            activation_timeout: reader.duration("activation_timeout", SECOND..=DAY),
        };
        reader.finish();
        keys
    }

    fn apply(&self, policy: &mut RollbackPolicy) {
        replace(&mut policy.auto, &self.auto);
        replace(&mut policy.confirm_timeout, &self.confirm_timeout);
        replace(&mut policy.activation_timeout, &self.activation_timeout);
    }
}

impl TimeoutKeys {
    fn read(mut reader: TableReader<'_, '_>) -> Self {
        let keys = Self {
            connect: reader.duration("connect", SECOND..=HOUR),
            command: reader.duration("command", SECOND..=HOUR),
            reconnect: reader.duration("reconnect", Duration::ZERO..=DAY),
            copy_stall: reader.duration("copy_stall", SECOND..=HOUR),
            evaluate: reader.duration("evaluate", SECOND..=DAY),
            build: reader.duration("build", SECOND..=7 * DAY),
            lock: reader.duration("lock", Duration::ZERO..=DAY),
            settle: reader.duration("settle", Duration::ZERO..=HOUR),
            reboot: reader.duration("reboot", SECOND..=DAY),
        };
        reader.finish();
        keys
    }

    fn apply(&self, timeouts: &mut Timeouts) {
        replace(&mut timeouts.connect, &self.connect);
        replace(&mut timeouts.command, &self.command);
        replace(&mut timeouts.reconnect, &self.reconnect);
        replace(&mut timeouts.copy_stall, &self.copy_stall);
        replace(&mut timeouts.evaluate, &self.evaluate);
        replace(&mut timeouts.build, &self.build);
        replace(&mut timeouts.lock, &self.lock);
        replace(&mut timeouts.settle, &self.settle);
        replace(&mut timeouts.reboot, &self.reboot);
    }
}
