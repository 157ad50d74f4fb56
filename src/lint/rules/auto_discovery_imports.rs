//! `auto-discovery-imports`: a module that imports whatever lies in a folder.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::scope::DefinedBy;
use crate::lint::tree::{BindingKind, Kind, NodeId, Span};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct AutoDiscoveryImports;

static INFO: RuleInfo = RuleInfo {
    why: "What a host is made of can then be seen in no file, a stray file changes every host, and tools cannot \
          follow. List the modules.",
    source: "https://nixos.org/manual/nixos/stable/#sec-modularity",
    bad: &[
        Sample::new("{ lib, ... }: { imports = lib.filesystem.listFilesRecursive ./modules; }"),
        Sample::new(
            "let files = builtins.attrNames (builtins.readDir ./.); in { imports = map (f: ./. + \"/${f}\") files; }",
        ),
    ],
    good: &[
        Sample::new("{ imports = [ ./a.nix ./b.nix ]; }"),
        Sample::noted(
            "data, not modules",
            "{ environment.etc = builtins.mapAttrs (n: _: { source = ./etc + \"/${n}\"; }) (builtins.readDir ./etc); }",
        ),
    ],
    ..RuleInfo::new(
        "auto-discovery-imports",
        Severity::Information,
        "imports that are worked out from a folder",
    )
};

impl Rule for AutoDiscoveryImports {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let tree = &file.tree;
        let mut end = 0;
        for binding in tree.all_bindings() {
            let BindingKind::Value { path, value } = binding.kind else { continue };
            // One inside of another was looked at with it.
            if tree.last_name(path) != Some("imports") || binding.span.start < end {
                continue;
            }
            end = end.max(binding.span.end);
            if discovers(file, value, true) {
                let start = tree.path_span(path).start;
                let span = Span { start, end: tree.path_span(path).end };
                found.push(
                    Hit::new(&INFO, span, "these imports are worked out from a folder")
                        .subject("imports")
                        .mend("list the modules"),
                );
            }
        }
    }
}

/// Whether an expression, or a value that it names, lists a folder.
fn discovers(file: &File<'_>, node: NodeId, follow: bool) -> bool {
    let tree = &file.tree;
    let mut followed = 0;
    tree.below(node).any(|below| match tree.kind(below) {
        Kind::Apply { function, .. } => {
            matches!(tree.called(function), Some("readDir" | "listFilesRecursive" | "listNixFilesRecursive"))
        }
        Kind::Ident if follow && followed < 8 => {
            let Some(DefinedBy::Let(binding)) = file.scopes.definition(below).map(|definition| definition.by)
            else {
                return false;
            };
            followed += 1;
            match tree.binding(binding).kind {
                BindingKind::Value { value, .. } => discovers(file, value, false),
                BindingKind::Inherit { .. } => false,
            }
        }
        _ => false,
    })
}
