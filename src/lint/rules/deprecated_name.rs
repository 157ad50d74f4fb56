//! `deprecated-name`: functions and forms that are going away.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{Kind, NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct DeprecatedName;

static INFO: RuleInfo = RuleInfo {
    why: "It works today and fails after an update. `<nixpkgs>` reads NIX_PATH, so the result depends on who \
          evaluates it, and a flake refuses it.",
    source: "https://nixos.org/manual/nixpkgs/stable/release-notes",
    bad: &[
        Sample::new("{ lib, ... }: { description = lib.mdDoc \"A.\"; }"),
        Sample::new("{ stdenv }: stdenv.lib.licenses.mit"),
        Sample::new("builtins.toPath \"/a\""),
        Sample::new("let { a = 1; body = a; }"),
        Sample::noted("information", "import <nixpkgs> { }"),
    ],
    good: &[
        Sample::new("{ lib, ... }: { description = \"A.\"; }"),
        Sample::new("{ lib }: lib.licenses.mit"),
        Sample::noted("another path", "{ stdenv, x }: [ stdenv.cc (x.stdenv.libc) ]"),
        Sample::new("let a = 1; in a"),
    ],
    ..RuleInfo::new("deprecated-name", Severity::Warning, "a function or form that is going away")
};

impl Rule for DeprecatedName {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Apply, Tag::Select, Tag::LegacyLet, Tag::SearchPath]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let say = |what: &str, mend: &str| {
            Hit::new(&INFO, tree.span(node), format!("{what} is going away")).subject(what).mend(mend)
        };
        let hit = match tree.kind(node) {
            Kind::LegacyLet { .. } => say("`let { … body = … }`", "write `let … in …`"),
            Kind::SearchPath => match tree.source(node) {
                "<nixpkgs>" => Hit::new(
                    &INFO,
                    tree.span(node),
                    "`<nixpkgs>` is whatever NIX_PATH says where it is evaluated",
                )
                .severity(Severity::Information)
                .subject("<nixpkgs>")
                .mend("take nixpkgs from a flake input or a pinned fetch"),
                _ => return,
            },
            Kind::Apply { function, .. } => {
                let names = tree.dotted(function);
                let name = names.last().copied().unwrap_or_default();
                let from_lib = match names.as_slice() {
                    [_] => true,
                    [.., above, _] => matches!(*above, "lib" | "builtins" | "options"),
                    [] => false,
                };
                match name {
                    "mdDoc" if from_lib => say("`mdDoc`", "give the text itself: descriptions are Markdown"),
                    "literalExample" if from_lib => say("`literalExample`", "use `literalExpression`"),
                    "toPath" if names == ["builtins", "toPath"] => {
                        say("`builtins.toPath`", "use `/. + string` or a path")
                    }
                    _ => return,
                }
            }
            Kind::Select { path, .. } => {
                let names = tree.dotted(node);
                let is_stdenv =
                    matches!(names.as_slice(), ["stdenv", "lib", ..] | ["pkgs", "stdenv", "lib", ..]);
                // `stdenv.lib` inside of a longer path is seen once, at the whole path.
                if !is_stdenv || tree.attrs(path).is_empty() {
                    return;
                }
                say("`stdenv.lib`", "use `lib`")
            }
            _ => return,
        };
        found.push(hit);
    }
}
