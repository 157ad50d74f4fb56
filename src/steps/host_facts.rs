//! `host facts`: what the host is and runs, in one round trip, and whether it
//! is fit to be deployed.

use super::context::HostContext;
use super::recover::connection;
use super::{Done, StepResult, step, sudo};
use crate::event::Event;
use crate::host::facts;
use crate::model::{ElevationFact, Failure, FailureClass, HostFacts, StepId};

step!(HostFactsStep, StepId::HostFacts);

async fn run(context: &HostContext) -> StepResult {
    connection::connect(context).await.map_err(|failure| over_jump(context, failure))?;
    let facts = collect(context, StepId::HostFacts).await?;
    fit(context, &facts)?;
    same_machine(context, &facts)?;
    one_name(context, &facts)?;
    if let Some(system) = &facts.current_system {
        super::build::remember_seen(&context.run, context.name(), system);
    }
    let broken = facts.broken_before().len();
    let generation = facts.generation.map_or_else(String::new, |number| format!("generation {number}"));
    context.send(Event::Facts { host: context.name().clone(), facts: Box::new(facts.clone()) });
    context.set_facts(facts);
    if broken > 0 {
        let units = crate::model::text::plural(broken, "unit");
        return Ok(Done::passed(format!("{generation}, {units} had failed before")));
    }
    Ok(Done::passed(generation))
}

/// What ssh says of a host behind another one does not tell which of them it is.
fn over_jump(context: &HostContext, mut failure: Failure) -> Failure {
    if let Some(jump) = context.host.jump.as_ref().filter(|_| failure.unreached) {
        failure.hints.insert(0, format!("the way leads over {jump}: does a login there work from here?"));
    }
    failure
}

/// Collects the facts for a step, with a sudo password where one is needed. The first
/// time a host that does not answer is told as it is; later it did answer once.
pub(super) async fn collect(context: &HostContext, step: StepId) -> Result<HostFacts, Failure> {
    let ask = || facts::collect(&context.link, &context.host);
    let answer = match context.facts_if_known() {
        Some(_) => connection::persist(context, step, ask).await?,
        None => ask().await,
    };
    let facts = answer.map_err(|error| error.failure())?;
    if facts.elevation != ElevationFact::SudoPassword {
        return Ok(facts);
    }
    sudo::collect(context, &facts).await
}

/// Whether the host can be deployed at all.
fn fit(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    let name = context.name();
    let unfit = |message: String| Failure::new(FailureClass::Unfit, message);
    if facts.elevation == ElevationFact::Impossible {
        return Err(unfit(format!("user {} cannot become root on {name}", facts.user))
            .hint(
                "log in as root (`user = \"root\"`), or give the user a sudo, doas or polkit rule on the host",
            )
            .hint("the README, \"Users and sudo\", shows the NixOS settings"));
    }
    if !facts.systemd {
        return Err(
            unfit(format!("{name} does not run systemd as PID 1")).hint("nix-deploy needs a booted NixOS host")
        );
    }
    if facts.current_system.is_none() {
        return Err(unfit(format!("{name} runs no NixOS system: /run/current-system is not there"))
            .hint("a first system is installed with nixos-install or nixos-anywhere; nix-deploy takes over from there"));
    }
    Ok(())
}

/// Refuses a machine that another host of this run is already: each would deploy its own
/// system to it. Clones share the machine's id, and not that of the boot.
fn one_name(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    let key = (facts.machine_id.clone(), facts.boot_id.clone());
    // What is kept is whole at any moment, so a panic elsewhere takes nothing from it.
    let mut machines = context.run.machines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let first = machines.entry(key).or_insert_with(|| context.name().clone());
    if *first == *context.name() {
        return Ok(());
    }
    Err(Failure::new(FailureClass::Unfit, format!("{} is the same machine as {first}", context.name()))
        .cause(format!("both have the machine-id {} and the same boot", facts.machine_id))
        .hint("check `address` of both in hosts.toml: a machine has one system, and one host there"))
}

/// Refuses a host that answers under a known name but is another machine.
fn same_machine(context: &HostContext, facts: &HostFacts) -> Result<(), Failure> {
    let folder = context.run.spec.state_dir.join("hosts");
    let file = folder.join(format!("{}.machine-id", context.name()));
    match std::fs::read_to_string(&file) {
        Ok(known) if known.trim() == facts.machine_id => Ok(()),
        Ok(known) if !known.trim().is_empty() => {
            Err(Failure::new(FailureClass::Unfit, format!("{} is another machine than before", context.name()))
                .cause(format!("its machine-id is {}, the one on record is {}", facts.machine_id, known.trim()))
                .hint("check `address` of this host in hosts.toml: another host may have taken it")
                .hint(format!("if the machine was installed anew, remove {} and run again", file.display())))
        }
        // There is none yet, or it is about to be written, or a full disk has emptied it.
        Ok(_) | Err(_) => {
            let kept = std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(&file, format!("{}\n", facts.machine_id)));
            if let Err(error) = kept {
                context.warn(format!("the machine-id cannot be kept in {}: {error}", file.display()), None);
            }
            Ok(())
        }
    }
}
