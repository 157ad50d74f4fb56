//! `empty-let` and `collapsible-let`: `let` that needs not be.

use crate::lint::file::File;
use crate::lint::found::{Edit, Found, Hit};
use crate::lint::names::NameMap;
use crate::lint::rule::Rule;
use crate::lint::tree::{AttrName, Binding, BindingKind, Kind, NodeId, Run, Span, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct EmptyLet;
pub(crate) struct CollapsibleLet;

static EMPTY: RuleInfo = RuleInfo {
    fixable: true,
    why: "It binds nothing. Taking it away leaves the same expression.",
    source: "https://github.com/oppiliappan/statix (empty_let_in)",
    bad: &[Sample::new("let in 1"), Sample::new("x: let /* none */ in x")],
    good: &[Sample::new("let a = 1; in a"), Sample::new("y: let inherit (y) z; in z")],
    ..RuleInfo::new("empty-let", Severity::Information, "`let … in` without bindings")
};

static COLLAPSIBLE: RuleInfo = RuleInfo {
    fixable: true,
    why: "Two `let` one in the other are one. Mended only where no name is bound in both and none of the outer \
          values would see a name of the inner one, so that every name means what it did.",
    source: "https://github.com/oppiliappan/statix (collapsible_let_in)",
    bad: &[
        Sample::new("let a = 1; in let b = a; in b"),
        Sample::noted("shown, not mended: `b` would mean another", "b: let a = b; in let b = a; in b"),
    ],
    good: &[
        Sample::new("let a = 1; b = a; in b"),
        Sample::new("let a = let b = 1; in b; in a"),
        Sample::new("let a = 1; in { b = let c = a; in c; }"),
    ],
    ..RuleInfo::new("collapsible-let", Severity::Information, "`let` directly inside `let`")
};

impl Rule for EmptyLet {
    fn info(&self) -> &'static RuleInfo {
        &EMPTY
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Let]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Let { bindings, body } = tree.kind(node) else { return };
        if bindings.len() > 0 {
            return;
        }
        let span = tree.span(node);
        let word = Span { start: span.start, end: span.start + 3 };
        let body = tree.span(body).start;
        let Some(close) = tree.token_between(word.end, body, "in") else { return };
        let edits = if tree.has_comment(Span { start: word.end, end: body }) {
            vec![Edit::remove(word), Edit::remove(close)]
        } else {
            vec![Edit::remove(Span { start: span.start, end: body })]
        };
        let edits = spaced(file, span.start, edits);
        found.push(
            Hit::new(&EMPTY, Span { start: span.start, end: close.end }, "this `let` binds nothing")
                .mend("take it away")
                .edits(edits),
        );
    }
}

/// What stood apart thanks to the keyword stays apart.
fn spaced(file: &File<'_>, start: u32, mut edits: Vec<Edit>) -> Vec<Edit> {
    let before = file.tree.text[..start as usize].chars().next_back();
    if before.is_some_and(|before| !before.is_whitespace() && !"([{".contains(before))
        && let Some(first) = edits.first_mut()
    {
        first.text.push(' ');
    }
    edits
}

/// The names that a `let` binds, `inherit x;` apart: it looks outside.
fn names<'t>(file: &File<'t>, bindings: Run<Binding>) -> Option<(NameMap<'t, ()>, Vec<&'t str>)> {
    let tree = &file.tree;
    let mut bound = NameMap::default();
    let mut inherited = Vec::new();
    for binding in tree.bindings(bindings) {
        match binding.kind {
            BindingKind::Value { path, .. } => {
                bound.insert(tree.name(tree.attrs(path).first()?)?, ());
            }
            BindingKind::Inherit { from, names } => {
                for attr in tree.attrs(names) {
                    let AttrName::Fixed(_) = attr.name else { return None };
                    let name = tree.name(attr)?;
                    bound.insert(name, ());
                    if from.is_none() {
                        inherited.push(name);
                    }
                }
            }
        }
    }
    Some((bound, inherited))
}

impl Rule for CollapsibleLet {
    fn info(&self) -> &'static RuleInfo {
        &COLLAPSIBLE
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Let]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Let { bindings: outer, body } = tree.kind(node) else { return };
        let Kind::Let { bindings: inner, .. } = tree.kind(body) else { return };
        if outer.len() == 0 || inner.len() == 0 {
            return;
        }
        let span = tree.span(body);
        let word = Span { start: span.start, end: span.start + 3 };
        let edits = self.edits(file, node, outer, inner, word).unwrap_or_default();
        found.push(
            Hit::new(&COLLAPSIBLE, word, "this `let` could be part of the one around it")
                .mend("put the bindings into one `let`")
                .edits(edits),
        );
    }
}

impl CollapsibleLet {
    fn edits(
        &self,
        file: &File<'_>,
        node: NodeId,
        outer: Run<Binding>,
        inner: Run<Binding>,
        word: Span,
    ) -> Option<Vec<Edit>> {
        let tree = &file.tree;
        let (outer_names, _) = names(file, outer)?;
        let (inner_names, inner_inherited) = names(file, inner)?;
        let clash = inner_names.keys().any(|name| outer_names.contains_key(name))
            || inner_inherited.iter().any(|name| outer_names.contains_key(name));
        // A name in an outer value that the inner `let` would catch. Inherited
        // names are not nodes, so any mention in the text counts.
        let first = tree.bindings(outer).first()?.span.start;
        let last = tree.bindings(outer).last()?.span.end;
        let text = tree.slice(Span { start: first, end: last });
        let mentioned = text
            .split(|next: char| !(next.is_alphanumeric() || "_'-".contains(next)))
            .any(|word| inner_names.contains_key(word));
        if clash || mentioned || tree.span(node).start > first {
            return None;
        }
        let close = tree.token_between(last, word.start, "in")?;
        if tree.has_comment(Span { start: close.end, end: word.start }) {
            return Some(vec![Edit::remove(close), Edit::remove(word)]);
        }
        // One line break or space between the two groups is enough.
        let end = word.end;
        Some(vec![Edit::remove(Span { start: close.start, end })])
    }
}
