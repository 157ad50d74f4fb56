//! `firewall-wide`: a range or an interface that opens nearly everything.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId};
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct FirewallWide;

static INFO: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "A range of more than a thousand ports, or a trusted interface that is a pattern, opens services that \
          nobody thought of when it was written.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-networking.firewall.allowedTCPPortRanges",
    bad: &[
        Sample::new("{ networking.firewall.allowedTCPPortRanges = [ { from = 1024; to = 65535; } ]; }"),
        Sample::new("{ networking.firewall.allowedUDPPortRanges = [ { from = 30000; to = 40000; } ]; }"),
        Sample::new("{ networking.firewall.trustedInterfaces = [ \"lo\" \"e+\" ]; }"),
    ],
    good: &[
        Sample::noted(
            "KDE Connect",
            "{ networking.firewall.allowedTCPPortRanges = [ { from = 1714; to = 1764; } ]; }",
        ),
        Sample::new("{ networking.firewall.trustedInterfaces = [ \"tailscale0\" ]; }"),
        Sample::noted("interfaces of containers", "{ networking.firewall.trustedInterfaces = [ \"ve-+\" ]; }"),
        Sample::new("x: { networking.firewall.allowedTCPPortRanges = [ { from = x; to = x + 5000; } ]; }"),
    ],
    ..RuleInfo::new(
        "firewall-wide",
        Severity::Warning,
        "a port range or trusted interface that opens nearly everything",
    )
};

/// Ports in a row that are still a choice.
const WIDEST: i64 = 1000;
/// Interfaces that the host makes for its own guests.
const VIRTUAL: [&str; 12] =
    ["ve-", "vb-", "veth", "virbr", "docker", "br-", "cni", "podman", "wg", "tailscale", "tap", "vnet"];

fn number(file: &File<'_>, set: NodeId, name: &str) -> Option<i64> {
    let Kind::Set { bindings, .. } = file.tree.kind(file.tree.bare(set)) else { return None };
    file.tree.bindings(bindings).iter().find_map(|binding| match binding.kind {
        BindingKind::Value { path, value } if file.tree.single_name(path) == Some(name) => {
            file.tree.source(file.tree.bare(value)).parse().ok()
        }
        _ => None,
    })
}

impl Rule for FirewallWide {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        let ranges = ["networking.firewall.allowedTCPPortRanges", "networking.firewall.allowedUDPPortRanges"];
        for setting in &settings.all {
            let Some(value) = setting.value else { continue };
            if ranges.iter().any(|path| settings.is(setting, path)) {
                for item in file.tree.items(value) {
                    let (Some(from), Some(to)) = (number(file, item, "from"), number(file, item, "to")) else {
                        continue;
                    };
                    let count = to.saturating_sub(from).saturating_add(1);
                    if count > WIDEST {
                        let message = format!("this range opens {count} ports");
                        let hit =
                            Hit::new(&INFO, file.tree.span(item), message).subject(settings.shown(setting));
                        found.push(hit.mend("open the ports that are used, or only on one interface"));
                    }
                }
            } else if settings.is(setting, "networking.firewall.trustedInterfaces") {
                for item in file.tree.items(value) {
                    let Some(name) = file.tree.plain_text(file.tree.bare(item)) else { continue };
                    let wild = name.ends_with('+') || name.contains('*');
                    if wild && !VIRTUAL.iter().any(|prefix| name.starts_with(prefix)) {
                        let message = format!("every interface like `{name}` is trusted");
                        let hit =
                            Hit::new(&INFO, file.tree.span(item), message).subject(settings.shown(setting));
                        found.push(hit.mend("name the interfaces"));
                    }
                }
            }
        }
    }
}
