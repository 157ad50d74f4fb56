//! `trivial-wrapper` and `eta`: functions and names that only hand on.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId, Parameter, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct TrivialWrapper;
pub(crate) struct Eta;

static WRAPPER: RuleInfo = RuleInfo {
    why: "A second name for the same thing has to be looked up by every reader. Inherit the name \
          (`inherit (lib) mkIf;`) or use the function itself. Not mended: the arguments that a function takes may be \
          written out on purpose.",
    source: "https://nix.dev/guides/best-practices",
    bad: &[
        Sample::new("{ lib }: let mkIf = lib.mkIf; in mkIf"),
        Sample::new("{ lib }: let enable = x: lib.mkEnableOption x; in enable"),
    ],
    good: &[
        Sample::new("{ lib }: let inherit (lib) mkIf; in mkIf"),
        Sample::new("{ lib }: let cond = lib.mkIf; in cond"),
        Sample::new("{ lib }: let twice = x: lib.add x x; in twice"),
    ],
    ..RuleInfo::new("trivial-wrapper", Severity::Information, "a name that only hands on to another")
};

static ETA: RuleInfo = RuleInfo {
    why: "`x: f x` is `f`, one step slower. Not mended, because the two differ when `f` is not defined or takes a \
          pattern that someone inspects.",
    source: "https://github.com/oppiliappan/statix (eta_reduction)",
    bad: &[Sample::new("{ f, l }: map (x: f x) l")],
    good: &[
        Sample::new("{ f, l }: map (x: f x x) l"),
        Sample::new("{ l }: map (x: x.f x) l"),
        Sample::new("{ f, l }: map (x: (f x) x) l"),
    ],
    ..RuleInfo::new("eta", Severity::Information, "a function that only calls another with its argument")
};

/// The function that `x: f x` hands on to.
fn handed_on(file: &File<'_>, node: NodeId) -> Option<NodeId> {
    let tree = &file.tree;
    let Kind::Lambda { parameter, body } = tree.kind(node) else { return None };
    let Parameter::Name(name) = tree.parameter(parameter) else { return None };
    let Kind::Apply { function, argument } = tree.kind(tree.bare(body)) else { return None };
    if tree.ident(argument) != Some(tree.slice(name)) {
        return None;
    }
    // A plain name or a path of names, which cannot hold the argument otherwise.
    let names = tree.dotted(function);
    let plain = !names.is_empty() && names[0] != tree.slice(name) && !names.contains(&"*");
    plain.then_some(function)
}

impl Rule for TrivialWrapper {
    fn info(&self) -> &'static RuleInfo {
        &WRAPPER
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Let]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Let { bindings, .. } = tree.kind(node) else { return };
        for binding in tree.bindings(bindings) {
            let BindingKind::Value { path, value } = binding.kind else { continue };
            let Some(name) = tree.single_name(path) else { continue };
            let target = match tree.kind(tree.bare(value)) {
                Kind::Select { default: None, .. } => {
                    let names = tree.dotted(value);
                    (names.len() > 1 && names.first() == Some(&"lib") && names.last() == Some(&name))
                        .then(|| names.join("."))
                }
                Kind::Lambda { .. } => {
                    handed_on(file, tree.bare(value)).map(|function| tree.dotted(function).join("."))
                }
                _ => None,
            };
            if let Some(target) = target {
                let hit = Hit::new(
                    &WRAPPER,
                    tree.path_span(path),
                    format!("`{name}` is only another name for `{target}`"),
                );
                found.push(hit.subject(name).mend("inherit it, or use it directly"));
            }
        }
    }
}

impl Rule for Eta {
    fn info(&self) -> &'static RuleInfo {
        &ETA
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Lambda]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        // One that has a name is the other rule's, or documents its argument.
        if file.tree.binding_of(node).is_some() {
            return;
        }
        if let Some(function) = handed_on(file, node) {
            let name = file.tree.dotted(function).join(".");
            found.push(
                Hit::new(&ETA, file.tree.span(node), format!("this function only calls `{name}`"))
                    .subject(&name)
                    .mend(format!("write `{name}`")),
            );
        }
    }
}
