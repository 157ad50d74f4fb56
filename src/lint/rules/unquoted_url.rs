//! `unquoted-url`: an address without quotes.

use crate::lint::file::File;
use crate::lint::found::{Edit, Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{NodeId, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct UnquotedUrl;

static INFO: RuleInfo = RuleInfo {
    fixable: true,
    why: "Nix is giving up addresses without quotes (RFC 45): `x:x` is one by accident, where a function was meant. \
          Quotes give the same string.",
    source: "https://github.com/NixOS/rfcs/blob/master/rfcs/0045-deprecate-url-syntax.md",
    bad: &[Sample::new("{ inputs.a.url = github:nixos/nixpkgs; }"), Sample::new("x:x")],
    good: &[Sample::new("{ inputs.a.url = \"github:nixos/nixpkgs\"; }"), Sample::new("x: x")],
    ..RuleInfo::new("unquoted-url", Severity::Warning, "an address without quotes")
};

impl Rule for UnquotedUrl {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Uri]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let span = file.tree.span(node);
        let url = file.tree.source(node);
        found.push(
            Hit::new(&INFO, span, "this address has no quotes")
                .subject(url.chars().take(120).collect::<String>())
                .mend("put it in quotes")
                .edits(vec![Edit::new(span, format!("\"{url}\""))]),
        );
    }
}
