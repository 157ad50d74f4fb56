//! `service-root`, `service-unhardened` and `service-explicit-root`: what a
//! systemd service may do when it is broken into.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::names::NameMap;
use crate::lint::rule::Rule;
use crate::lint::settings::{Key, Priority, Setting};
use crate::lint::tree::{Kind, Span};
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::{Finding, Severity};

pub(crate) struct ServiceRoot;
pub(crate) struct ServiceUnhardened;
pub(crate) struct ServiceExplicitRoot;

static ROOT: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "A service without `User` or `DynamicUser` runs as root: whoever breaks it has the host. Set \
          `serviceConfig.DynamicUser = true`, or a user of its own. On the text this is a warning, because another \
          module may set the user; on the built system a new long-running service as root is critical.",
    source: "systemd.exec(5), User= and DynamicUser=",
    bad: &[
        Sample::new(
            "{ systemd.services.web = { wantedBy = [ \"multi-user.target\" ]; serviceConfig.ExecStart = \"/bin/web\"; }; }",
        ),
        Sample::new("{ systemd.services.job = { script = \"echo\"; serviceConfig.Type = \"oneshot\"; }; }"),
    ],
    good: &[
        Sample::new(
            "{ systemd.services.web.serviceConfig = { ExecStart = \"/bin/web\"; DynamicUser = true; }; }",
        ),
        Sample::new("{ systemd.services.web = { script = \"x\"; serviceConfig.User = \"web\"; }; }"),
        Sample::noted(
            "only extends a service",
            "{ systemd.services.nginx = { after = [ \"x.service\" ]; serviceConfig.LimitNOFILE = 1; }; }",
        ),
        Sample::noted(
            "overrides the start of a service",
            "{ lib, ... }: { systemd.services.a.serviceConfig.ExecStart = lib.mkForce \"/bin/a\"; }",
        ),
        Sample::noted(
            "overrides as systemd does it",
            "{ systemd.services.a.serviceConfig.ExecStart = [ \"\" \"/bin/a -v\" ]; }",
        ),
        Sample::noted(
            "settings built by a function are not known",
            "{ common, ... }: { systemd.services.a.serviceConfig = common // { ExecStart = \"/bin/a\"; }; }",
        ),
        Sample::noted(
            "a user's own service",
            "{ systemd.user.services.a.serviceConfig.ExecStart = \"/bin/a\"; }",
        ),
    ],
    ..RuleInfo::new("service-root", Severity::Critical, "a service that runs as root")
};

static UNHARDENED: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "systemd can take away what a service does not need: other users' files, devices, new privileges. None of \
          these switches is set. Begin with NoNewPrivileges, ProtectSystem = \"strict\", ProtectHome and PrivateTmp; \
          `systemd-analyze security NAME` shows the rest.",
    source: "systemd.exec(5), Sandboxing",
    bad: &[Sample::new(
        "{ systemd.services.web = { wantedBy = [ \"multi-user.target\" ]; serviceConfig = { ExecStart = \"/bin/web\"; User = \"web\"; }; }; }",
    )],
    good: &[
        Sample::new(
            "{ systemd.services.web.serviceConfig = { ExecStart = \"/bin/web\"; User = \"web\"; NoNewPrivileges = true; }; }",
        ),
        Sample::noted(
            "a oneshot that tunes the machine",
            "{ systemd.services.tune = { serviceConfig.Type = \"oneshot\"; script = \"echo 1 > /sys/x\"; }; }",
        ),
        Sample::new("{ systemd.services.web.serviceConfig.Restart = \"always\"; }"),
    ],
    ..RuleInfo::new("service-unhardened", Severity::Warning, "a service without any sandboxing")
};

static EXPLICIT_ROOT: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "Somebody decided it, so it is only shown: a look whether a capability would do instead of root is worth it.",
    source: "systemd.exec(5), User=",
    bad: &[Sample::new(
        "{ systemd.services.web.serviceConfig = { ExecStart = \"/bin/web\"; User = \"root\"; }; }",
    )],
    good: &[Sample::new(
        "{ systemd.services.web.serviceConfig = { ExecStart = \"/bin/web\"; User = \"web\"; }; }",
    )],
    ..RuleInfo::new("service-explicit-root", Severity::Information, "a service that is told to run as root")
};

/// Any of these counts as hardening.
const HARDENING: &[&str] = &[
    "NoNewPrivileges",
    "ProtectSystem",
    "ProtectHome",
    "PrivateTmp",
    "DynamicUser",
    "CapabilityBoundingSet",
    "SystemCallFilter",
    "RestrictAddressFamilies",
    "PrivateDevices",
    "ProtectKernelTunables",
    "ProtectProc",
    "RestrictNamespaces",
    "RootDirectory",
    "TemporaryFileSystem",
    "InaccessiblePaths",
    "ReadWritePaths",
];

/// What one file says about one service.
#[derive(Default)]
struct Service {
    /// Where its start is defined.
    start: Option<Span>,
    user: bool,
    root: Option<Span>,
    oneshot: bool,
    hardened: bool,
    /// Part of it is not known, or it changes a service that is defined elsewhere.
    unknown: bool,
}

fn services<'t>(file: &File<'t>) -> Vec<(&'t str, Service)> {
    let settings = file.settings();
    let mut services: Vec<(&'t str, Service)> = Vec::new();
    let mut known: NameMap<'t, usize> = NameMap::default();
    for setting in &settings.all {
        let [Key::Name("systemd"), Key::Name("services"), rest @ ..] = settings.path(setting) else { continue };
        let Some(Key::Name(name)) = rest.first() else { continue };
        let module = settings.module(setting);
        if module.guest || file.is_test() {
            continue;
        }
        let index = *known.entry(name).or_insert_with(|| {
            services.push((name, Service::default()));
            services.len() - 1
        });
        note(file, &mut services[index].1, setting, &rest[1..]);
    }
    services
}

fn note(file: &File<'_>, service: &mut Service, setting: &Setting, rest: &[Key<'_>]) {
    let tree = &file.tree;
    let text = setting.value.and_then(|value| tree.plain_text(value));
    match rest {
        [] | [Key::Name("serviceConfig")] | [Key::Unknown, ..] | [_, Key::Unknown, ..] => {
            service.unknown = true
        }
        [Key::Name("script")] | [Key::Name("serviceConfig"), Key::Name("ExecStart")] => {
            let resets = setting.value.is_some_and(|value| {
                matches!(tree.kind(value), Kind::List { items } if tree.list(items).first().is_some_and(|item| tree.plain_text(*item) == Some("")))
            });
            if setting.around.priority == Priority::Force || resets {
                service.unknown = true;
            }
            service.start = service.start.or(Some(setting.span));
        }
        [Key::Name("serviceConfig"), Key::Name(name)] => {
            match *name {
                "User" if text == Some("root") => {
                    service.user = true;
                    service.root = Some(setting.span);
                }
                "User" => service.user = true,
                "DynamicUser" => {
                    service.user |= setting.value.and_then(|value| tree.boolean(value)) != Some(false);
                }
                "Type" => service.oneshot |= text == Some("oneshot"),
                _ => {}
            }
            service.hardened |= HARDENING.contains(name);
        }
        [Key::Name("confinement"), ..] => service.hardened = true,
        _ => {}
    }
}

/// What a finding calls a service that runs once, and one that stays.
const JOB: &str = "this job runs";
const LASTING: &str = "this service runs";

/// The unit that a finding of `service-root` in the text is about, when it is
/// one that keeps running.
pub fn lasting_root_service(finding: &Finding) -> Option<String> {
    let is_it = finding.rule == ROOT.id && finding.place.is_some() && finding.message.starts_with(LASTING);
    let name = finding.subject.strip_prefix("systemd.services.").filter(|_| is_it)?;
    Some(format!("{name}.service"))
}

impl Rule for ServiceRoot {
    fn info(&self) -> &'static RuleInfo {
        &ROOT
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        for (name, service) in services(file) {
            let Some(start) = service.start.filter(|_| !service.user && !service.unknown) else { continue };
            let what = if service.oneshot { JOB } else { LASTING };
            found.push(
                Hit::new(&ROOT, start, format!("{what} as root: it sets neither User nor DynamicUser"))
                    .severity(Severity::Warning)
                    .subject(format!("systemd.services.{name}"))
                    .mend("set serviceConfig.DynamicUser = true, or a user of its own"),
            );
        }
    }
}

impl Rule for ServiceUnhardened {
    fn info(&self) -> &'static RuleInfo {
        &UNHARDENED
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        for (name, service) in services(file) {
            let plain = !service.hardened && !service.unknown && !service.oneshot;
            let Some(start) = service.start.filter(|_| plain) else { continue };
            found.push(
                Hit::new(&UNHARDENED, start, "none of systemd's sandboxing is switched on for this service")
                    .subject(format!("systemd.services.{name}"))
                    .mend("set NoNewPrivileges, ProtectSystem = \"strict\", ProtectHome and PrivateTmp"),
            );
        }
    }
}

impl Rule for ServiceExplicitRoot {
    fn info(&self) -> &'static RuleInfo {
        &EXPLICIT_ROOT
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        for (name, service) in services(file) {
            if let Some(span) = service.root {
                let hit = Hit::new(&EXPLICIT_ROOT, span, "this service is told to run as root");
                found.push(
                    hit.subject(format!("systemd.services.{name}")).mend("see whether a capability would do"),
                );
            }
        }
    }
}
