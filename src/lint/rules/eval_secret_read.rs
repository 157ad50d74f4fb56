//! `eval-secret-read`: a secret that evaluation reads, and so copies.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::secret_words::speaks_of_secret;
use crate::lint::tree::{Kind, NodeId, Part, Tag};
use crate::lint::{RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct EvalSecretRead;

static INFO: RuleInfo = RuleInfo {
    why: "What evaluation reads becomes part of the configuration: it lands in the world-readable store, in \
          derivations and in caches. A path under /run/secrets or /run/agenix does not even exist where the \
          configuration is evaluated. Pass the path, and let the service read it.",
    source: "https://github.com/ryantm/agenix#builtinsreadfile-anti-pattern",
    bad: &[
        Sample::new("{ config, ... }: { a = builtins.readFile config.age.secrets.db.path; }"),
        Sample::new("{ lib, ... }: { a = lib.fileContents \"/run/secrets/db\"; }"),
        Sample::new("{ config, ... }: { a = builtins.readFile \"${config.sops.secrets.db.path}\"; }"),
        Sample::noted(
            "a warning",
            "{ lib, ... }: { a = lib.importJSON ./secrets/wifi.json; b = builtins.readFile ./db-password.txt; }",
        ),
    ],
    good: &[
        Sample::new("{ a = builtins.readFile ./id_ed25519.pub; b = builtins.readFile ./which-key.lua; }"),
        Sample::new(
            "{ a = builtins.readFile ./keymap.json; b = builtins.readFile ./keybindings.toml; c = builtins.readFile ./tokenizer.json; }",
        ),
        Sample::noted("ciphertext", "{ a = builtins.readFile ./secrets/db.age; }"),
        Sample::new("{ config, ... }: { passwordFile = config.age.secrets.db.path; }"),
        Sample::noted("the service reads it", "{ script = \"cat /run/secrets/db\"; }"),
    ],
    ..RuleInfo::new("eval-secret-read", Severity::Critical, "a secret that is read while evaluating")
};

const READERS: [&str; 5] = ["readFile", "fileContents", "importJSON", "importTOML", "importYAML"];

impl Rule for EvalSecretRead {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn tags(&self) -> &'static [Tag] {
        &[Tag::Apply]
    }

    fn node(&self, file: &File<'_>, node: NodeId, found: &mut Found<'_>) {
        let tree = &file.tree;
        let Kind::Apply { function, argument } = tree.kind(node) else { return };
        let Some(reader) = tree.called(function).filter(|name| READERS.contains(name)) else { return };
        let argument = tree.bare(argument);
        let hit = if is_runtime(file, argument) {
            Hit::new(
                &INFO,
                tree.span(node),
                format!("`{reader}` reads a secret of the running host while evaluating"),
            )
        } else if speaks_of_secret(literal(file, argument)) && !file.is_example(node) {
            Hit::new(
                &INFO,
                tree.span(node),
                format!("`{reader}` copies what is called a secret into the store"),
            )
            .severity(Severity::Warning)
        } else {
            return;
        };
        let subject: String = tree.source(argument).chars().take(120).collect();
        found.push(
            hit.subject(subject).mend("pass the path to the service, and let it read the file when it runs"),
        );
    }
}

/// The path that is written, without what is worked out.
fn literal<'t>(file: &File<'t>, argument: NodeId) -> &'t str {
    match file.tree.kind(argument) {
        Kind::Path { .. } | Kind::Text { .. } => file.tree.source(argument),
        Kind::Binary { left, right, .. } => {
            let right = file.tree.bare(right);
            match file.tree.kind(right) {
                Kind::Text { .. } | Kind::Path { .. } => file.tree.source(right),
                _ => literal(file, file.tree.bare(left)),
            }
        }
        _ => "",
    }
}

/// A path that only the running host has.
fn is_runtime(file: &File<'_>, argument: NodeId) -> bool {
    let tree = &file.tree;
    let by_option = |node: NodeId| {
        let names = tree.dotted(node);
        names.last() == Some(&"path")
            && names.windows(2).any(|two| matches!(two, ["age", "secrets"] | ["sops", "secrets" | "templates"]))
    };
    match tree.kind(argument) {
        Kind::Path { .. } => is_run_path(tree.source(argument)),
        Kind::Text { .. } => {
            let parts = tree.text_parts(argument);
            matches!(parts.first(), Some(Part::Text(text)) if is_run_path(text))
                || parts.iter().any(|part| matches!(part, Part::Interpolated(inner) if by_option(*inner)))
        }
        Kind::Select { .. } => by_option(argument),
        _ => false,
    }
}

fn is_run_path(text: &str) -> bool {
    ["/run/secrets", "/run/agenix", "/run/keys", "/run/credentials"].iter().any(|path| text.starts_with(path))
}
