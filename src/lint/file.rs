//! One file as rules see it: tree, names, settings, comments.

use std::cell::OnceCell;

use super::scope::Scopes;
use super::settings::{Settings, settings};
use super::tree::{BindingKind, Kind, Lines, NodeId, Span, Tree};

/// A file without syntax errors.
pub(crate) struct File<'t> {
    pub(crate) tree: Tree<'t>,
    pub(crate) scopes: Scopes,
    pub(crate) lines: Lines<'t>,
    settings: OnceCell<Settings<'t>>,
    guest: OnceCell<bool>,
    test: OnceCell<bool>,
}

impl<'t> File<'t> {
    pub(crate) fn new(tree: Tree<'t>, scopes: Scopes, lines: Lines<'t>) -> Self {
        let (settings, guest, test) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { tree, scopes, lines, settings, guest, test }
    }

    /// What the modules of the file set.
    pub(crate) fn settings(&self) -> &Settings<'t> {
        self.settings.get_or_init(|| settings(&self.tree))
    }

    /// Whether the file says that it describes a guest, a container or an
    /// installer: a machine that is reached through another one, or by hand.
    pub(crate) fn is_guest(&self) -> bool {
        *self.guest.get_or_init(|| {
            const PROFILES: [&str; 9] = [
                "qemu-guest.nix",
                "qemu-vm.nix",
                "lxc-container.nix",
                "lxd",
                "docker-container.nix",
                "installation-device.nix",
                "installation-cd",
                "netboot",
                "microvm",
            ];
            const SWITCHES: [&str; 8] = [
                "boot.isContainer",
                "services.qemuGuest.enable",
                "services.spice-vdagentd.enable",
                "virtualisation.vmware.guest.enable",
                "virtualisation.virtualbox.guest.enable",
                "virtualisation.hypervGuest.enable",
                "services.xe-guest-utilities.enable",
                "wsl.enable",
            ];
            // Options that only an image or a virtual machine has
            // (nixos/modules/virtualisation/qemu-vm.nix, installer/).
            const GUEST_ONLY: [&str; 11] = [
                "isoImage",
                "sdImage",
                "netboot",
                "virtualisation.memorySize",
                "virtualisation.diskSize",
                "virtualisation.forwardPorts",
                "virtualisation.graphics",
                "virtualisation.qemu",
                "virtualisation.sharedDirectories",
                "virtualisation.useBootLoader",
                "virtualisation.mountHostNixStore",
            ];
            // What a machine says that has microvms, without being one.
            const OF_MICROVM_HOSTS: [&str; 4] =
                ["microvm.vms", "microvm.host", "microvm.autostart", "microvm.stateDir"];
            let imports_profile = self.tree.all_bindings().iter().any(|binding| match binding.kind {
                BindingKind::Value { path, value } => {
                    self.tree.last_name(path) == Some("imports") && {
                        let source = self.tree.source(value);
                        PROFILES.iter().any(|profile| source.contains(profile))
                    }
                }
                BindingKind::Inherit { .. } => false,
            });
            imports_profile
                || self.settings().all.iter().any(|setting| {
                    let on = setting.value.and_then(|value| self.tree.boolean(value)) == Some(true);
                    (on && SWITCHES.iter().any(|path| self.settings().is(setting, path)))
                        // An image that logs in by itself, for an installation or a kiosk in one hand.
                        || self.settings().is(setting, "services.getty.autologinUser")
                        || self.settings().is(setting, "services.mingetty.autologinUser")
                        || GUEST_ONLY.iter().any(|path| self.settings().below(setting, path))
                        || (self.settings().below(setting, "microvm")
                            && !OF_MICROVM_HOSTS.iter().any(|path| self.settings().below(setting, path)))
                })
        })
    }

    /// Whether the file is a test that boots machines for a moment.
    pub(crate) fn is_test(&self) -> bool {
        *self.test.get_or_init(|| {
            self.tree.all_bindings().iter().any(|binding| match binding.kind {
                BindingKind::Value { path, .. } => self.tree.last_name(path) == Some("testScript"),
                BindingKind::Inherit { .. } => false,
            })
        })
    }

    /// The comments that end within `lines` lines above the line of `span`, on
    /// it, or as many below.
    pub(crate) fn comments_near(&self, span: Span, lines: u32) -> impl Iterator<Item = &'t str> + '_ {
        let line = self.lines.line(span.start);
        let start = self.lines.start(line.saturating_sub(lines).max(1));
        let end = self.lines.span(line + lines).end;
        let first = self.tree.comments.partition_point(|comment| comment.end < start);
        let near = self.tree.comments[first..].iter().take_while(move |comment| comment.start < end);
        near.map(|comment| self.tree.slice(*comment))
    }

    /// Whether a node is part of an example, a description or a default that
    /// only people read.
    pub(crate) fn is_example(&self, node: NodeId) -> bool {
        const SHOWN: [&str; 8] = [
            "example",
            "exampleText",
            "description",
            "defaultText",
            "examples",
            "documentation",
            "longDescription",
            "meta",
        ];
        self.tree.upwards(node).any(|node| {
            self.tree.bound_name(node).is_some_and(|name| SHOWN.contains(&name))
                || match self.tree.kind(node) {
                    Kind::Apply { function, .. } => matches!(
                        self.tree.called(function),
                        Some("literalExpression" | "literalExample" | "literalMD" | "mdDoc" | "literalDocBook")
                    ),
                    _ => false,
                }
        })
    }

    /// Whether a node is inside a call of a function of one of these names.
    pub(crate) fn is_inside_call(&self, node: NodeId, names: &[&str]) -> bool {
        self.tree.upwards(node).skip(1).any(|node| match self.tree.kind(node) {
            Kind::Apply { .. } => self
                .tree
                .application(node)
                .and_then(|(head, _)| self.tree.called(head))
                .is_some_and(|name| names.contains(&name)),
            _ => false,
        })
    }
}
