//! `nix-env-install`: a script that installs packages by hand.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::{NodeId, Span, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct NixEnvInstall;

static INFO: RuleInfo = RuleInfo {
    why: "What `nix-env -i` installs is in no configuration: it stays behind when the configuration changes, is not \
          updated with the host, and shadows what is. Put the package into environment.systemPackages.",
    source: "https://nix.dev/guides/faq#how-do-i-install-packages",
    bad: &[
        Sample::new("{ script = ''\n  nix-env -iA nixpkgs.hello\n''; }"),
        Sample::new("{ a = \"nix-env --upgrade\"; }"),
        Sample::new("{ pkgs, ... }: { script = \"${pkgs.nix}/bin/nix-env -f x -u\"; }"),
    ],
    good: &[
        Sample::new("{ script = \"nix-env --list-generations -p /nix/var/nix/profiles/system\"; }"),
        Sample::new("{ script = \"nix-env -p /nix/var/nix/profiles/system --set /x\"; }"),
        Sample::new("{ script = ''\n  # nix-env -iA would be wrong\n  echo\n''; }"),
        Sample::new("{ lib, ... }: { a = lib.mkOption { description = \"Do not use nix-env -i.\"; }; }"),
    ],
    ..RuleInfo::new("nix-env-install", Severity::Warning, "a script that installs with nix-env")
};

impl Rule for NixEnvInstall {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Text]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let source = file.tree.source(node);
        let mut from = 0;
        while let Some(at) = source[from..].find("nix-env").map(|at| from + at) {
            from = at + "nix-env".len();
            // The line as far as a command reaches; strings may be long.
            let before = source.get(at.saturating_sub(200)..at).unwrap_or_default();
            let commented = before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('#'));
            let after = source.get(from..).unwrap_or_default();
            let after = after.char_indices().nth(200).map_or(after, |(cut, _)| &after[..cut]);
            let command = after.split(['\n', '|', ';', '&']).next().unwrap_or_default();
            let words: Vec<&str> = command.split([' ', '\t', '"', '\'']).collect();
            let installs = words.iter().any(|word| {
                matches!(
                    *word,
                    "--install"
                        | "--upgrade"
                        | "-u"
                        | "-i"
                        | "-iA"
                        | "-iE"
                        | "-uA"
                        | "-ib"
                        | "-ir"
                        | "-irf"
                        | "-if"
                )
            });
            if installs && !commented && words.first() == Some(&"") && !file.is_example(node) {
                let start = file.tree.span(node).start + at as u32;
                let hit = Hit::new(
                    &INFO,
                    Span { start, end: start + 7 },
                    "nix-env installs what no configuration knows of",
                );
                found.push(
                    hit.subject(file.tree.bound_name(node).unwrap_or_default())
                        .mend("put the package into environment.systemPackages"),
                );
                return;
            }
        }
    }
}
