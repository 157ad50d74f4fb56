//! `firewall-off`: the packet filter of a host is switched off.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::settings::Priority;
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct FirewallOff;

static INFO: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "Every port that a service listens on can be reached from every network the host is in. Open the ports \
          that are needed with `networking.firewall.allowedTCPPorts`, or trust one interface. It is critical on a \
          host; information in a virtual machine, a container or a test, and a warning where it is only a default \
          or another packet filter is set up in the same file.",
    source: "https://nixos.org/manual/nixos/stable/#sec-firewall",
    bad: &[
        Sample::new("{ networking.firewall.enable = false; }"),
        Sample::new("{ lib, ... }: { networking = { firewall.enable = lib.mkForce false; }; }"),
        Sample::new(
            "{ config, lib, ... }: { config = lib.mkIf config.x.y { networking.firewall = { enable = false; }; }; }",
        ),
        Sample::new("{ lib, ... }: lib.mkMerge [ { a = 1; } { networking.firewall.enable = (false); } ]"),
        Sample::new(
            "{ outputs = { nixpkgs, ... }: { nixosConfigurations.a = nixpkgs.lib.nixosSystem { modules = [ \
             ./a.nix { networking.firewall.enable = false; } ]; }; }; }",
        ),
        Sample::noted(
            "critical: a machine that has virtual machines is none",
            "{ microvm.vms.a = { }; networking.firewall.enable = false; }",
        ),
        Sample::noted(
            "in a guest it is information",
            "{ services.qemuGuest.enable = true; networking.firewall.enable = false; }",
        ),
    ],
    good: &[
        Sample::new("{ networking.firewall.enable = true; }"),
        Sample::new("{ config, ... }: { networking.firewall.enable = config.x.firewall; }"),
        Sample::new("{ networking.firewall.interfaces.eth0.allowedTCPPorts = [ 22 ]; }"),
        Sample::noted(
            "the guest of a container",
            "{ containers.a.config = { ... }: { networking.firewall.enable = false; }; }",
        ),
        Sample::noted(
            "an option, not a setting",
            "{ lib, ... }: { options.networking.firewall.enable = lib.mkOption { default = false; }; }",
        ),
        Sample::new(
            "{ lib, ... }: { options.x = lib.mkOption { example = { networking.firewall.enable = false; }; }; }",
        ),
    ],
    ..RuleInfo::new("firewall-off", Severity::Critical, "the firewall of a host is switched off")
};

/// What else filters packets when it is set in the same file.
const OTHER_FILTERS: [&str; 7] = [
    "networking.nftables.ruleset",
    "networking.nftables.rulesetFile",
    "networking.nftables.tables",
    "services.shorewall.enable",
    "services.ferm.enable",
    "services.firewalld.enable",
    "networking.nftables.checkRuleset",
];

impl Rule for FirewallOff {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        for setting in settings.find("networking.firewall.enable") {
            if setting.value.and_then(|value| file.tree.boolean(value)) != Some(false) {
                continue;
            }
            let module = settings.module(setting);
            let other_filter =
                settings.all.iter().any(|other| OTHER_FILTERS.iter().any(|path| settings.below(other, path)));
            let shared = module.declares && setting.around.conditional;
            let severity = if module.guest || file.is_guest() || file.is_test() {
                Severity::Information
            } else if other_filter || shared || setting.around.priority == Priority::Default {
                Severity::Warning
            } else {
                Severity::Critical
            };
            found.push(
                Hit::new(&INFO, setting.span, "the firewall is switched off")
                    .severity(severity)
                    .guest_severity(Severity::Information)
                    .subject("networking.firewall.enable")
                    .mend("leave it on and open the ports that are needed, or allow this with a reason"),
            );
        }
    }
}
