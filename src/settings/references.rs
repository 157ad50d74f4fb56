//! Checks what hosts say about each other: `depends_on`, `build_on`, and
//! labels that nobody carries.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::host_keys::HostKeys;
use super::hosts_toml::HostsToml;
use super::nearest::nearest;
use super::reader::Problems;
use super::source::Problem;
use crate::model::{BuildOn, HostName};

/// Reports references to unknown hosts and circles of dependencies.
pub(crate) fn check(hosts_toml: &HostsToml, problems: &mut Problems) {
    let before = problems.len();
    check_layer(&hosts_toml.defaults, hosts_toml, problems);
    for tag in &hosts_toml.tags {
        check_layer(&tag.keys, hosts_toml, problems);
    }
    for host in &hosts_toml.hosts {
        check_layer(&host.keys, hosts_toml, problems);
        let itself = host.name.as_ref();
        for name in host.keys.depends_on.iter().filter(|name| name.as_ref() == itself) {
            problems.push(Problem::at(name.span(), format!("`depends_on`: {itself} cannot wait for itself")));
        }
    }
    check_lint(hosts_toml, problems);
    if problems.len() == before {
        check_circles(hosts_toml, problems);
    }
}

fn check_layer(keys: &HostKeys, hosts_toml: &HostsToml, problems: &mut Problems) {
    for name in &keys.depends_on {
        check_name("depends_on", name, hosts_toml, problems);
    }
    if let Some(build_on) = &keys.build_on
        && let BuildOn::Host(name) = build_on.as_ref()
    {
        check_name("build_on", &Spanned::new(build_on.span(), name.clone()), hosts_toml, problems);
    }
}

fn check_name(key: &str, name: &Spanned<HostName>, hosts_toml: &HostsToml, problems: &mut Problems) {
    let mut hosts = hosts_toml.hosts.iter().map(|host| host.name.as_ref());
    if hosts.any(|host| host == name.as_ref()) {
        return;
    }
    let problem = Problem::at(name.span(), format!("`{key}`: no host is called {:?}", name.as_ref().as_str()));
    let known = hosts_toml.hosts.iter().map(|host| host.name.as_ref().as_str());
    let near = nearest(name.as_ref().as_str(), known);
    problems.push(match near {
        Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
        None if key == "build_on" => problem.hint("it is \"local\", \"target\" or a host of this file"),
        None => problem,
    });
}

/// Reports `[lint.hosts]` and `[lint.tags]` that speak of nobody: a rule that
/// somebody took for softened would still block.
fn check_lint(hosts_toml: &HostsToml, problems: &mut Problems) {
    for (name, _) in &hosts_toml.lint.hosts {
        check_name("lint.hosts", name, hosts_toml, problems);
    }
    let carried: BTreeSet<String> = hosts_toml.host_specs().into_iter().flat_map(|host| host.tags).collect();
    for (label, _) in &hosts_toml.lint.tags {
        if carried.contains(label.as_ref()) {
            continue;
        }
        let message = format!("`lint.tags`: no host carries the tag {:?}", label.as_ref());
        let problem = Problem::at(label.span(), message);
        let near = nearest(label.as_ref(), carried.iter().map(String::as_str));
        problems.push(match near {
            Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
            None => problem,
        });
    }
}

/// Reports each circle of dependencies once, at one host of it.
fn check_circles(hosts_toml: &HostsToml, problems: &mut Problems) {
    let dependencies: BTreeMap<HostName, Vec<HostName>> =
        hosts_toml.host_specs().into_iter().map(|host| (host.name, host.depends_on)).collect();
    let mut settled = BTreeSet::new();
    for host in &hosts_toml.hosts {
        let Some(circle) = find_circle(host.name.as_ref(), &dependencies, &mut settled) else { continue };
        let path: Vec<&str> = circle.iter().map(|name| name.as_str()).collect();
        let message = format!("`depends_on` goes in a circle: {}", path.join(" → "));
        let place = place_of(&circle, hosts_toml);
        problems.push(Problem::at(place, message).hint("\"a → b\" means that a waits for b"));
    }
}

/// Where the first host of a circle names the second; the host itself when a
/// tag or the defaults do.
fn place_of(circle: &[&HostName], hosts_toml: &HostsToml) -> Range<usize> {
    let [first, second, ..] = circle else { return 0..0 };
    let host = hosts_toml.hosts.iter().find(|host| host.name.as_ref() == *first);
    let named = host.and_then(|host| host.keys.depends_on.iter().find(|name| name.as_ref() == *second));
    named.map(Spanned::span).or_else(|| host.map(|host| host.name.span())).unwrap_or_default()
}

/// Walks the dependencies of a host depth first, without recursion. Hosts that
/// were left without finding a circle are settled and never walked again.
fn find_circle<'a>(
    start: &'a HostName,
    dependencies: &'a BTreeMap<HostName, Vec<HostName>>,
    settled: &mut BTreeSet<&'a HostName>,
) -> Option<Vec<&'a HostName>> {
    let of = |name: &HostName| dependencies.get(name).map(Vec::as_slice).unwrap_or_default().iter();
    if settled.contains(start) {
        return None;
    }
    let mut path = vec![start];
    let mut waiting = vec![of(start)];
    while let Some(next) = waiting.last_mut() {
        match next.next() {
            Some(name) if settled.contains(name) => {}
            Some(name) => {
                if let Some(position) = path.iter().position(|other| *other == name) {
                    let mut circle = path.split_off(position);
                    circle.push(name);
                    settled.extend(path.iter().chain(&circle));
                    return Some(circle);
                }
                path.push(name);
                waiting.push(of(name));
            }
            None => {
                waiting.pop();
                settled.extend(path.pop());
            }
        }
    }
    None
}

/// Labels of `[tags]` that no host carries: most likely one of the two is
/// misspelt, and the keys would silently apply to nobody.
pub(crate) fn unused_tags(hosts_toml: &HostsToml) -> Vec<String> {
    let carried: Vec<String> = hosts_toml.host_specs().into_iter().flat_map(|host| host.tags).collect();
    let unused = hosts_toml.tags.iter().map(|tag| tag.name.as_ref()).filter(|name| !carried.contains(name));
    unused
        .map(|name| match nearest(name, carried.iter().map(String::as_str)) {
            Some(near) => format!("no host carries the tag {name:?} of [tags.{name}]; did you mean {near:?}?"),
            None => format!("no host carries the tag {name:?} of [tags.{name}]"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::source::Source;
    use crate::settings::values::Anchors;

    fn parse(text: &str) -> Result<HostsToml, Vec<String>> {
        let source = Source::new("h", &format!("version = 1\n{text}"));
        HostsToml::parse(&source, Anchors { directory: Path::new("/"), home: None }).map_err(|problems| {
            let explained = problems.iter().map(|problem| source.explain(problem, "h"));
            explained.map(|failure| [vec![failure.message], failure.hints].concat().join(" | ")).collect()
        })
    }

    fn problems(text: &str) -> Vec<String> {
        parse(text).err().unwrap_or_default()
    }

    #[test]
    fn unknown_hosts_are_reported_with_the_nearest_wherever_they_are_named() {
        assert_eq!(
            problems(
                "[defaults]\nbuild_on = \"p602\"\n[tags.x]\ndepends_on = [\"zzz\"]\n\
                 [hosts.p620]\ndepends_on = [\"p510\", \"razor\"]\n[hosts.razer]\n[hosts.p510]\nbuild_on = \"q\"\n"
            ),
            [
                "h:3:12: `build_on`: no host is called \"p602\" | did you mean \"p620\"?",
                "h:5:15: `depends_on`: no host is called \"zzz\"",
                "h:7:23: `depends_on`: no host is called \"razor\" | did you mean \"razer\"?",
                "h:10:12: `build_on`: no host is called \"q\" | it is \"local\", \"target\" or a host of this file",
            ]
        );
    }

    #[test]
    fn each_circle_is_reported_once() {
        assert_eq!(
            problems(
                "[hosts.a]\ndepends_on = [\"b\"]\n[hosts.b]\ndepends_on = [\"c\"]\n\
                 [hosts.c]\ndepends_on = [\"b\"]\n[hosts.d]\ndepends_on = [\"a\"]\n[hosts.e]\ndepends_on = [\"e\"]\n"
            ),
            ["h:11:15: `depends_on`: e cannot wait for itself"],
        );
        assert_eq!(
            problems(
                "[hosts.a]\ndepends_on = [\"b\"]\n[hosts.b]\ndepends_on = [\"c\"]\n\
                 [hosts.c]\ndepends_on = [\"b\"]\n[hosts.d]\ndepends_on = [\"a\"]\n"
            ),
            ["h:5:15: `depends_on` goes in a circle: b → c → b | \"a → b\" means that a waits for b"],
        );
    }

    #[test]
    fn a_member_of_a_group_that_waits_for_it_does_not_wait_for_itself() {
        assert_eq!(
            problems("[defaults]\ndepends_on = [\"dns\"]\n[hosts.dns]\n[hosts.web]\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_tag_that_nobody_carries_is_pointed_out() {
        let file = parse("[tags.sever]\n[tags.zzz]\n[hosts.a]\ntags = [\"server\"]\n").unwrap();
        assert_eq!(
            unused_tags(&file),
            [
                "no host carries the tag \"sever\" of [tags.sever]; did you mean \"server\"?",
                "no host carries the tag \"zzz\" of [tags.zzz]",
            ]
        );
    }
}
