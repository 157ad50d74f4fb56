//! What a system is made of, as the machine that has it says: for comparing two
//! systems, wherever each of them is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::error::HostError;
use super::link::Link;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::text::clean_line;
use crate::model::{StorePath, UnitDiff};

const CONTENTS: &str = include_str!("../../templates/contents.sh");

/// A system's contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The NixOS version.
    pub(crate) version: Option<String>,
    /// Parts that only a reboot brings in: where they are, or what they say.
    pub(crate) parts: BTreeMap<String, String>,
    /// Digests of every unit's files: the unit's own and its drop-ins'.
    pub(crate) units: BTreeMap<String, BTreeSet<(String, String)>>,
    /// What wants each unit.
    pub(crate) wanted: BTreeMap<String, BTreeSet<String>>,
    /// Paths that are installed by name.
    pub(crate) selected: Vec<StorePath>,
    /// What `nix path-info -r -s` printed, among other lines.
    pub(crate) closure: String,
}

/// Reads a system on the host; `None` when it is not there.
pub(crate) async fn read(
    link: &Link,
    system: &StorePath,
    deadline: Duration,
) -> Result<Option<Contents>, HostError> {
    let script = Script::new(CONTENTS).set("SYSTEM", system.as_str());
    Ok(parse(link.run(&script, Privilege::Login, deadline).await?))
}

fn parse(text: String) -> Option<Contents> {
    if shell::value(&text, "missing").is_some() {
        return None;
    }
    let mut contents = Contents {
        version: shell::value(&text, "version").map(clean_line).filter(|version| !version.is_empty()),
        ..Contents::default()
    };
    for (key, value) in shell::pairs(&text) {
        match key {
            "part" => {
                if let Some((part, what)) = value.split_once('\t') {
                    contents.parts.insert(part.to_owned(), clean_line(what));
                }
            }
            "unit" => {
                if let Some((digest, file)) = value.split_once(' ') {
                    let unit = unit_of(file);
                    let files = contents.units.entry(unit).or_default();
                    files.insert((clean_line(file), digest.to_owned()));
                }
            }
            "wanted" => {
                if let Some((unit, by)) = value.split_once(' ') {
                    contents.wanted.entry(clean_line(unit)).or_default().insert(clean_line(by));
                }
            }
            "selected" => contents.selected.extend(StorePath::new(value)),
            _ => {}
        }
    }
    contents.closure = text;
    Some(contents)
}

/// The unit that a file belongs to: `web.service.d/override.conf` is of `web.service`.
fn unit_of(file: &str) -> String {
    let first = file.split('/').next().unwrap_or(file);
    clean_line(match file.contains('/') {
        true => first.strip_suffix(".d").unwrap_or(first),
        false => first,
    })
}

/// The version of a kernel as its store path says it: `6.12.1`, `zen-6.12.1`.
pub(crate) fn kernel_version(package: &StorePath) -> String {
    package.name().strip_prefix("linux-").unwrap_or(package.name()).to_owned()
}

impl Contents {
    /// The version of the kernel; `None` where the system names none.
    pub(crate) fn kernel_version(&self, system: &StorePath) -> Option<String> {
        let (package, _) = self.parts.get("kernel")?.rsplit_once('/')?;
        // A toplevel without a kernel resolves to itself.
        let package = StorePath::new(package).ok().filter(|package| package != system)?;
        Some(kernel_version(&package))
    }

    /// What becomes of units on the way to another system.
    pub(crate) fn unit_changes(&self, to: &Self) -> UnitDiff {
        let mut diff = UnitDiff::default();
        let names: BTreeSet<&String> = self.units.keys().chain(to.units.keys()).collect();
        for name in names {
            match (self.units.get(name), to.units.get(name)) {
                (None, Some(_)) => diff.added.push(name.clone()),
                (Some(_), None) => diff.removed.push(name.clone()),
                (Some(before), Some(after)) if before != after => diff.changed.push(name.clone()),
                _ => {}
            }
        }
        // Generated and aliased units have no file of their own, and are wanted all the same.
        let nowhere = BTreeSet::new();
        let names: BTreeSet<&String> = self.wanted.keys().chain(to.wanted.keys()).collect();
        for name in names {
            if diff.added.contains(name) || diff.removed.contains(name) {
                continue;
            }
            let before = self.wanted.get(name).unwrap_or(&nowhere);
            let after = to.wanted.get(name).unwrap_or(&nowhere);
            if before.difference(after).next().is_some() {
                diff.disabled.push(name.clone());
            } else if before != after {
                diff.enabled.push(name.clone());
            }
        }
        diff
    }

    /// Parts that differ and that only a reboot brings in.
    pub(crate) fn parts_that_differ(&self, to: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.parts.keys().chain(to.parts.keys()).collect();
        names.into_iter().filter(|name| self.parts.get(*name) != to.parts.get(*name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Contents {
        parse(text.to_owned()).unwrap()
    }

    #[test]
    fn units_are_compared_by_their_text_and_by_what_wants_them() {
        let before = contents(
            "unit=aa web.service\nunit=bb web.service.d/limits.conf\nunit=cc gone.service\nunit=dd same.service\n\
             unit=ee off.service\nwanted=off.service multi-user.target.wants\nwanted=same.service multi-user.target.wants\n",
        );
        let after = contents(
            "unit=aa web.service\nunit=b2 web.service.d/limits.conf\nunit=ff new.service\nunit=dd same.service\n\
             unit=ee off.service\nwanted=same.service multi-user.target.wants\nwanted=same.service timers.target.wants\n\
             wanted=new.service multi-user.target.wants\n",
        );
        let diff = before.unit_changes(&after);
        let expected = UnitDiff {
            added: vec!["new.service".to_owned()],
            removed: vec!["gone.service".to_owned()],
            changed: vec!["web.service".to_owned()],
            enabled: vec!["same.service".to_owned()],
            disabled: vec!["off.service".to_owned()],
        };
        assert_eq!(diff, expected);
        assert!(before.unit_changes(&before).is_empty());
    }

    #[test]
    fn a_template_and_its_drop_ins_are_one_unit_and_a_slice_in_a_folder_is_not_lost() {
        assert_eq!(unit_of("getty@.service.d/x.conf"), "getty@.service");
        assert_eq!(unit_of("getty@.service"), "getty@.service");
        assert_eq!(unit_of("x.d"), "x.d");
    }

    #[test]
    fn what_needs_a_reboot_is_named_and_a_system_that_is_not_there_is_none() {
        let kernel = "/nix/store/00000000000000000000000000000000-linux-6.12.1";
        let before = contents(&format!("part=kernel\t{kernel}/bzImage\npart=initrd\t/x\n"));
        let after = contents("part=kernel\t/y\npart=initrd\t/x\npart=kernel-params\tquiet\n");
        assert_eq!(before.parts_that_differ(&after), ["kernel", "kernel-params"]);
        let system = StorePath::new("/nix/store/11111111111111111111111111111111-nixos-system-p").unwrap();
        assert_eq!(before.kernel_version(&system).as_deref(), Some("6.12.1"));
        assert_eq!(contents(&format!("part=kernel\t{system}/kernel\n")).kernel_version(&system), None);
        assert_eq!(parse("missing=1\n".to_owned()), None);
    }
}
