//! What cannot have been meant: flags that contradict each other, and files that
//! settings name and that are not there.

use std::path::{Path, PathBuf};

use crate::cli::DeployArgs;
use crate::model::{Failure, FailureClass, HostSpec, RunSpec, Strategy};

/// Refuses flags that contradict each other.
pub(super) fn of_flags(arguments: &DeployArgs) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(Failure::new(FailureClass::Usage, message).hint(hint));
    let rollout = &arguments.rollout;
    if rollout.reboot.is_asked() && !arguments.action.commits() {
        let hint = "a reboot enters the boot default: use --action switch or boot";
        return refuse(format!("--reboot does not go with --action {}", arguments.action), hint);
    }
    if let Some(strategy @ (Strategy::Parallel | Strategy::Rolling)) = rollout.strategy()
        && rollout.canary.is_some()
    {
        let hint = "--canary alone means --strategy canary";
        return refuse(format!("--canary does not go with --strategy {strategy}"), hint);
    }
    Ok(())
}

/// Refuses hosts whose ssh configuration is not there: ssh would read nothing, and say
/// nothing of it. Gives a warning for each key that is not there.
pub(super) fn of_files(hosts: &[HostSpec]) -> Result<Vec<String>, Failure> {
    let over_ssh = || hosts.iter().filter(|host| !host.is_local());
    for host in over_ssh() {
        if let Some(path) = host.ssh_config.as_deref().filter(|path| !path.exists()) {
            let message = format!("the ssh_config of {} is not there: {}", host.name, path.display());
            return Err(Failure::new(FailureClass::Usage, message)
                .hint("a relative path starts at the folder of hosts.toml, ~/ at your home"));
        }
    }
    let keys = over_ssh().filter_map(|host| Some((host, host.identity_file.as_deref()?)));
    let missing = keys.filter(|(_, path)| !has_key(path));
    Ok(missing
        .map(|(host, path)| format!("the identity_file of {} is not there: {}", host.name, path.display()))
        .collect())
}

/// The key itself, or its public half, by which ssh finds it in the agent. ssh puts
/// values in place of percent signs.
fn has_key(path: &Path) -> bool {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    path.exists() || PathBuf::from(public).exists() || path.to_string_lossy().contains('%')
}

/// What has no effect in this run.
pub(super) fn of_rollout(arguments: &DeployArgs, run_spec: &RunSpec) -> Option<String> {
    let soaks_in_vain =
        arguments.rollout.soak.is_some() && !run_spec.rollout.soak.is_zero() && !run_spec.soaks();
    soaks_in_vain
        .then(|| "--soak has no effect: there is one wave, and no other one waits for its end".to_owned())
}
