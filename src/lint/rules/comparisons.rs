//! `bool-comparison`: comparing with `true` or `false`.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{Kind, NodeId, Operator, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct BoolComparison;

static INFO: RuleInfo = RuleInfo {
    why: "`x == true` is `x`, and `x == false` is `!x`, when `x` is true or false. Not mended: for any other value the \
          comparison is false, and the short form is an error.",
    source: "https://github.com/oppiliappan/statix (bool_comparison)",
    bad: &[Sample::new("x: if x == true then 1 else 2"), Sample::new("x: false != x")],
    good: &[Sample::new("x: if x then 1 else 2"), Sample::new("x: x == null"), Sample::new("x: x ? true")],
    ..RuleInfo::new("bool-comparison", Severity::Information, "a comparison with true or false")
};

impl Rule for BoolComparison {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Binary]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let Kind::Binary { operator: operator @ (Operator::Equal | Operator::NotEqual), left, right } =
            file.tree.kind(node)
        else {
            return;
        };
        let (literal, other) = match (file.tree.boolean(left), file.tree.boolean(right)) {
            (None, Some(literal)) => (literal, left),
            (Some(literal), None) => (literal, right),
            _ => return,
        };
        let negated = literal == (operator == Operator::NotEqual);
        let text = file.tree.source(other);
        let short: String = if text.len() <= 60 { text.to_owned() } else { "…".to_owned() };
        let mend = if negated { format!("write `!{short}`") } else { format!("write `{short}`") };
        found.push(Hit::new(&INFO, file.tree.span(node), format!("compares with `{literal}`")).mend(mend));
    }
}
