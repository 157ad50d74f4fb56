//! Rules that only the comparison of two built systems can decide: they have
//! words here, and their code in `lint/audit`.

use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

/// A service has fewer walls than on the running system.
pub(crate) static HARDENING_REMOVED: RuleInfo = RuleInfo {
    layer: Layer::Evaluated,
    why: "A service that was walled in and is no more gives a break-in more room, and nobody looks at a \
          directive that is gone. The finding names what was removed and the hardening score before and after.",
    source: "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Sandboxing",
    bad: &[Sample::noted(
        "NoNewPrivileges was true before",
        "{ systemd.services.web.serviceConfig = { ExecStart = \"/bin/web\"; User = \"web\"; }; }",
    )],
    good: &[Sample::new(
        "{ systemd.services.web.serviceConfig = { ExecStart = \"/bin/web\"; User = \"web\"; NoNewPrivileges = true; }; }",
    )],
    ..RuleInfo::new("hardening-removed", Severity::Warning, "a service that loses hardening it had")
};

/// A set-uid program that the running system does not have.
pub(crate) static SETUID_WRAPPER: RuleInfo = RuleInfo {
    layer: Layer::Evaluated,
    why: "Every user can start it, and it runs as root from its first instruction: a mistake in it is root for \
          everybody. A capability, or a group that may start it, is usually enough.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-security.wrappers",
    bad: &[Sample::new(
        "{ security.wrappers.tool = { setuid = true; owner = \"root\"; group = \"root\"; source = \"/bin/tool\"; }; }",
    )],
    good: &[Sample::new(
        "{ security.wrappers.tool = { owner = \"root\"; group = \"root\"; capabilities = \"cap_net_raw+ep\"; source = \"/bin/tool\"; }; }",
    )],
    ..RuleInfo::new("setuid-wrapper", Severity::Warning, "a set-uid program that is new on the system")
};
