//! `useless-parens`: parentheses that group nothing.

use crate::lint::file::File;
use crate::lint::found::{Edit, Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{Kind, NodeId, Span, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct UselessParens;

static INFO: RuleInfo = RuleInfo {
    fixable: true,
    why: "They make a reader look for what they group. Nix builds the same expression without them.",
    source: "https://github.com/oppiliappan/statix (useless_parens)",
    bad: &[
        Sample::new("{ a = (1 + 2); }"),
        Sample::new("x: [ (x) ({ a = 1; }) ((x 1)) ]"),
        Sample::new("f: f(f)"),
        Sample::new("let a = (x: x); in (a 1)"),
    ],
    good: &[
        Sample::new("x: [ (x 1) (x.a or 2) (-1) ]"),
        Sample::new("x: (x.a).b or 1"),
        Sample::new("(x: x) 1"),
        Sample::noted("grouping that a reader wants", "x: x && (x || !x)"),
    ],
    ..RuleInfo::new("useless-parens", Severity::Information, "parentheses that group nothing")
};

impl Rule for UselessParens {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Paren]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Paren { inner } = tree.kind(node) else { return };
        let Some(parent) = tree.parent(node) else { return };
        let stands_alone = match tree.kind(parent) {
            Kind::Paren { .. } => true,
            Kind::Set { .. } | Kind::LegacyLet { .. } => {
                tree.binding_of(node).is_some() && !matches!(tree.kind(inner), Kind::Paren { .. })
            }
            Kind::Let { body, .. } => {
                (body == node || tree.binding_of(node).is_some())
                    && !matches!(tree.kind(inner), Kind::Paren { .. })
            }
            _ => false,
        };
        let is_base =
            matches!(tree.kind(parent), Kind::Select { base, .. } | Kind::HasAttr { base, .. } if base == node);
        let atom = match tree.kind(inner) {
            Kind::Ident | Kind::Text { .. } | Kind::Set { .. } | Kind::List { .. } => true,
            // `(a.b).c or d` is not `a.b.c or d`.
            Kind::Select { default: None, .. } => !is_base,
            _ => false,
        };
        let span = tree.span(node);
        let after = tree.text[span.end as usize..].trim_start();
        let inside = Span { start: span.start + 1, end: span.end - 1 };
        // Behind `or` another meaning would arise.
        if !(stands_alone || atom) || after.starts_with("or") || tree.source(inner) == "or" {
            return;
        }
        let before = tree.text[..span.start as usize].chars().next_back();
        let next = tree.text[span.end as usize..].chars().next();
        let gap_before = before.is_some_and(|before| !before.is_whitespace() && !"([{".contains(before));
        let gap_after = next.is_some_and(|next| !next.is_whitespace() && !")]};,".contains(next));
        let open = Edit::new(Span { start: span.start, end: inside.start }, if gap_before { " " } else { "" });
        let close = Edit::new(Span { start: inside.end, end: span.end }, if gap_after { " " } else { "" });
        found.push(
            Hit::new(&INFO, span, "these parentheses group nothing")
                .mend("take them away")
                .edits(vec![open, close]),
        );
    }
}
