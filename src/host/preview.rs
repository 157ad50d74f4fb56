//! What the host says about the new system before it is activated.

use super::error::HostError;
use super::link::Link;
use super::measure;
use super::session::Privilege;
use super::shell::{self, Script};
use crate::model::text::clean_line;
use crate::model::{CpuTimes, StorePath, UnitPlan};

const PREPARE: &str =
    concat!(include_str!("../../templates/measure-lib.sh"), include_str!("../../templates/prepare.sh"));
const PREVIEW: &str = include_str!("../../templates/preview.sh");

/// The host's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// The path is whole: a NixOS toplevel with its switch script.
    pub(crate) is_toplevel: bool,
    /// What the pre-switch check said when it refused.
    pub(crate) refusal: Option<Vec<String>>,
    /// The lock of switch-to-configuration is held.
    pub(crate) lock_held: bool,
    /// What would happen to units; `None` when it was not asked or not said.
    pub(crate) plan: Option<UnitPlan>,
    /// Critical services that neither the new system nor the host knows.
    pub(crate) unknown_critical: Vec<String>,
    /// Unit files of the new system, when a critical service is not known.
    pub(crate) unit_files: Vec<String>,
    /// Which of kernel, initrd, kernel-modules, kernel-params differ from those booted.
    pub(crate) reboot_reasons: Vec<String>,
    /// Sizes of the kernel and the initrd that /boot does not have yet.
    pub(crate) boot_files: Vec<u64>,
}

/// What the host is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Questions<'a> {
    /// Units that must exist.
    pub(crate) critical: &'a [String],
    /// Whether the pre-switch check agrees to a switch.
    pub(crate) check: bool,
    /// What a switch would do to units.
    pub(crate) plan_units: bool,
    /// Which files a boot loader has to bring to /boot.
    pub(crate) boot_files: bool,
}

/// The run that roots are for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RootsOf<'a> {
    pub(crate) run: &'a str,
    /// Machine, boot and process of the deployer.
    pub(crate) owner: &'a str,
}

/// Gives the new and the old system roots for the time of the run, and says the
/// processor time at this moment.
pub(crate) async fn prepare(
    link: &Link,
    roots_of: RootsOf<'_>,
    new: &StorePath,
    old: Option<&StorePath>,
    deadline: std::time::Duration,
) -> Result<Option<CpuTimes>, HostError> {
    let script = Script::new(PREPARE)
        .set("RUN", roots_of.run)
        .set("OWNER", roots_of.owner)
        .set("NEW", new.as_str())
        .set("OLD", old.map_or("", StorePath::as_str));
    link.run(&script, Privilege::Root, deadline).await.map(|text| measure::cpu_times(&text))
}

/// Validates the new system on the host and asks for its plan.
pub(crate) async fn ask(
    link: &Link,
    new: &StorePath,
    questions: Questions<'_>,
    deadline: std::time::Duration,
) -> Result<Preview, HostError> {
    let flag = |asked: bool| if asked { "1" } else { "0" };
    let script = Script::new(PREVIEW)
        .set("NEW", new.as_str())
        .set("CRITICAL", questions.critical.join(" "))
        .set("CHECK", flag(questions.check))
        .set("DRY", flag(questions.plan_units))
        .set("BOOT", flag(questions.boot_files));
    let text = link.run(&script, Privilege::Root, deadline).await?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Preview {
    let lines = |key: &str| -> Vec<String> {
        shell::pairs(text)
            .filter(|(found, line)| *found == key && !line.trim().is_empty())
            .map(|(_, line)| clean_line(line))
            .collect()
    };
    let check = lines("check");
    let dry = lines("dry");
    let lock_text = |lines: &[String]| lines.iter().any(|line| line.contains("Could not acquire lock"));
    let check_exit = shell::value(text, "check_exit");
    let dry_exit = shell::value(text, "dry_exit");
    // Systems from before the action existed answer with their usage.
    let has_no_check = check.iter().any(|line| line.to_lowercase().contains("usage"));
    let lock_held = [(check_exit, &check), (dry_exit, &dry)]
        .iter()
        .any(|(code, lines)| *code == Some("11") || (*code == Some("1") && lock_text(lines)));
    let refused = check_exit.is_some_and(|code| code != "0") && !has_no_check && !lock_held;
    Preview {
        is_toplevel: shell::value(text, "version").is_some() && shell::value(text, "executable").is_some(),
        refusal: refused.then_some(check),
        lock_held,
        plan: (dry_exit == Some("0")).then(|| UnitPlan { new: lines("new_unit"), ..unit_plan(&dry) }),
        unknown_critical: lines("unknown"),
        unit_files: lines("file"),
        reboot_reasons: lines("differs"),
        boot_files: lines("boot_file").iter().filter_map(|size| size.parse().ok()).collect(),
    }
}

/// Reads the plan of `dry-activate`; the wording is that of
/// switch-to-configuration and switch-to-configuration-ng. The lines of units
/// that the activation script itself would touch count with the others.
pub(crate) fn unit_plan(lines: &[String]) -> UnitPlan {
    let mut plan = UnitPlan::default();
    for line in lines {
        let Some((what, units)) = line.split_once(':') else { continue };
        let Some(what) = what.trim().strip_prefix("would ") else { continue };
        let list = if what.starts_with("NOT stop") || what.starts_with("NOT restart") {
            &mut plan.not_stopped
        } else if what.starts_with("stop") {
            &mut plan.stop
        } else if what.starts_with("restart") {
            &mut plan.restart
        } else if what.starts_with("reload") {
            &mut plan.reload
        } else if what.starts_with("start") {
            &mut plan.start
        } else {
            continue;
        };
        for unit in units.split(',').map(str::trim).filter(|unit| !unit.is_empty()) {
            if !list.iter().any(|known| known == unit) {
                list.push(unit.to_owned());
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_dry_activate_is_read() {
        let lines = [
            "would stop the following units: old.service",
            "would NOT stop the following changed units: getty@tty1.service, systemd-logind.service",
            "would activate the configuration...",
            "would reload the following units: nginx.service",
            "would restart the following units: a.service, b@1.service",
            "would start the following units: new.timer",
            "would restart systemd",
        ]
        .map(str::to_owned);
        let plan = unit_plan(&lines);
        assert_eq!(plan.stop, ["old.service"]);
        assert_eq!(plan.not_stopped, ["getty@tty1.service", "systemd-logind.service"]);
        assert_eq!(plan.reload, ["nginx.service"]);
        assert_eq!(plan.restart, ["a.service", "b@1.service"]);
        assert_eq!(plan.start, ["new.timer"]);
    }

    #[test]
    fn the_sizes_of_what_boot_lacks_are_read() {
        assert_eq!(
            parse("version=1\nboot_file=12000000\nboot_file=30000000\n").boot_files,
            [12_000_000, 30_000_000]
        );
        assert!(parse("version=1\nboot_file=\n").boot_files.is_empty());
    }

    #[test]
    fn a_system_without_the_check_action_is_not_refused() {
        let text =
            "version=1\nexecutable=1\ncheck_exit=1\ncheck=Usage: x [switch|boot|test]\ndry_exit=0\ndry=\n";
        let preview = parse(text);
        assert!(preview.is_toplevel && preview.refusal.is_none());
        assert_eq!(preview.plan, Some(UnitPlan::default()));
    }

    #[test]
    fn a_failed_check_refuses_and_a_held_lock_does_not() {
        let refused = parse("version=1\nexecutable=1\ncheck_exit=1\ncheck=Pre-switch check 'x' failed\n");
        assert_eq!(refused.refusal.unwrap(), ["Pre-switch check 'x' failed"]);
        let locked = parse("version=1\nexecutable=1\ncheck_exit=1\ncheck=Could not acquire lock\n");
        assert!(locked.refusal.is_none() && locked.lock_held);
        assert!(!parse("").is_toplevel);
    }
}
