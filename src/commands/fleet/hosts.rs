//! Which hosts are meant, and making them known or leaving them out.

use super::{Desk, fail, print_json};
use crate::cli::{HostsArgs, RegisterArgs};
use crate::commands::print;
use crate::error::CommandError;
use crate::exit::ExitCode;
use crate::fleet::{Database, systems};
use crate::model::Failure;
use crate::model::text::plural;
use crate::plan;

/// The hosts that are asked for: as for a deploy, and also a name that is only
/// recorded, because a host can be gone from hosts.toml and not from history.
pub(super) async fn resolve(
    desk: &Desk,
    database: &mut Database,
    asked: &[String],
) -> Result<Vec<String>, CommandError> {
    let mut found = Vec::new();
    for word in asked {
        match plan::select(&desk.settings.hosts, std::slice::from_ref(word)) {
            Ok(hosts) => found.extend(hosts.into_iter().map(String::from)),
            Err(error) => match systems::is_recorded(database, word).await.map_err(fail)? {
                true => found.push(word.clone()),
                false => return Err(Failure::from(error).into()),
            },
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Makes hosts of hosts.toml known as systems of this flake.
pub(super) async fn register(desk: &Desk, asked: &RegisterArgs) -> Result<ExitCode, CommandError> {
    let selected = plan::select(&desk.settings.hosts, &asked.hosts.hosts).map_err(Failure::from)?;
    let mut database = desk.open().await?;
    let identity = desk.source().identity().await;
    let hosts: Vec<systems::Registration> = desk
        .settings
        .hosts
        .iter()
        .filter(|host| selected.contains(&host.name))
        .map(|host| systems::Registration {
            hostname: host.name.to_string(),
            attribute: host.attribute.clone(),
        })
        .collect();
    let environment = asked.environment.as_deref();
    let changed = systems::register(&mut database, &identity, &hosts, environment).await.map_err(fail)?;
    told(desk, &changed, "registered", asked.hosts.json)
}

/// Leaves hosts out of the questions.
pub(super) async fn retire(desk: &Desk, asked: &HostsArgs) -> Result<ExitCode, CommandError> {
    let mut database = desk.open().await?;
    let hosts = resolve(desk, &mut database, &asked.hosts).await?;
    let changed = systems::retire(&mut database, &hosts).await.map_err(fail)?;
    told(desk, &changed, "retired", asked.json)
}

fn told(desk: &Desk, hosts: &[String], what: &str, json: bool) -> Result<ExitCode, CommandError> {
    if desk.json(json) {
        return print_json(hosts.iter().map(|host| serde_json::json!({ "hostname": host, "done": what })));
    }
    desk.say(&format!("{what} {}: {}", plural(hosts.len(), "host"), hosts.join(", ")));
    print(b"")
}
