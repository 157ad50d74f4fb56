//! `option-type` and `option-undocumented`: how options are declared.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct OptionType;
pub(crate) struct OptionUndocumented;

static TYPE: RuleInfo = RuleInfo {
    why: "`types.string` joins definitions without a separator and is gone from nixpkgs; `types.attrs` loses nested \
          definitions when two modules set it. Use `types.str`, `types.lines` or `types.attrsOf`.",
    source: "https://nixos.org/manual/nixos/stable/#sec-option-types-basic",
    bad: &[
        Sample::new(
            "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.string; description = \"A.\"; }; }",
        ),
        Sample::noted(
            "information",
            "{ lib, types }: { options.a = lib.mkOption { type = types.attrs; description = \"A.\"; }; }",
        ),
    ],
    good: &[
        Sample::new(
            "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.str; description = \"A.\"; }; }",
        ),
        Sample::new(
            "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.attrsOf lib.types.str; description = \"A.\"; }; }",
        ),
    ],
    ..RuleInfo::new("option-type", Severity::Warning, "an option type that merges badly")
};

static UNDOCUMENTED: RuleInfo = RuleInfo {
    why: "Without a type every value is taken, and mistakes show up far away; without a description nobody can tell \
          what it does, and the manual of the host does not build.",
    source: "https://nixos.org/manual/nixos/stable/#sec-option-declarations",
    bad: &[
        Sample::new("{ lib, ... }: { options.a = lib.mkOption { default = 1; }; }"),
        Sample::new("{ lib, ... }: { options.a = lib.mkOption { type = lib.types.int; }; }"),
    ],
    good: &[
        Sample::new(
            "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.int; description = \"A.\"; }; }",
        ),
        Sample::noted(
            "internal",
            "{ lib, ... }: { options.a = lib.mkOption { internal = true; default = 1; }; }",
        ),
        Sample::noted(
            "not seen",
            "{ lib, ... }: { options.a = lib.mkOption { visible = false; type = lib.types.int; }; }",
        ),
        Sample::noted(
            "not known",
            "{ lib, args, ... }: { options.a = lib.mkOption (args // { default = 1; }); }",
        ),
        Sample::new("{ lib, ... }: { options.a = lib.mkEnableOption \"a\"; }"),
    ],
    ..RuleInfo::new("option-undocumented", Severity::Information, "an option without a type or a description")
};

impl Rule for OptionType {
    fn info(&self) -> &'static RuleInfo {
        &TYPE
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Select]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let Kind::Select { base, path, default: None } = file.tree.kind(node) else { return };
        let Some(name @ ("attrs" | "string")) = file.tree.last_name(path) else { return };
        let types = match file.tree.attrs(path) {
            [_] => file.tree.ident(base) == Some("types"),
            [types, _] => file.tree.name(types) == Some("types") && file.tree.ident(base) == Some("lib"),
            _ => false,
        };
        if !types || !file.is_inside_call(node, &["mkOption"]) {
            return;
        }
        let (severity, better) = match name {
            "string" => (Severity::Warning, "types.str or types.lines"),
            _ => (Severity::Information, "types.attrsOf, or a submodule"),
        };
        let hit =
            Hit::new(&TYPE, file.tree.span(node), format!("`types.{name}` does not merge as one expects"));
        found.push(hit.severity(severity).subject(format!("types.{name}")).mend(format!("use {better}")));
    }
}

impl Rule for OptionUndocumented {
    fn info(&self) -> &'static RuleInfo {
        &UNDOCUMENTED
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Apply]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Some([argument]) = tree.call(node, "mkOption") else { return };
        let Kind::Set { bindings, .. } = tree.kind(tree.bare(argument)) else { return };
        let (mut has_type, mut has_description) = (false, false);
        for binding in tree.bindings(bindings) {
            match binding.kind {
                BindingKind::Value { path, value } => match tree.single_name(path) {
                    Some("type") => has_type = true,
                    Some("description") => has_description = true,
                    Some("internal") if tree.boolean(value) != Some(false) => return,
                    Some("visible") if tree.boolean(value) == Some(false) => return,
                    _ => {}
                },
                BindingKind::Inherit { names, .. } => {
                    for attr in tree.attrs(names) {
                        has_type |= tree.name(attr) == Some("type");
                        has_description |= tree.name(attr) == Some("description");
                    }
                }
            }
        }
        let (missing, needed) = match (has_type, has_description) {
            (true, true) => return,
            (false, true) => ("no type", "a type"),
            (true, false) => ("no description", "a description"),
            (false, false) => ("no type and no description", "a type and a description"),
        };
        let Kind::Apply { function, .. } = tree.kind(tree.bare(node)) else { return };
        let name = tree.bound_name(node).unwrap_or_default();
        let hit = Hit::new(&UNDOCUMENTED, tree.span(function), format!("this option has {missing}"));
        found.push(hit.subject(name).mend(format!("give it {needed}")));
    }
}
