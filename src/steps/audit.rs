//! `audit`: what the new system opens that the running one does not. It reads
//! unit files and settings that the evaluation gave, and waits for nothing
//! else; what it cannot read it says, and does not guess.

use std::path::{Path, PathBuf};

use super::context::HostContext;
use super::{Done, StepResult, check, step};
use crate::check::system;
use crate::host::{Privilege, Script};
use crate::lint::audit::{self, Settings, System};
use crate::model::{BuildOn, Failure, FailureClass, StepId, StorePath};

step!(Audit, StepId::Audit);

/// Remembered settings of earlier systems beyond this many go, the oldest first.
const KEPT: usize = 200;

async fn run(context: &HostContext) -> StepResult {
    let spec = &context.run.spec;
    let new_path = context.new_system()?;
    let facts = context.facts()?;
    let old_path = facts.current_system.as_ref();
    let (new, old) = tokio::join!(
        system_of(context, Some(new_path), context.host.build_on == BuildOn::Target),
        system_of(context, old_path, true)
    );
    let Some(mut new) = new else {
        return Ok(Done::skipped("not audited: the new system is not in this machine's store"));
    };
    let evaluated = context.evaluated.get().and_then(|evaluated| evaluated.settings.clone());
    new.settings = evaluated.as_deref().and_then(system::settings);
    let folder = spec.state_dir.join("audit");
    let mut old = old.unwrap_or_default();
    old.settings = old_path.and_then(|path| remembered(&folder, path));
    if let Some(value) = evaluated {
        remember(&folder, new_path, &value);
    }
    let policy = crate::check::policy(&spec.lint, Some(&context.host.lint), &spec.actor)
        .map_err(|error| Failure::from_error(FailureClass::Usage, &error))?;
    let findings = audit::added(context.name(), &new, &old, &policy);
    let compared = match (&new.settings, &old.services) {
        (_, None) => "the running system could not be read",
        (None, _) => "units only",
        _ => "",
    };
    check::conclude(context, findings, compared)
}

/// A system's files, from our store or else over the host.
async fn system_of(context: &HostContext, path: Option<&StorePath>, on_host: bool) -> Option<System> {
    let path = path?;
    if let Some(system) = system::read_local(path).await {
        return Some(system);
    }
    if !on_host {
        return None;
    }
    let script = Script::new(system::SCRIPT).set("SYSTEM", path.as_str());
    let answer = context.link.run(&script, Privilege::Login, context.command_deadline()).await;
    let answer = answer.inspect_err(|error| tracing::debug!(%error, "unit files of the host")).ok()?;
    system::read_answer(&answer)
}

/// Settings of a system that an earlier run of ours audited.
fn remembered(folder: &Path, system: &StorePath) -> Option<Settings> {
    let text = std::fs::read_to_string(file_of(folder, system)).ok()?;
    serde_json::from_str(&text).ok()
}

/// Keeps the settings of a system for the next deploy. Best effort: without
/// them the next audit knows less about the old system, and says less.
fn remember(folder: &Path, system: &StorePath, settings: &serde_json::Value) {
    let kept = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file_of(folder, system), settings.to_string()));
    if let Err(error) = kept {
        tracing::debug!(%error, "the settings of the audit are not remembered");
        return;
    }
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    files.sort();
    for (_, file) in files.iter().rev().skip(KEPT) {
        let _ = std::fs::remove_file(file);
    }
}

fn file_of(folder: &Path, system: &StorePath) -> PathBuf {
    let name = Path::new(system.as_str()).file_name().unwrap_or_default();
    let mut name = name.to_owned();
    name.push(".json");
    folder.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(letter: char) -> StorePath {
        let hash: String = std::iter::repeat_n(letter, 32).collect();
        StorePath::new(format!("/nix/store/{hash}-nixos-system-p620-24.11")).unwrap()
    }

    #[test]
    fn settings_are_remembered_by_system() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("audit");
        assert_eq!(remembered(&below, &path('a')), None);
        remember(&below, &path('a'), &serde_json::json!({ "setuid": ["sudo"], "later": 1 }));
        assert_eq!(remembered(&below, &path('a')).unwrap().setuid.unwrap(), ["sudo"]);
        assert_eq!(remembered(&below, &path('b')), None);
        // The version at the end of the name is no extension that may be replaced.
        remember(&below, &path('b'), &serde_json::json!({}));
        assert_eq!(std::fs::read_dir(&below).unwrap().count(), 2);
    }
}
