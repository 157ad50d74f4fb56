//! `audit`: what the new system opens that the running one does not. It reads
//! unit files and settings that the evaluation gave, and waits for nothing
//! else; what it cannot read it says, and does not guess.

use std::path::{Path, PathBuf};

use super::context::HostContext;
use super::{Done, StepResult, check, step};
use crate::check::system;
use crate::host::{Privilege, Script};
use crate::lint::audit::{self, Settings, System};
use crate::model::{BuildOn, Failure, FailureClass, Finding, Severity, StepId, StorePath};

step!(Audit, StepId::Audit);

/// Remembered settings of earlier systems beyond this many go, the oldest first.
const KEPT: usize = 200;

async fn run(context: &HostContext) -> StepResult {
    let spec = &context.run.spec;
    let new_path = context.new_system()?;
    let facts = context.facts()?;
    let old_path = facts.current_system.as_ref();
    let folder = spec.state_dir.join("audit");
    let known = old_path.and_then(|path| remembered(&folder, path));
    // Of a system that no run of ours here evaluated, the host tells what it can.
    let old_from = if known.is_some() { From::Anywhere } else { From::Host };
    let new_from = if context.host.build_on == BuildOn::Target { From::Anywhere } else { From::Here };
    let (new, old) =
        tokio::join!(system_of(context, Some(new_path), new_from), system_of(context, old_path, old_from));
    let suspected = context.new_root_services.get().map(Vec::as_slice).unwrap_or_default();
    let Some(mut new) = new else {
        // Nobody can say that the source is wrong.
        let confirmed = confirmed(suspected, &System::default());
        if !confirmed.is_empty() {
            return check::conclude(context, confirmed, "");
        }
        return Ok(Done::skipped("not audited: the new system is not in this machine's store"));
    };
    let evaluated = context.evaluated.get().and_then(|evaluated| evaluated.settings.clone());
    new.settings = evaluated.as_deref().and_then(system::settings);
    let mut old = old.unwrap_or_default();
    old.settings = known.or(old.settings);
    if let Some(value) = evaluated {
        remember(&folder, new_path, &value);
    }
    let policy = crate::check::policy(&spec.lint, Some(&context.host.lint), &spec.actor)
        .map_err(|error| Failure::from_error(FailureClass::Usage, &error))?;
    let mut findings = audit::added(context.name(), &new, &old, &policy);
    let confirmed = confirmed(suspected, &new);
    // The source says where it is; the same finding of the built system says no more.
    findings.retain(|finding| {
        finding.rule != "service-root" || !suspected.iter().any(|(unit, _)| *unit == finding.subject)
    });
    findings.extend(confirmed);
    let compared = match (&new.settings, &old.services) {
        (_, None) => "the running system could not be read",
        (None, _) => "units only",
        _ => "",
    };
    check::conclude(context, findings, compared)
}

/// Services that the source defines as root, without those that have a user in
/// the built system: new ones are critical.
fn confirmed(suspected: &[(String, Finding)], new: &System) -> Vec<Finding> {
    let has_a_user = |unit: &String| {
        let service = new.services.as_ref().and_then(|services| services.get(unit));
        service.is_some_and(|service| !service.runs_as_root())
    };
    let critical = |finding: &Finding| Finding { severity: Severity::Critical, ..finding.clone() };
    suspected.iter().filter(|(unit, _)| !has_a_user(unit)).map(|(_, finding)| critical(finding)).collect()
}

/// Where the files of a system are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// In this machine's store.
    Here,
    /// There, or else on the host.
    Anywhere,
    /// On the host, which tells more of the system that it runs; here when it does not answer.
    Host,
}

/// A system's files.
async fn system_of(context: &HostContext, path: Option<&StorePath>, from: From) -> Option<System> {
    let path = path?;
    if from == From::Host {
        let answered = ask(context, path).await;
        return if answered.is_some() { answered } else { system::read_local(path).await };
    }
    let read = system::read_local(path).await;
    if read.is_some() || from == From::Here { read } else { ask(context, path).await }
}

/// A system as its host shows it.
async fn ask(context: &HostContext, path: &StorePath) -> Option<System> {
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
    fn a_service_that_the_built_system_gives_a_user_is_no_new_root_service() {
        let finding = |unit: &str| Finding {
            rule: "service-root".to_owned(),
            severity: Severity::Warning,
            place: None,
            subject: unit.to_owned(),
            message: String::new(),
            mend: String::new(),
            source_line: String::new(),
            host: None,
            suppressed: None,
            fingerprint: String::new(),
        };
        let suspected: Vec<_> = ["a", "b", "c"].map(|name| (format!("{name}.service"), finding(name))).to_vec();
        let files = [("a", "User=a\n"), ("b", "")].map(|(name, text)| {
            (format!("systemd/system/{name}.service"), format!("[Service]\nExecStart=/x\n{text}"))
        });
        let confirmed = confirmed(&suspected, &System::of_files(&files.into_iter().collect()));
        let subjects: Vec<_> =
            confirmed.iter().map(|finding| (finding.subject.as_str(), finding.severity)).collect();
        // Of c nothing is known: the source may be right.
        assert_eq!(subjects, [("b", Severity::Critical), ("c", Severity::Critical)]);
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
