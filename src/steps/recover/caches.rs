//! Binary caches that do not answer are done without: those of hosts.toml before
//! the build, any other when a build failed for want of it.

use super::super::context::RunContext;
use super::tell;
use crate::model::text::clean_line;
use crate::model::{HostName, Recovery, RecoveryKind, StepId};
use crate::nix::Caches;

/// The caches of hosts.toml that answer, asked once in a run.
pub(in crate::steps) async fn usable(run: &RunContext) -> &Caches {
    run.caches
        .get_or_init(|| async {
            let caches = Caches::probe(&run.spec.substituters).await;
            let hosts: Vec<HostName> = run.spec.hosts.iter().map(|host| host.name.clone()).collect();
            tell_dead(run, &hosts, &caches);
            caches
        })
        .await
}

/// The settings for a build without the caches that are gone: all that Nix and
/// hosts.toml name are asked once more.
pub(super) async fn without_the_dead(
    run: &RunContext,
    hosts: &[HostName],
    said: &str,
    downloads: &[String],
) -> Vec<(String, String)> {
    let mut all = run.nix.configured_caches().await;
    for cache in &usable(run).await.alive {
        all.retain(|other| other.url != cache.url);
        all.push(cache.clone());
    }
    let mut caches = Caches::probe(&all).await;
    downloads.iter().for_each(|download| caches.bury(download));
    if caches.dead.is_empty() {
        let result = "built without what it could not deliver".to_owned();
        tell(
            run,
            hosts,
            StepId::Build,
            Recovery::helped(RecoveryKind::LeaveOutCache, clean_line(said), result),
        );
    }
    tell_dead(run, hosts, &caches);
    caches.options_alone()
}

fn tell_dead(run: &RunContext, hosts: &[HostName], caches: &Caches) {
    for (url, why) in &caches.dead {
        let why = format!("the binary cache {url} cannot be used ({why})");
        let recovery = Recovery::helped(RecoveryKind::LeaveOutCache, why, "built without it");
        tell(run, hosts, StepId::Build, recovery);
    }
}
