//! What differs between two systems, as a person reads it.

use super::Output;
use super::layout::{Line, Page};
use super::plan_view::package_lines;
use super::styles::Role;
use super::words;
use crate::model::SystemDiff;
use crate::model::text::{bytes, signed_bytes};

/// Packages that are shown; all of them with `-v`.
const PACKAGES: usize = 40;
/// Units named per kind of change.
const UNITS: usize = 20;

/// The difference, for standard output.
pub(crate) fn system_diff(diff: &SystemDiff, output: Output) -> String {
    let (_, page) = output.data();
    let packages = if output.verbosity > 0 { usize::MAX } else { PACKAGES };
    page.render_all(&lines(diff, packages, page))
}

fn lines(diff: &SystemDiff, packages: usize, page: Page) -> Vec<Line> {
    let title = Line::new()
        .with(Role::Host, diff.host.as_str())
        .with(Role::Plain, ": ")
        .with(Role::Strong, &diff.from.name)
        .with(Role::Plain, " → ")
        .with(Role::Strong, &diff.to.name);
    let mut lines = page.flow(vec![title], " ", page.width());
    if diff.from.path == diff.to.path {
        lines.push(Line::plain("They are the same system."));
        lines.extend(page.row("System", vec![Line::new().with(Role::Path, diff.to.path.as_str())]));
        return lines;
    }
    let change = |before: &Option<String>, after: &Option<String>| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        match before == after {
            true => text(after),
            false => format!("{} → {}", text(before), text(after)),
        }
    };
    lines.extend(page.row("NixOS", vec![Line::plain(&change(&diff.from.version, &diff.to.version))]));
    lines.extend(page.row("Kernel", vec![kernel(diff, &change(&diff.from.kernel, &diff.to.kernel))]));
    let size = format!(
        "{} → {} ({})",
        bytes(diff.from.size),
        bytes(diff.to.size),
        signed_bytes(diff.closure.size_difference)
    );
    lines.extend(page.row("Size", vec![Line::plain(&size)]));
    lines.extend(page.row("Units", units(diff)));
    lines.extend(page.row("Packages", vec![Line::plain(&words::closure_in_short(&diff.closure))]));
    lines.extend(package_lines(&diff.closure, packages, page));
    lines
}

fn kernel(diff: &SystemDiff, versions: &str) -> Line {
    let line = Line::plain(versions);
    match diff.reboot_parts.as_slice() {
        [] => line.with(Role::Dim, "; no reboot needed"),
        parts => line.with(Role::Warning, &format!("; a reboot brings in: {}", parts.join(", "))),
    }
}

fn units(diff: &SystemDiff) -> Vec<Line> {
    let kinds = [
        ("added", &diff.units.added, Role::Ok),
        ("removed", &diff.units.removed, Role::Warning),
        ("changed", &diff.units.changed, Role::Plain),
        ("newly wanted", &diff.units.enabled, Role::Ok),
        ("no longer wanted", &diff.units.disabled, Role::Warning),
    ];
    let named = kinds.into_iter().filter(|(_, units, _)| !units.is_empty()).map(|(kind, units, role)| {
        let names: Vec<&str> = units.iter().map(String::as_str).collect();
        Line::new().with(role, kind).with(Role::Plain, &format!(": {}", words::some_of(&names, UNITS)))
    });
    let lines: Vec<Line> = named.collect();
    if lines.is_empty() { vec![Line::plain("none differs")] } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ComparedSystem, UnitDiff};
    use crate::report::layout::page;
    use crate::report::story::{NASTY, changes, host, system};

    fn diff() -> SystemDiff {
        let compared = |name: &str, generation: u64, kernel: &str| ComparedSystem {
            name: format!("generation {generation}"),
            path: system(name),
            version: Some("25.05".to_owned()),
            kernel: Some(kernel.to_owned()),
            size: 1 << 30,
        };
        SystemDiff {
            host: host("p620"),
            from: compared("old", 41, "6.12.1"),
            to: compared("new", 42, "6.12.4"),
            closure: changes().closure.unwrap(),
            units: UnitDiff { changed: vec!["web.service".to_owned()], ..UnitDiff::default() },
            reboot_parts: vec!["kernel".to_owned()],
        }
    }

    fn shown(diff: &SystemDiff) -> String {
        page(80).render_all(&lines(diff, 2, page(80)))
    }

    #[test]
    fn a_difference_names_versions_kernel_size_units_and_packages() {
        let text = shown(&diff());
        for line in [
            "p620: generation 41 → generation 42\n",
            "NixOS         25.05\n",
            "Kernel        6.12.1 → 6.12.4; a reboot brings in: kernel\n",
            "Size          1.0 GiB → 1.0 GiB (+12.4 MiB)\n",
            "Units         changed: web.service\n",
            "    U grafana  11.2.0 → 11.3.1  +4.2 MiB\n",
            "… and 3 more (-v lists all)",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_same_system_is_said_to_be_the_same() {
        let mut diff = diff();
        diff.to.path = diff.from.path.clone();
        assert!(shown(&diff).contains("They are the same system."));
    }

    #[test]
    fn foreign_text_never_drives_the_terminal() {
        let mut diff = diff();
        diff.from.version = Some(NASTY.to_owned());
        diff.units.added = vec![NASTY.to_owned()];
        diff.reboot_parts = vec![NASTY.to_owned()];
        assert!(!shown(&diff).replace('\n', "").contains(char::is_control));
    }
}
