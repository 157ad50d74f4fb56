//! `sudo-nopasswd`: becoming root without a password.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::Kind;
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct SudoNopasswd;

static INFO: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "Whoever runs code as such a user is root: a browser, an editor's plugin, a stolen session. Where a tool \
          needs it, give the one command without a password, not all.",
    source: "sudoers(5), NOPASSWD",
    bad: &[
        Sample::new("{ security.sudo.wheelNeedsPassword = false; }"),
        Sample::new(
            "{ security.sudo.extraRules = [ { users = [ \"a\" ]; commands = [ { command = \"ALL\"; options = [ \"NOPASSWD\" ]; } ]; } ]; }",
        ),
        Sample::new("{ security.sudo.extraConfig = ''\n  a ALL=(ALL) NOPASSWD: ALL\n''; }"),
        Sample::new("{ security.doas.wheelNeedsPassword = false; }"),
    ],
    good: &[
        Sample::new("{ security.sudo.wheelNeedsPassword = true; }"),
        Sample::noted(
            "one command",
            "{ security.sudo.extraRules = [ { users = [ \"a\" ]; commands = [ { command = \"/run/current-system/sw/bin/reboot\"; options = [ \"NOPASSWD\" ]; } ]; } ]; }",
        ),
        Sample::new(
            "{ security.sudo.extraConfig = ''\n  # a ALL=(ALL) NOPASSWD: ALL\n  Defaults lecture=never\n''; }",
        ),
    ],
    ..RuleInfo::new("sudo-nopasswd", Severity::Warning, "root without a password through sudo or doas")
};

impl Rule for SudoNopasswd {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        let tree = &file.tree;
        for setting in &settings.all {
            if !(settings.below(setting, "security.*.*")) {
                continue;
            }
            let Some(value) = setting.value else { continue };
            let is = |path: &str| settings.is(setting, path);
            let hit = if is("security.sudo.wheelNeedsPassword")
                || is("security.sudo-rs.wheelNeedsPassword")
                || is("security.doas.wheelNeedsPassword")
            {
                tree.boolean(value) == Some(false)
            } else if is("security.sudo.extraConfig") || is("security.sudo-rs.extraConfig") {
                tree.source(value).lines().any(|line| {
                    let words = line.trim();
                    !words.starts_with('#')
                        && words.split_once("NOPASSWD:").is_some_and(|(_, rest)| rest.trim().starts_with("ALL"))
                })
            } else if is("security.sudo.extraRules") || is("security.sudo-rs.extraRules") {
                matches!(tree.kind(value), Kind::List { .. } | Kind::Binary { .. }) && gives_all(file, value)
            } else {
                false
            };
            if hit {
                let quiet = settings.module(setting).guest || file.is_guest() || file.is_test();
                found.push(
                    Hit::new(&INFO, setting.span, "root can be had without a password")
                        .severity(if quiet { Severity::Information } else { Severity::Warning })
                        .guest_severity(Severity::Information)
                        .subject(settings.shown(setting))
                        .mend("ask for the password, or allow single commands only"),
                );
            }
        }
    }
}

/// A command set that says `"ALL"` and `"NOPASSWD"`.
fn gives_all(file: &File<'_>, value: crate::lint::tree::NodeId) -> bool {
    let tree = &file.tree;
    tree.below(value).any(|node| {
        let Kind::Set { bindings, .. } = tree.kind(node) else { return false };
        let names: Vec<&str> = tree
            .bindings(bindings)
            .iter()
            .filter_map(|binding| match binding.kind {
                crate::lint::tree::BindingKind::Value { path, value } => match tree.single_name(path)? {
                    "command" => Some(tree.source(value).trim_matches('"')),
                    "options" if tree.source(value).contains("\"NOPASSWD\"") => Some("NOPASSWD"),
                    _ => None,
                },
                crate::lint::tree::BindingKind::Inherit { .. } => None,
            })
            .collect();
        names.contains(&"ALL") && names.contains(&"NOPASSWD")
    })
}
