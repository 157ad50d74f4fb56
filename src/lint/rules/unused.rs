//! `unused-binding` and `unused-lambda-argument`: names that nothing uses.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::scope::DefinedBy;
use crate::lint::tree::{Kind, Parameter};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct UnusedBinding;
pub(crate) struct UnusedLambdaArgument;

static BINDING: RuleInfo = RuleInfo {
    why: "It is left over, or something else was meant where it should be used. Nix never evaluates it. Not mended: \
          what goes with it (comments, a reason) is for a person to judge. A name that begins with `_` is left alone.",
    source: "https://github.com/astro/deadnix",
    bad: &[Sample::new("let a = 1; b = 2; in a"), Sample::new("x: let inherit (x) a b; in a")],
    good: &[
        Sample::new("let a = 1; in a"),
        Sample::new("let a = 1; in { inherit a; }"),
        Sample::new("let _a = 1; in 2"),
        Sample::new("let a = { b = 1; }; in a.b"),
    ],
    ..RuleInfo::new("unused-binding", Severity::Information, "a `let` binding that nothing uses")
};

static ARGUMENT: RuleInfo = RuleInfo {
    why: "A reader looks for what it is for. Take it out of a pattern that has `...`, or begin its name with `_`. \
          Patterns without `...` are left alone, because taking a name out changes what the function accepts; so are \
          the names of overlays.",
    source: "https://github.com/astro/deadnix",
    bad: &[
        Sample::new("{ config, pkgs, lib, ... }: { a = lib.b pkgs; }"),
        Sample::new("map (x: 1) [ 1 ]"),
        Sample::noted("the name of the whole", "{ a, ... }@args: a"),
    ],
    good: &[
        Sample::new("{ pkgs, ... }: { a = pkgs; }"),
        Sample::noted("part of what the function accepts", "{ a, b }: a"),
        Sample::noted("the whole is used", "{ a, ... }@args: args"),
        Sample::new("map (_: 1) [ 1 ]"),
        Sample::noted("overlays", "[ (final: prev: { a = 1; }) (self: super: { }) ]"),
    ],
    ..RuleInfo::new("unused-lambda-argument", Severity::Information, "a function argument that nothing uses")
};

impl Rule for UnusedBinding {
    fn info(&self) -> &'static RuleInfo {
        &BINDING
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        for definition in &file.scopes.definitions {
            let name = file.tree.slice(definition.name);
            if definition.uses == 0 && matches!(definition.by, DefinedBy::Let(_)) && !name.starts_with('_') {
                let hit = Hit::new(&BINDING, definition.name, format!("`{name}` is not used"));
                found.push(hit.subject(name).mend("take it out, or begin its name with `_`"));
            }
        }
    }
}

impl Rule for UnusedLambdaArgument {
    fn info(&self) -> &'static RuleInfo {
        &ARGUMENT
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        const OVERLAY: [&str; 6] = ["final", "prev", "self", "super", "old", "finalAttrs"];
        let tree = &file.tree;
        // The name for the whole stands before the names of its pattern.
        let mut whole_used = None;
        for definition in &file.scopes.definitions {
            let name = tree.slice(definition.name);
            let unused = definition.uses == 0 && !name.starts_with('_');
            match definition.by {
                DefinedBy::Whole => {
                    whole_used = Some(definition.owner).filter(|_| definition.uses > 0);
                    if !unused {
                        continue;
                    }
                }
                DefinedBy::Argument if unused && !OVERLAY.contains(&name) => {}
                DefinedBy::Formal if unused && whole_used != Some(definition.owner) => {
                    let Kind::Lambda { parameter, .. } = tree.kind(definition.owner) else { continue };
                    if !matches!(tree.parameter(parameter), Parameter::Pattern { ellipsis: true, .. }) {
                        continue;
                    }
                }
                _ => continue,
            }
            let hit = Hit::new(&ARGUMENT, definition.name, format!("the argument `{name}` is not used"));
            found.push(hit.subject(name).mend("take it out, or begin its name with `_`"));
        }
    }
}
