//! `with-top-level`: `with` over a whole file.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{Kind, Span};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct WithTopLevel;

static INFO: RuleInfo = RuleInfo {
    why: "Under `with lib;` nobody can tell where a name comes from: neither a reader nor a tool, and a misspelt name \
          is found only when it is evaluated. Name what is used (`inherit (lib) mkIf mkOption;`), or keep `with` to \
          one list.",
    source: "https://nix.dev/guides/best-practices#with-scopes",
    bad: &[
        Sample::new("{ lib, ... }: with lib; { a = mkIf true { }; }"),
        Sample::new("{ config, lib, ... }: with lib; let cfg = config.x; in { a = cfg; }"),
    ],
    good: &[
        Sample::new("{ lib, ... }: { meta = with lib; { license = licenses.mit; }; }"),
        Sample::new("{ pkgs, ... }: { a = with pkgs; [ git ]; }"),
        Sample::noted("a file that is one list", "pkgs: with pkgs; [ git ]"),
    ],
    ..RuleInfo::new("with-top-level", Severity::Information, "`with` over a whole file or module")
};

impl Rule for WithTopLevel {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let tree = &file.tree;
        let mut node = tree.bare(tree.root());
        loop {
            node = match tree.kind(node) {
                Kind::Lambda { body, .. } | Kind::Let { body, .. } | Kind::Assert { body, .. } => {
                    tree.bare(body)
                }
                Kind::With { scope, body } => {
                    if matches!(tree.kind(tree.bare(body)), Kind::List { .. }) {
                        return;
                    }
                    let start = tree.span(node).start;
                    let span = Span { start, end: tree.span(scope).end };
                    let subject: String = tree.source(scope).chars().take(80).collect();
                    let message = format!("everything in this file is under `with {subject}`");
                    found.push(
                        Hit::new(&INFO, span, message).subject(subject).mend("inherit the names that are used"),
                    );
                    return;
                }
                _ => return,
            };
        }
    }
}
