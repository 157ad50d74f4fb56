//! nix-eval-jobs: evaluates many hosts in several processes with bounded
//! memory, one JSON line per host (github.com/nix-community/nix-eval-jobs).
//!
//! It only ever helps: hosts it does not answer, and all hosts when it is not
//! installed or too old for `--select`, are evaluated by `nix eval`, which also
//! explains failures.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::time::Instant;

use crate::exec::{Activity, ExecError, Stream};
use crate::model::{HostName, StorePath};
use crate::nix::Nix;
use crate::nix::activities::NixProgress;
use crate::nix::run::ProgressFn;

use super::expression::{reference, string_literal};
use super::{EvalRequest, Evaluated, in_flake};

/// The arguments; standard output is one JSON object per line.
fn jobs_argv(flake: &str, is_local: bool, attributes: &[&str], (workers, memory): (usize, u64)) -> Vec<String> {
    let hosts: String = attributes
        .iter()
        .map(|attribute| {
            let name = string_literal(attribute);
            format!("{name} = configurations.${{{name}}}.config.system.build.toplevel; ")
        })
        .collect();
    vec![
        "--workers".to_owned(),
        workers.to_string(),
        "--max-memory-size".to_owned(),
        memory.to_string(),
        "--select".to_owned(),
        format!("configurations: {{ {hosts}}}"),
        "--flake".to_owned(),
        "--".to_owned(),
        format!("{}#nixosConfigurations", reference(flake, is_local)),
    ]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawJob {
    #[serde(default)]
    attr_path: Vec<String>,
    drv_path: Option<StorePath>,
    #[serde(default)]
    outputs: BTreeMap<String, Option<StorePath>>,
    system: Option<String>,
}

/// Reads one line: the attribute and what it evaluates to; `None` for an error
/// or anything else.
fn parse_job(line: &str) -> Option<(String, Evaluated)> {
    let mut job: RawJob = serde_json::from_str(line).ok()?;
    let out_path = job.outputs.remove("out").flatten()?;
    let evaluated = Evaluated { drv_path: job.drv_path?, out_path, system: job.system, settings: None };
    Some((job.attr_path.into_iter().next()?, evaluated))
}

impl Nix {
    /// The hosts that nix-eval-jobs could evaluate; none when it is not there.
    pub(super) async fn evaluate_with_jobs(
        &self,
        request: &EvalRequest<'_>,
        ends: Instant,
        progress: ProgressFn<'_>,
    ) -> BTreeMap<HostName, Evaluated> {
        let attributes: Vec<&str> =
            request.attributes.iter().map(|(_, attribute)| attribute.as_str()).collect();
        let limits = request.chunks.workers(attributes.len());
        let expected = attributes.len() as u64;
        let mut found = BTreeMap::new();
        let command = self
            .nix_eval_jobs()
            .args(jobs_argv(request.flake, request.flake_dir.is_some(), &attributes, limits))
            .deadline(ends.saturating_duration_since(Instant::now()))
            .log_file(request.log_file);
        let observe = |stream, line: &str| {
            if stream == Stream::Stdout
                && let Some((attribute, evaluated)) = parse_job(line)
            {
                let doing = format!("evaluated {attribute}");
                found.insert(attribute, evaluated);
                progress(NixProgress { doing, done: Some(found.len() as u64), expected: Some(expected) });
            }
            Activity::Progress
        };
        match in_flake(command, request).output_with(observe).await {
            Ok(_) | Err(ExecError::NotFound { .. }) => {}
            Err(error) => tracing::debug!(%error, "nix-eval-jobs gave up"),
        }
        let by_attribute =
            |(host, attribute): &(HostName, String)| Some((host.clone(), found.get(attribute)?.clone()));
        request.attributes.iter().filter_map(by_attribute).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wanted_hosts_are_selected() {
        let argv = jobs_argv(".", true, &["p620", "a.b"], (2, 3072));
        assert_eq!(
            argv,
            [
                "--workers",
                "2",
                "--max-memory-size",
                "3072",
                "--select",
                "configurations: { \"p620\" = configurations.${\"p620\"}.config.system.build.toplevel; \
                 \"a.b\" = configurations.${\"a.b\"}.config.system.build.toplevel; }",
                "--flake",
                "--",
                ".#nixosConfigurations"
            ]
        );
    }

    #[test]
    fn jobs_are_read_and_errors_are_left_to_nix_eval() {
        let line = r#"{"attr":"\"a.b\"","attrPath":["a.b"],"drvPath":"/nix/store/0gi8y8lh5qbfbiazn2w9z2sgcyp0bppc-nixos-system-a-25.05.drv","name":"nixos-system-a-25.05","outputs":{"out":"/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-nixos-system-a-25.05"},"system":"x86_64-linux"}"#;
        let (attribute, evaluated) = parse_job(line).unwrap();
        assert_eq!(attribute, "a.b");
        assert_eq!(evaluated.system.as_deref(), Some("x86_64-linux"));
        assert!(parse_job(r#"{"attr":"x","attrPath":["x"],"error":"error: boom"}"#).is_none());
        assert!(parse_job("warning: something").is_none());
    }
}
