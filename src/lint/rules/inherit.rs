//! `manual-inherit`: a name that is handed on by writing it twice.

use crate::lint::file::File;
use crate::lint::found::{Edit, Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct ManualInherit;

static INFO: RuleInfo = RuleInfo {
    fixable: true,
    why: "`inherit a;` is `a = a;`, and `inherit (x) a;` is `a = x.a;`: shorter, and plain to see that the name is the \
          same. In `rec { … }` and `let`, `a = a;` refers to itself and is left alone.",
    source: "https://nix.dev/manual/nix/latest/language/syntax#inheriting-attributes",
    bad: &[Sample::new("a: { a = a; }"), Sample::new("x: { a = x.a; }"), Sample::new("x: let a = x.y.a; in a")],
    good: &[
        Sample::new("a: { inherit a; }"),
        Sample::new("x: { a = x.b; }"),
        Sample::noted("refers to itself", "rec { a = a; }"),
        Sample::new("x: { a = x.a or 1; b.a = x.a; }"),
        Sample::new("x: { \"a b\" = x.\"a b\"; }"),
    ],
    ..RuleInfo::new("manual-inherit", Severity::Information, "a binding that could be `inherit`")
};

impl Rule for ManualInherit {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Set, Tag::Let]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let (bindings, plain) = match tree.kind(node) {
            Kind::Set { recursive, bindings } => (bindings, !recursive),
            Kind::Let { bindings, .. } => (bindings, false),
            _ => return,
        };
        // What a set that is merged with another one sees is not simple.
        let plain = plain && file.scopes.continued.is_empty();
        for binding in tree.bindings(bindings) {
            let BindingKind::Value { path, value } = binding.kind else { continue };
            let Some(name) = tree.single_name(path).filter(|name| is_name(name)) else { continue };
            // In quotes it is no name that `inherit` writes the same way.
            if tree.slice(tree.path_span(path)) != name {
                continue;
            }
            let (text, message) = match tree.kind(value) {
                Kind::Ident if plain && tree.source(value) == name => {
                    (format!("inherit {name};"), format!("`{name}` is handed on under its own name"))
                }
                Kind::Select { base, path, default: None } => {
                    let attrs = tree.attrs(path);
                    let Some((last, front)) = attrs.split_last() else { continue };
                    let head = tree.dotted(base);
                    let written = tree.slice(last.span);
                    if written != name || head.is_empty() || attrs.iter().any(|attr| tree.name(attr).is_none())
                    {
                        continue;
                    }
                    // `a = a.a;` in a `let` would look at itself both ways; leave it.
                    if head[0] == name || head.contains(&"*") {
                        continue;
                    }
                    let end = front.last().map_or(tree.span(base).end, |attr| attr.span.end);
                    let from = &tree.text[tree.span(base).start as usize..end as usize];
                    (
                        format!("inherit ({from}) {name};"),
                        format!("`{name}` is taken from `{from}` under its own name"),
                    )
                }
                _ => continue,
            };
            let edits = if tree.has_comment(binding.span) {
                Vec::new()
            } else {
                vec![Edit::new(binding.span, text.clone())]
            };
            let hit = Hit::new(&INFO, binding.span, message).subject(name);
            found.push(hit.mend(format!("write `{text}`")).edits(edits));
        }
    }
}

/// A word that may stand behind `inherit` as it is.
fn is_name(name: &str) -> bool {
    name.chars().all(|next| next.is_ascii_alphanumeric() || "_'-".contains(next)) && name != "or"
}
