//! The argv of `nix eval`, the function it applies, and its answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::StorePath;

use super::error::nearest;
use super::{EvalError, Evaluated};

/// What a configuration opens to others, as a function of Nix.
const SETTINGS: &str = include_str!("../../../templates/audit-settings.nix");
/// Stands in the trace of an error that only [`SETTINGS`] met.
pub(super) const SETTINGS_MARK: &str = "while nix-deploy reads settings for the audit";

/// Whether the settings of each host are asked for beside its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The paths alone.
    Paths,
    /// The settings that the audit judges too.
    PathsAndSettings,
}

/// What `nix eval` is asked, behind the word `eval`; the attributes are foreign text.
pub(super) fn eval_argv(flake: &str, is_local: bool, attributes: &[&str], ask: Ask) -> Vec<String> {
    let installable = format!("{}#nixosConfigurations", reference(flake, is_local));
    [
        "--json",
        "--log-format",
        "internal-json",
        // Without it Nix gives no trace at all (2.8) or the wrong end of it.
        "--show-trace",
        // It would only remember that nixosConfigurations exists, and it answers
        // a second try after a failure with "cached failure" instead of the reason.
        "--option",
        "eval-cache",
        "false",
        "--apply",
        &apply_function(attributes, ask),
        "--",
        &installable,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// How the flake is named to a Nix that runs in the flake's folder when it is
/// a local one. A reference with a scheme is passed on as it is; of a plain
/// path only its `?parameters` are left.
pub(in crate::nix) fn reference(flake: &str, is_local: bool) -> String {
    let has_scheme = flake.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
    });
    if !is_local || has_scheme {
        return flake.to_owned();
    }
    match flake.split_once('?') {
        Some((_, parameters)) => format!(".?{parameters}"),
        None => ".".to_owned(),
    }
}

/// The function that is applied to `nixosConfigurations`. It forces only the
/// wanted hosts, and a missing one is `null` instead of an error. The field
/// names must not be `drvPath` and `outPath`: Nix 2.8 prints a set with an
/// `outPath` as that path alone. Nix prints sets in the order of their names:
/// the paths are there before `settings` is forced, and an error behind its
/// mark is one of the settings alone.
fn apply_function(attributes: &[&str], ask: Ask) -> String {
    let settings = match ask {
        Ask::Paths => String::new(),
        Ask::PathsAndSettings => format!(
            "settings = builtins.addErrorContext {} \
             (let values = ({SETTINGS}) configurations.${{name}}; in builtins.deepSeq values values);",
            string_literal(SETTINGS_MARK)
        ),
    };
    let list = attributes.iter().map(|attribute| string_literal(attribute)).collect::<Vec<_>>().join(" ");
    format!(
        "configurations: let \
         plain = builtins.unsafeDiscardStringContext; \
         host = name: if configurations ? ${{name}} then let \
         toplevel = configurations.${{name}}.config.system.build.toplevel; in \
         {{ drv = plain toplevel.drvPath; out = plain toplevel.outPath; system = toplevel.system or null; {settings} }} \
         else null; in {{ \
         names = builtins.attrNames configurations; \
         hosts = builtins.listToAttrs (map (name: {{ inherit name; value = host name; }}) [ {list} ]); }}"
    )
}

/// A Nix string that evaluates to exactly this text (manual, "String literals").
pub(super) fn string_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '$' => literal.extend(['\\', character]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // No argument can hold it, and no attribute has it.
            '\0' => {}
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

/// What `nix eval` answered.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    names: Vec<String>,
    hosts: BTreeMap<String, Option<RawHost>>,
}

#[derive(Debug, Deserialize)]
struct RawHost {
    drv: StorePath,
    out: StorePath,
    system: Option<String>,
    settings: Option<serde_json::Value>,
}

/// Reads standard output; the error says what is wrong with it.
pub(super) fn parse_answer(json: &[u8]) -> Result<Answer, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

impl Answer {
    /// What was answered about an attribute.
    pub(super) fn of(&self, attribute: &str) -> Result<Evaluated, EvalError> {
        match self.hosts.get(attribute) {
            Some(Some(host)) => Ok(Evaluated {
                drv_path: host.drv.clone(),
                out_path: host.out.clone(),
                system: host.system.clone(),
                settings: host.settings.clone().map(Arc::new),
            }),
            _ => Err(EvalError::Missing {
                attribute: attribute.to_owned(),
                nearest: nearest(attribute, &self.names),
                available: self.names.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_attribute_names_stay_text() {
        assert_eq!(string_literal("p620"), "\"p620\"");
        assert_eq!(string_literal("a\"b${c}\\\n"), "\"a\\\"b\\${c}\\\\\\n\"");
        assert_eq!(string_literal("$${x}"), "\"\\$\\${x}\"");
    }

    #[test]
    fn a_local_flake_is_named_by_its_folder() {
        assert_eq!(reference("./my fleet", true), ".");
        assert_eq!(reference(".?submodules=1", true), ".?submodules=1");
        assert_eq!(reference("git+file:.?submodules=1", true), "git+file:.?submodules=1");
        assert_eq!(reference("github:owner/fleet", false), "github:owner/fleet");
    }

    #[test]
    fn the_flake_is_never_an_option() {
        let argv = eval_argv("-x", false, &["p620"], Ask::Paths);
        assert_eq!(argv[argv.len() - 2..], ["--", "-x#nixosConfigurations"]);
    }

    #[test]
    fn the_answer_has_paths_and_names_what_is_missing() {
        let system = "/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-nixos-system-alpha-25.05";
        for text in [
            include_str!("../../../tests/fixtures/nix/2.8/eval-success.json"),
            include_str!("../../../tests/fixtures/nix/2.26/eval-success.json"),
            include_str!("../../../tests/fixtures/nix/2.34/eval-success.json"),
        ] {
            let answer = parse_answer(text.as_bytes()).unwrap();
            assert_eq!(answer.of("alpha").unwrap().out_path.as_str(), system);
            let EvalError::Missing { nearest, available, .. } = answer.of("betta").unwrap_err() else {
                panic!()
            };
            assert_eq!(nearest.as_deref(), Some("beta"));
            assert!(available.contains(&"alpha".to_owned()));
        }
    }
}
