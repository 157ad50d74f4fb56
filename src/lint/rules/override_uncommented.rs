//! `override-uncommented`: a forced value that nobody explains.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{Kind, NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct OverrideUncommented;

static INFO: RuleInfo = RuleInfo {
    why: "`mkForce` silences what other modules say, for ever and for reasons that are forgotten. A line why keeps it \
          from outliving them.",
    source: "https://nixos.org/manual/nixos/stable/#sec-option-definitions-setting-priorities",
    bad: &[
        Sample::new("{ lib, ... }: { a.b = lib.mkForce 1; }"),
        Sample::new("{ mkOverride, ... }: { a = mkOverride 10 true; }"),
    ],
    good: &[
        Sample::new(
            "{ lib, ... }: {\n  # The vendor's module sets 2, which this board cannot do.\n  a.b = lib.mkForce 1;\n}",
        ),
        Sample::new("{ lib, ... }: { a.b = lib.mkDefault 1; }"),
        Sample::new("{ lib }: { mkForce = lib.mkOverride 50; }"),
    ],
    ..RuleInfo::new("override-uncommented", Severity::Information, "mkForce or mkOverride without a comment")
};

impl Rule for OverrideUncommented {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Apply]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let name = if tree.call::<1>(node, "mkForce").is_some() {
            "mkForce"
        } else if tree.call::<2>(node, "mkOverride").is_some() {
            "mkOverride"
        } else {
            return;
        };
        let Kind::Apply { function, .. } = tree.kind(node) else { return };
        if file.comments_near(tree.span(node), 3).next().is_none() {
            let hit = Hit::new(&INFO, tree.span(function), format!("nothing says why `{name}` is needed"));
            found.push(
                hit.subject(tree.bound_name(node).unwrap_or_default())
                    .mend("say in a comment what it overrides and why"),
            );
        }
    }
}
