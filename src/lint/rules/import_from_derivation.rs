//! `import-from-derivation`: evaluation that has to build first.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::scope::DefinedBy;
use crate::lint::tree::{BindingKind, Kind, NodeId, Operator, Part, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct ImportFromDerivation;

static INFO: RuleInfo = RuleInfo {
    why: "Evaluation stops, builds or downloads, and goes on: it cannot be done in parallel, not on another machine, \
          not without network, and not for another platform. Sure is only `--option allow-import-from-derivation \
          false`. Make the file part of the repository, or use a flake input or a builtin fetcher.",
    source: "https://nix.dev/manual/nix/latest/language/import-from-derivation",
    bad: &[
        Sample::new("{ pkgs, ... }: import (pkgs.runCommand \"a\" { } \"echo 1 > $out\")"),
        Sample::new("{ pkgs, ... }: builtins.readFile \"${pkgs.hello}/share/a\""),
        Sample::new("{ pkgs, ... }: let src = pkgs.fetchFromGitHub { }; in import src { }"),
        Sample::new("{ pkgs, ... }: builtins.fromJSON (builtins.readFile (pkgs.fetchurl { url = \"a\"; }))"),
    ],
    good: &[
        Sample::new("{ pkgs, ... }: import \"${pkgs.path}/nixos/lib/eval-config.nix\""),
        Sample::new("{ modulesPath, ... }: import \"${modulesPath}/a.nix\""),
        Sample::new("{ inputs, ... }: import \"${inputs.a}/b.nix\" { src = inputs.c; }"),
        Sample::noted(
            "fetched while evaluating, without a build",
            "import (builtins.fetchTarball \"https://example.com/a.tar.gz\") { }",
        ),
        Sample::noted("the builtin", "import (fetchTarball { url = \"a\"; }) { }"),
        Sample::new("{ pkgs, ... }: pkgs.writeText \"a\" (builtins.readFile ./a)"),
    ],
    ..RuleInfo::new("import-from-derivation", Severity::Warning, "evaluation that reads the result of a build")
};

const READERS: [&str; 8] =
    ["import", "readFile", "readDir", "importJSON", "importTOML", "fileContents", "scopedImport", "pathExists"];
const BUILDERS: [&str; 19] = [
    "runCommand",
    "runCommandLocal",
    "runCommandNoCC",
    "mkDerivation",
    "writeText",
    "writeTextFile",
    "writeTextDir",
    "fetchFromGitHub",
    "fetchFromGitLab",
    "fetchFromGitea",
    "fetchFromSourcehut",
    "fetchgit",
    "fetchzip",
    "fetchpatch",
    "applyPatches",
    "symlinkJoin",
    "buildEnv",
    "writeShellScript",
    "fetchurl",
];
/// Members of `pkgs` that are no packages.
const PLAIN: [&str; 8] =
    ["path", "lib", "config", "system", "hostPlatform", "stdenv", "overlays", "targetPlatform"];

impl Rule for ImportFromDerivation {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Apply]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Apply { function, argument } = tree.kind(node) else { return };
        let Some(reader) = tree.called(function).filter(|name| READERS.contains(name)) else { return };
        if is_built(file, argument, 4) {
            let message = format!("`{reader}` here reads what has to be built first");
            found.push(
                Hit::new(&INFO, tree.span(node), message)
                    .subject(reader)
                    .mend("keep the file in the repository, or take it from a flake input"),
            );
        }
    }
}

/// Whether a value is a path inside a package, looked at through so many names.
fn is_built(file: &File<'_>, node: NodeId, depth: usize) -> bool {
    let tree = &file.tree;
    let node = tree.bare(node);
    match tree.kind(node) {
        Kind::Apply { .. } => {
            let Some((head, _)) = tree.application(node) else { return false };
            let Some(name) = tree.called(head).filter(|name| BUILDERS.contains(name)) else { return false };
            // builtins.fetchurl downloads while evaluating, which is no build.
            name != "fetchurl"
                || matches!(
                    tree.dotted(head).as_slice(),
                    ["pkgs", ..] | ["final" | "prev" | "self" | "super", _]
                )
        }
        Kind::Text { .. } => match tree.text_parts(node).first() {
            Some(Part::Interpolated(inner)) => is_built(file, *inner, depth),
            _ => false,
        },
        Kind::Binary { operator: Operator::Add, left, .. } => is_built(file, left, depth),
        Kind::Select { .. } => match tree.dotted(node).as_slice() {
            ["pkgs", member, ..] => !PLAIN.contains(member),
            _ => false,
        },
        Kind::Ident if depth > 0 => {
            let definition = file.scopes.definition(node);
            let Some(DefinedBy::Let(binding)) = definition.map(|definition| definition.by) else {
                return false;
            };
            match tree.binding(binding).kind {
                BindingKind::Value { path, value } if tree.attrs(path).len() == 1 => {
                    is_built(file, value, depth - 1)
                }
                _ => false,
            }
        }
        _ => false,
    }
}
