//! `rec-unneeded`: a recursive set that does not refer to itself.

use crate::lint::file::File;
use crate::lint::found::{Edit, Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::scope::DefinedBy;
use crate::lint::tree::{BindingKind, Kind, NodeId, Span};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct RecUnneeded;

static INFO: RuleInfo = RuleInfo {
    fixable: true,
    why: "`rec` makes every name of the set visible in it, so a value can refer to itself by accident and recurse for \
          ever. Where no name is used, taking it away changes nothing.",
    source: "https://nix.dev/guides/best-practices#recursive-attribute-set-rec",
    bad: &[Sample::new("rec { a = 1; b = 2; }"), Sample::new("x: { a = rec { b = x; }; }")],
    good: &[
        Sample::new("rec { a = 1; b = a; }"),
        Sample::noted(
            "the idiom of packages",
            "{ stdenv, src }: stdenv.mkDerivation rec { name = \"a\"; inherit src; }",
        ),
        Sample::noted("has a meaning of its own", "rec { __overrides = { a = 1; }; }"),
        Sample::noted("continued behind", "{ a = rec { b = 1; }; a.c = b; }"),
    ],
    ..RuleInfo::new("rec-unneeded", Severity::Information, "`rec` on a set that does not refer to itself")
};

impl Rule for RecUnneeded {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let tree = &file.tree;
        // Definitions of one set stand side by side, so a set is counted once.
        let mut owners: Vec<(NodeId, u32)> = Vec::new();
        for definition in &file.scopes.definitions {
            if definition.by == DefinedBy::Recursive {
                match owners.last_mut() {
                    Some((owner, uses)) if *owner == definition.owner => *uses += definition.uses,
                    _ => owners.push((definition.owner, definition.uses)),
                }
            }
        }
        for (set, uses) in owners {
            if uses > 0 || !matches!(tree.kind(set), Kind::Set { recursive: true, .. }) {
                continue;
            }
            if file.scopes.continued.contains(&set) || has_overrides(file, set) || is_package(file, set) {
                continue;
            }
            let start = tree.span(set).start;
            let word = Span { start, end: start + 3 };
            // `rec` and the space behind it; a comment between stays.
            let after =
                tree.text[word.end as usize..].bytes().take_while(|byte| byte.is_ascii_whitespace()).count()
                    as u32;
            // Something else may merge with this set: then `rec` is not only its own.
            let edits = if is_merged(file, set) {
                Vec::new()
            } else {
                vec![Edit::remove(Span { start, end: word.end + after })]
            };
            found.push(
                Hit::new(&INFO, word, "no value of this set refers to another one")
                    .subject(tree.bound_name(set).unwrap_or_default())
                    .mend("take `rec` away")
                    .edits(edits),
            );
        }
    }
}

fn has_overrides(file: &File<'_>, set: NodeId) -> bool {
    let Kind::Set { bindings, .. } = file.tree.kind(set) else { return false };
    file.tree.bindings(bindings).iter().any(|binding| match binding.kind {
        BindingKind::Value { path, .. } => {
            file.tree.attrs(path).first().and_then(|attr| file.tree.name(attr)) == Some("__overrides")
        }
        BindingKind::Inherit { names, .. } => {
            file.tree.attrs(names).iter().any(|attr| file.tree.name(attr) == Some("__overrides"))
        }
    })
}

/// The argument of a function that makes a package.
fn is_package(file: &File<'_>, set: NodeId) -> bool {
    let Some(parent) = file.tree.parent(set) else { return false };
    match file.tree.kind(parent) {
        Kind::Apply { function, argument } if argument == set => {
            file.tree.called(function).is_some_and(|name| {
                name.contains("mkDerivation") || name.starts_with("build") || name.starts_with("make")
            })
        }
        _ => false,
    }
}

/// Whether another binding of the same name may continue this set.
fn is_merged(file: &File<'_>, set: NodeId) -> bool {
    let tree = &file.tree;
    let Some(own) = tree.binding_of(set) else { return false };
    let BindingKind::Value { path, .. } = own.kind else { return false };
    if tree.attrs(path).len() > 1 {
        return true;
    }
    let name = tree.single_name(path);
    let Some(parent) = tree.upwards(set).skip(1).find(|node| !matches!(tree.kind(*node), Kind::Paren { .. }))
    else {
        return false;
    };
    let run = match tree.kind(parent) {
        Kind::Set { bindings, .. } | Kind::Let { bindings, .. } | Kind::LegacyLet { bindings } => bindings,
        _ => return false,
    };
    // A look at the neighbours only: few, so that many such sets stay linear.
    let bindings = tree.bindings(run);
    if bindings.len() > 200 {
        return true;
    }
    bindings.iter().any(|binding| match binding.kind {
        BindingKind::Value { path, .. } => {
            binding.span != own.span && tree.attrs(path).first().and_then(|attr| tree.name(attr)) == name
        }
        BindingKind::Inherit { .. } => false,
    })
}
