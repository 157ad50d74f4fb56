//! `renamed-option`: options that have another name by now.
//!
//! The table holds well-known renames of NixOS 21.05 to 25.05. The whole truth
//! is in the nixpkgs of the flake, and evaluation prints it as a warning.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::settings::Key;
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct RenamedOption;

static INFO: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "The old name works for a release or two with a warning, then evaluation fails. The table in the program \
          knows the renames that most fleets meet; evaluation knows all.",
    source: "https://github.com/NixOS/nixpkgs/blob/master/nixos/modules/rename.nix",
    bad: &[
        Sample::new("{ nix.trustedUsers = [ \"root\" ]; }"),
        Sample::new("{ hardware.opengl = { enable = true; driSupport32Bit = true; }; }"),
        Sample::new("{ services.openssh.passwordAuthentication = false; }"),
    ],
    good: &[
        Sample::new("{ nix.settings.trusted-users = [ \"root\" ]; }"),
        Sample::new("{ hardware.graphics.enable = true; }"),
        Sample::noted("a declaration", "{ lib, ... }: { options.fonts.fonts = lib.mkOption { }; }"),
    ],
    ..RuleInfo::new("renamed-option", Severity::Warning, "an option that was renamed")
};

/// Old path and what it is called now.
const RENAMED: &[(&str, &str)] = &[
    ("boot.cleanTmpDir", "boot.tmp.cleanOnBoot"),
    ("boot.tmpOnTmpfs", "boot.tmp.useTmpfs"),
    ("boot.tmpOnTmpfsSize", "boot.tmp.tmpfsSize"),
    ("environment.unixODBCDrivers", "the drivers themselves"),
    ("fonts.enableDefaultFonts", "fonts.enableDefaultPackages"),
    ("fonts.fonts", "fonts.packages"),
    ("hardware.opengl.driSupport", "hardware.graphics.enable"),
    ("hardware.opengl.driSupport32Bit", "hardware.graphics.enable32Bit"),
    ("hardware.opengl.enable", "hardware.graphics.enable"),
    ("hardware.opengl.extraPackages", "hardware.graphics.extraPackages"),
    ("hardware.opengl.extraPackages32", "hardware.graphics.extraPackages32"),
    ("hardware.pulseaudio.enable", "services.pulseaudio.enable"),
    ("hardware.u2f.enable", "hardware.enableAllFirmware or udev packages"),
    ("i18n.consoleFont", "console.font"),
    ("i18n.consoleKeyMap", "console.keyMap"),
    (
        "networking.wireguard.interfaces.*.peers.*.dynamicEndpointRefreshRestartSec",
        "dynamicEndpointRefreshRestartSeconds",
    ),
    ("nix.allowedUsers", "nix.settings.allowed-users"),
    ("nix.autoOptimiseStore", "nix.settings.auto-optimise-store"),
    ("nix.binaryCachePublicKeys", "nix.settings.trusted-public-keys"),
    ("nix.binaryCaches", "nix.settings.substituters"),
    ("nix.buildCores", "nix.settings.cores"),
    ("nix.maxJobs", "nix.settings.max-jobs"),
    ("nix.requireSignedBinaryCaches", "nix.settings.require-sigs"),
    ("nix.sandboxPaths", "nix.settings.extra-sandbox-paths"),
    ("nix.systemFeatures", "nix.settings.system-features"),
    ("nix.trustedBinaryCaches", "nix.settings.trusted-substituters"),
    ("nix.trustedUsers", "nix.settings.trusted-users"),
    ("nix.useSandbox", "nix.settings.sandbox"),
    ("programs.gnupg.agent.pinentryFlavor", "programs.gnupg.agent.pinentryPackage"),
    ("security.pam.enableSSHAgentAuth", "security.pam.sshAgentAuth.enable"),
    ("services.gitea.domain", "services.gitea.settings.server.DOMAIN"),
    ("services.gitea.rootUrl", "services.gitea.settings.server.ROOT_URL"),
    ("services.grafana.addr", "services.grafana.settings.server.http_addr"),
    ("services.grafana.domain", "services.grafana.settings.server.domain"),
    ("services.grafana.port", "services.grafana.settings.server.http_port"),
    ("services.openssh.forwardX11", "services.openssh.settings.X11Forwarding"),
    ("services.openssh.kbdInteractiveAuthentication", "services.openssh.settings.KbdInteractiveAuthentication"),
    ("services.openssh.logLevel", "services.openssh.settings.LogLevel"),
    ("services.openssh.passwordAuthentication", "services.openssh.settings.PasswordAuthentication"),
    ("services.openssh.permitRootLogin", "services.openssh.settings.PermitRootLogin"),
    ("services.openssh.useDns", "services.openssh.settings.UseDns"),
    ("services.printing.gutenprint", "services.printing.drivers"),
    ("services.xserver.displayManager.autoLogin.enable", "services.displayManager.autoLogin.enable"),
    ("services.xserver.displayManager.autoLogin.user", "services.displayManager.autoLogin.user"),
    ("services.xserver.displayManager.defaultSession", "services.displayManager.defaultSession"),
    ("services.xserver.displayManager.sddm.enable", "services.displayManager.sddm.enable"),
    ("services.xserver.layout", "services.xserver.xkb.layout"),
    ("services.xserver.libinput.enable", "services.libinput.enable"),
    ("services.xserver.xkbModel", "services.xserver.xkb.model"),
    ("services.xserver.xkbOptions", "services.xserver.xkb.options"),
    ("services.xserver.xkbVariant", "services.xserver.xkb.variant"),
    ("sound.enable", "nothing: it has no effect any more"),
    ("virtualisation.docker.enableNvidia", "hardware.nvidia-container-toolkit.enable"),
];

impl Rule for RenamedOption {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        const FIRST: [&str; 12] = [
            "boot",
            "environment",
            "fonts",
            "hardware",
            "i18n",
            "networking",
            "nix",
            "programs",
            "security",
            "services",
            "sound",
            "virtualisation",
        ];
        for setting in &settings.all {
            let Some(Key::Name(first)) = settings.path(setting).first() else { continue };
            if !FIRST.contains(first) || settings.path(setting).len() > 6 {
                continue;
            }
            let path = settings.shown(setting);
            if let Ok(index) = RENAMED.binary_search_by(|(old, _)| (*old).cmp(path.as_str())) {
                let new = RENAMED[index].1;
                found.push(
                    Hit::new(&INFO, setting.span, format!("`{path}` is now {new}"))
                        .mend(format!("use {new}"))
                        .subject(path),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_because_it_is_searched_by_halves() {
        assert!(RENAMED.is_sorted_by_key(|(old, _)| *old));
    }
}
