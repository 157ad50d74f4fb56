//! `package-meta`: a package that does not say what it is.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct PackageMeta;

static INFO: RuleInfo = RuleInfo {
    why: "`meta` says what a package is, under which licence, and which program it is for (`mainProgram`); \
          `strictDeps = true` keeps build tools and libraries apart, which cross builds need.",
    source: "https://nixos.org/manual/nixpkgs/stable/#chap-meta",
    bad: &[Sample::new(
        "{ stdenv, src }: stdenv.mkDerivation { pname = \"a\"; version = \"1\"; inherit src; }",
    )],
    good: &[
        Sample::new(
            "{ stdenv, src }: stdenv.mkDerivation { pname = \"a\"; version = \"1\"; inherit src; meta.description = \"A\"; strictDeps = true; }",
        ),
        Sample::new(
            "{ stdenv, src }: stdenv.mkDerivation (finalAttrs: { pname = \"a\"; version = \"1\"; inherit src; meta = { }; strictDeps = true; })",
        ),
        Sample::new(
            "{ stdenv, src, meta }: stdenv.mkDerivation { pname = \"a\"; version = \"1\"; inherit src meta; }",
        ),
        Sample::noted(
            "a build step, no package",
            "{ stdenv }: stdenv.mkDerivation { name = \"a\"; buildCommand = \"touch $out\"; }",
        ),
    ],
    ..RuleInfo::new("package-meta", Severity::Information, "a package without meta")
};

impl Rule for PackageMeta {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Apply]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Some([argument]) = tree.call(node, "mkDerivation") else { return };
        let mut argument = tree.bare(argument);
        if let Kind::Lambda { body, .. } = tree.kind(argument) {
            argument = tree.bare(body);
        }
        let Kind::Set { bindings, .. } = tree.kind(argument) else { return };
        let mut names = Vec::new();
        for binding in tree.bindings(bindings) {
            let attrs = match binding.kind {
                BindingKind::Value { path, .. } => tree.attrs(path).get(..1).unwrap_or_default(),
                BindingKind::Inherit { names, .. } => tree.attrs(names),
            };
            names.extend(attrs.iter().filter_map(|attr| tree.name(attr)));
        }
        let has = |name: &str| names.contains(&name);
        let is_package = has("src") && has("version");
        if !is_package || has("meta") {
            return;
        }
        let message = if has("strictDeps") {
            "this package has no meta"
        } else {
            "this package has neither meta nor strictDeps"
        };
        let Kind::Apply { function, .. } = tree.kind(tree.bare(node)) else { return };
        found.push(
            Hit::new(&INFO, tree.span(function), message).mend("add meta.description, license and mainProgram"),
        );
    }
}
