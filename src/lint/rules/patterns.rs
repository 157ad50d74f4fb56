//! `empty-pattern` and `redundant-bind`: patterns that take nothing apart.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId, Parameter, Span, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct EmptyPattern;
pub(crate) struct RedundantBind;

static EMPTY: RuleInfo = RuleInfo {
    why: "`{ ... }: x` takes a set and looks at none of it; `_: x` says so. Not mended: the pattern refuses what is no \
          set. Modules are left alone, where this is the custom.",
    source: "https://github.com/oppiliappan/statix (empty_pattern)",
    bad: &[Sample::new("{ f }: f ({ ... }: 1)")],
    good: &[
        Sample::noted("a module", "{ ... }: { imports = [ ./a.nix ]; }"),
        Sample::noted("modules", "{ modules = [ ({ ... }: { a = 1; }) ]; nodes.a = { ... }: { b = 1; }; }"),
        Sample::new("{ f }: f ({ a, ... }: a)"),
        Sample::noted("takes the empty set only", "{ f }: f ({ }: 1)"),
    ],
    ..RuleInfo::new("empty-pattern", Severity::Information, "a pattern without names")
};

static BIND: RuleInfo = RuleInfo {
    why: "`{ ... }@args:` takes nothing out of the set, so `args:` does as well. Not mended: the pattern refuses what \
          is no set.",
    source: "https://github.com/oppiliappan/statix (redundant_pattern_bind)",
    bad: &[Sample::new("{ ... }@args: args.a"), Sample::new("{ f }: f (args@{ ... }: args)")],
    good: &[
        Sample::new("{ a, ... }@args: args // a"),
        Sample::new("args: args.a"),
        Sample::new("{ }@args: args"),
    ],
    ..RuleInfo::new("redundant-bind", Severity::Information, "a pattern with only a name for the whole")
};

impl Rule for EmptyPattern {
    fn info(&self) -> &'static RuleInfo {
        &EMPTY
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Lambda]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Lambda { parameter, body } = tree.kind(node) else { return };
        let Parameter::Pattern { formals, ellipsis: true, whole: None, span } = tree.parameter(parameter)
        else {
            return;
        };
        // What is bound to a name or stands in a list may well be a module.
        let bound =
            file.tree.binding_of(node).is_some_and(|binding| matches!(binding.kind, BindingKind::Value { .. }));
        let parent = tree.upwards(node).skip(1).find(|node| !matches!(tree.kind(*node), Kind::Paren { .. }));
        let listed = parent.is_none_or(|parent| {
            matches!(tree.kind(parent), Kind::List { .. } | Kind::Lambda { .. } | Kind::Let { .. })
        });
        let module_like = matches!(tree.kind(tree.bare(body)), Kind::Set { .. });
        if formals.len() == 0 && !bound && !listed && !module_like {
            found.push(Hit::new(&EMPTY, span, "this pattern takes nothing out of the set").mend("write `_:`"));
        }
    }
}

impl Rule for RedundantBind {
    fn info(&self) -> &'static RuleInfo {
        &BIND
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Lambda]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Lambda { parameter, .. } = tree.kind(node) else { return };
        let Parameter::Pattern { formals, ellipsis: true, whole: Some(whole), span } =
            tree.parameter(parameter)
        else {
            return;
        };
        if formals.len() == 0 {
            let name = tree.slice(whole);
            let span = Span { start: span.start, end: span.end };
            found.push(
                Hit::new(&BIND, span, "the pattern takes nothing out of the set")
                    .subject(name)
                    .mend(format!("write `{name}:`")),
            );
        }
    }
}
