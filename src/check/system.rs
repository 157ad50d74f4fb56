//! Reads the files of a built system that the evaluated layer judges: from this
//! machine's store, or from the text that a host answered with. A host also
//! tells of the system that it runs what no file of it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::lint::audit::{Settings, System};
use crate::model::StorePath;

/// Prints the files of a system, each line behind its path.
pub(crate) const SCRIPT: &str = include_str!("../../templates/audit-files.sh");
/// The only file beside unit files that is read.
const SSHD: &str = "ssh/sshd_config";
/// No unit file is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a system in this machine's store says; `None` when it is not there.
pub(crate) async fn read_local(system: &StorePath) -> Option<System> {
    let etc = PathBuf::from(system.as_str()).join("etc");
    let reading = tokio::task::spawn_blocking(move || files_below(&etc));
    let files = reading.await.ok().flatten()?;
    Some(System::of_files(&files))
}

/// What a host answered to [`SCRIPT`]; `None` when it answered with nothing.
pub(crate) fn read_answer(answer: &str) -> Option<System> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let (mut setuid, mut filter): (Option<Vec<String>>, Option<String>) = (None, None);
    for line in answer.lines() {
        if let Some(program) = line.strip_prefix("setuid:") {
            let programs = setuid.get_or_insert_default();
            programs.extend((!program.is_empty()).then(|| program.to_owned()));
            continue;
        }
        if let Some(rule) = line.strip_prefix("filter:") {
            let rules = filter.get_or_insert_default();
            rules.push_str(rule);
            rules.push('\n');
            continue;
        }
        let ends = [".service:", ".conf:", "sshd_config:"];
        let Some(end) = ends.iter().filter_map(|end| Some(line.find(end)? + end.len())).min() else { continue };
        let text = files.entry(line[..end - 1].to_owned()).or_default();
        text.push_str(&line[end..]);
        text.push('\n');
    }
    (!files.is_empty()).then(|| System::of_files(&files).running(setuid, filter.as_deref()))
}

/// Settings as `nix eval` gave them; `None` when they have another shape.
pub(crate) fn settings(value: &serde_json::Value) -> Option<Settings> {
    serde_json::from_value(value.clone())
        .inspect_err(|error| tracing::debug!(%error, "settings for the audit"))
        .ok()
}

/// The unit files and sshd_config below a system's `etc`.
fn files_below(etc: &Path) -> Option<BTreeMap<String, String>> {
    let units = etc.join("systemd/system");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&units).ok()?.filter_map(Result::ok) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.ends_with(".service") {
            files.insert(format!("systemd/system/{name}"), read(&entry.path()));
        } else if name.ends_with(".service.d") {
            let drop_ins = std::fs::read_dir(entry.path()).into_iter().flatten().filter_map(Result::ok);
            for drop_in in drop_ins {
                let Ok(file) = drop_in.file_name().into_string() else { continue };
                if file.ends_with(".conf") {
                    files.insert(format!("systemd/system/{name}/{file}"), read(&drop_in.path()));
                }
            }
        }
    }
    let sshd = read(&etc.join(SSHD));
    if !sshd.is_empty() {
        files.insert(SSHD.to_owned(), sshd);
    }
    Some(files)
}

/// The text of a small file; nothing for what is none, as a masked unit.
fn read(path: &Path) -> String {
    let is_small = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    let bytes = if is_small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Script, Session};

    /// A system's folder with units, a drop-in, a masked unit and sshd_config.
    fn system() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join("etc").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("systemd/system/web@.service", "[Service]\nExecStart=/web: a\n");
        write("systemd/system/web@.service.d/overrides.conf", "[Service]\nUser=web\n");
        write("systemd/system/web.socket", "[Socket]\n");
        write("systemd/system/x.wants/web@.service", "no");
        write("ssh/sshd_config", "PasswordAuthentication no\n");
        std::os::unix::fs::symlink("/dev/null", folder.path().join("etc/systemd/system/masked.service"))
            .unwrap();
        folder
    }

    #[tokio::test]
    async fn a_system_reads_the_same_from_the_store_and_over_the_host() {
        let folder = system();
        let local = System::of_files(&files_below(&folder.path().join("etc")).unwrap());
        let script = Script::new(SCRIPT).set("SYSTEM", folder.path().to_str().unwrap());
        let answer = Session::local().run(&script, None, std::time::Duration::from_secs(10)).await.unwrap();
        let mut answered = read_answer(&answer).unwrap();
        let web = &local.services.as_ref().unwrap()["web@.service"];
        assert_eq!((web.value("User"), web.value("ExecStart")), (Some("web"), Some("/web: a")));
        assert_eq!(local.sshd.as_ref().unwrap().passwords, Some(false));
        // An empty file has no line to answer with; it has nothing to say either.
        answered.services.as_mut().unwrap().entry("masked.service".to_owned()).or_default();
        assert_eq!(answered, local);
    }

    #[test]
    fn a_running_system_tells_of_set_uid_programs_and_its_firewall() {
        let answer = "systemd/system/a.service:[Service]\nsetuid:\nsetuid:sudo\nfilter:\nfilter:unit firewall\n\
                      filter:ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept # a.service:\n";
        let settings = read_answer(answer).unwrap().settings.unwrap();
        assert_eq!(settings.setuid.unwrap(), ["sudo"]);
        assert_eq!(settings.firewall.unwrap().tcp, [22]);
        let bare = read_answer("systemd/system/a.service:[Service]\n").unwrap();
        assert_eq!(bare.settings, None);
    }

    #[tokio::test]
    async fn a_system_that_is_not_there_is_unknown() {
        let nowhere = StorePath::new("/nix/store/0c4xl7s9v1g2n1v5j1j8a6q0bqf6jj7a-nixos-system-x").unwrap();
        assert_eq!(read_local(&nowhere).await, None);
        assert_eq!(read_answer(""), None);
    }
}
