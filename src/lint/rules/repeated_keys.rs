//! `repeated-keys`: the same beginning of a path again and again.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::names::NameMap;
use crate::lint::rule::Rule;
use crate::lint::tree::{BindingKind, Kind, NodeId, Span, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct RepeatedKeys;

static INFO: RuleInfo = RuleInfo {
    on: false,
    why: "Three or more paths that begin alike could be one set. Many prefer the flat form, because it can be searched \
          and moved line by line: so it is off unless settings switch it on.",
    source: "https://github.com/oppiliappan/statix (repeated_keys)",
    bad: &[Sample::new("{ a.b = 1; a.c = 2; a.d = 3; }")],
    good: &[Sample::new("{ a.b = 1; a.c = 2; }"), Sample::new("{ a = { b = 1; c = 2; d = 3; }; }")],
    ..RuleInfo::new("repeated-keys", Severity::Information, "three or more paths that begin alike in one set")
};

impl Rule for RepeatedKeys {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Set]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Set { bindings, .. } = tree.kind(node) else { return };
        if bindings.len() < 3 {
            return;
        }
        let mut counts: NameMap<'_, (u32, Span)> = NameMap::default();
        for binding in tree.bindings(bindings) {
            let BindingKind::Value { path, .. } = binding.kind else { continue };
            let [first, _, ..] = tree.attrs(path) else { continue };
            let Some(name) = tree.name(first) else { continue };
            let (count, span) = counts.entry(name).or_insert((0, first.span));
            *count += 1;
            if *count == 3 {
                let message = format!("`{name}.` begins three paths of this set or more");
                found.push(
                    Hit::new(&INFO, *span, message).subject(name).mend(format!("write `{name} = {{ … }};`")),
                );
            }
        }
    }
}
