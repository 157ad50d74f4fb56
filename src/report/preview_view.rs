//! What an update would change, as a person reads it.

use super::layout::{Line, Page};
use super::plan_view::package_line;
use super::styles::Role;
use super::{Output, words};
use crate::model::text::{bytes, plural, signed_bytes};
use crate::model::{
    BuildNeeds, HostPreview, InputMove, InputRevision, PackageChange, Precision, PreviewBase, UpdatePreview,
};

/// So many packages are listed per host, and all of them with `-v`.
const PACKAGES: usize = 60;
/// So many newly available packages are named.
const NEW_PACKAGES: usize = 30;
/// Digits of a commit that are shown.
const DIGITS: usize = 12;

/// The preview, for standard output.
pub(crate) fn preview_report(preview: &UpdatePreview, output: Output) -> String {
    let (_, page) = output.data();
    page.render_all(&lines(preview, most(output.verbosity), page))
}

/// How many packages of a host are listed.
pub(super) fn most(verbosity: u8) -> usize {
    if verbosity > 0 { usize::MAX } else { PACKAGES }
}

/// The preview as lines.
pub(super) fn lines(preview: &UpdatePreview, most: usize, page: Page) -> Vec<Line> {
    let mut lines = input_lines(&preview.inputs, page);
    for host in &preview.hosts {
        lines.push(Line::new());
        lines.extend(host_lines(host, most, page));
    }
    if preview.hosts.iter().any(|host| host.packages.iter().any(|package| package.selected)) {
        lines.push(Line::new());
        lines.push(
            Line::new().with(Role::Dim, "U up, D down, C changed, A added, R removed; * installed by name"),
        );
    }
    lines
}

fn input_lines(inputs: &[InputMove], page: Page) -> Vec<Line> {
    let title = match inputs.len() {
        0 => "Every input is at its newest".to_owned(),
        count => format!("{} would move", plural(count, "input")),
    };
    let mut lines = vec![Line::new().with(Role::Strong, &title)];
    let width = inputs.iter().map(|input| Line::plain(&input.input).width()).max().unwrap_or_default().min(24);
    for input in inputs {
        let mut line = Line::plain("  ");
        line.append(page.fit(Line::new().with(Role::Host, &input.input), width).padded(width));
        line.push(Role::Plain, "  ");
        match (&input.before, &input.after) {
            (Some(before), Some(after)) => {
                line.append(revision(before));
                line.push(Role::Plain, " → ");
                line.append(revision(after));
            }
            (None, Some(after)) => {
                line.push(Role::Ok, "new ");
                line.append(revision(after));
            }
            (Some(before), None) => {
                line.push(Role::Warning, "gone ");
                line.append(revision(before));
            }
            (None, None) => {}
        }
        lines.push(page.fit(line, page.width()));
        // A link that is cut or wrapped leads nowhere.
        let link = input.compare_url.as_deref();
        lines.extend(link.map(|link| Line::plain("    ").with(Role::Path, link)));
    }
    lines
}

/// `5a3b1c2d9e8f (2025-11-20)`.
fn revision(revision: &InputRevision) -> Line {
    let name = match (&revision.revision, &revision.hash) {
        (Some(commit), _) => commit.chars().take(DIGITS).collect(),
        (None, Some(hash)) => hash.trim_start_matches("sha256-").chars().take(DIGITS).collect(),
        (None, None) => revision.url.clone(),
    };
    let mut line = Line::plain(&name);
    if let Some(date) = revision.date {
        line.push(Role::Dim, &format!(" ({})", date.strftime("%Y-%m-%d")));
    }
    line
}

fn host_lines(host: &HostPreview, most: usize, page: Page) -> Vec<Line> {
    let mut title = Line::new().with(Role::Host, host.host.as_str());
    title.push(Role::Strong, if host.is_unchanged() { " would not change" } else { " would change" });
    let base = match host.base {
        PreviewBase::Running => "what it runs",
        PreviewBase::Configuration => "its configuration as it is now",
    };
    let words = match host.precision {
        Precision::Exact => format!(" (compared with {base})"),
        Precision::Estimate => format!(" (an estimate from derivations, compared with {base})"),
    };
    title.push(Role::Dim, &words);
    let mut lines = page.flow(vec![title], " ", page.width());
    if let Some(why) = &host.unreachable {
        let why = Line::new().with(Role::Warning, "not asked what it runs: ").with(Role::Plain, why);
        lines.extend(page.row(&page.below("Host"), vec![why]));
    }
    lines.extend(package_lines(host, most, page));
    lines.extend(page.row(&page.below("Fetch"), fetch(host).into_iter().collect()));
    lines.extend(page.row(&page.below("Reboot"), vec![reboot(host)]));
    lines.extend(new_packages(host, page));
    lines.extend(page.row(&page.below("Note"), host.notes.iter().map(|note| Line::plain(note)).collect()));
    lines
}

fn package_lines(host: &HostPreview, most: usize, page: Page) -> Vec<Line> {
    let mut items: Vec<String> = words::package_counts(&host.packages, host.rebuilt.unwrap_or_default());
    if items.is_empty() {
        items.push(match host.configuration_paths {
            Some(count) if count > 0 => plural(count, "configuration path") + " changed",
            _ => "no package changed".to_owned(),
        });
    }
    if let Some(storage) = host.storage {
        items.push(signed_bytes(storage.size_difference));
    }
    let mut totals = vec![Line::plain(&items.join(", "))];
    if let Some(storage) = host.storage.filter(|storage| storage.new_paths > 0) {
        let paths = plural(storage.new_paths, "path");
        let text =
            format!("{paths} ({}) to bring to the host; old generations keep theirs", bytes(storage.new_bytes));
        totals.push(Line::plain(&text));
    }
    let mut lines = page.row_of_items(&page.below("Packages"), totals, "; ");
    let mut packages: Vec<&PackageChange> = host.packages.iter().collect();
    packages.sort_by_key(|package| (tag(&package.name).is_none(), !package.selected));
    let shown = &packages[..packages.len().min(most)];
    let longest = shown.iter().map(|package| Line::plain(&package.name).width()).max().unwrap_or(0);
    let width = longest.min(page.width() / 3);
    lines.extend(shown.iter().map(|package| package_line(package, Some(tag(&package.name)), width, page)));
    if packages.len() > shown.len() {
        let text = format!("    … and {} more (-v lists all)", packages.len() - shown.len());
        lines.push(Line::new().with(Role::Dim, &text));
    }
    lines
}

/// What is marked, because a system depends on it as a whole.
fn tag(package: &str) -> Option<&'static str> {
    match package {
        "systemd" => Some("systemd"),
        name if crate::model::package_name::is_kernel(name) => Some("kernel"),
        _ => None,
    }
}

fn fetch(host: &HostPreview) -> Option<Line> {
    let BuildNeeds { builds, fetches, download_bytes, unpacked_bytes } = host.needs?;
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    if fetches > 0 {
        let sizes = format!("{} to download, {} unpacked", bytes(download_bytes), bytes(unpacked_bytes));
        parts.push(format!("{} ({sizes})", plural(count(fetches), "path")));
    }
    if builds > 0 {
        parts.push(format!("{} to build", plural(count(builds), "derivation")));
    }
    (!parts.is_empty()).then(|| Line::plain(&parts.join(", ")))
}

fn reboot(host: &HostPreview) -> Line {
    match host.reboot_needed {
        Some(true) => {
            let reasons = host.reboot_reasons.join(", ");
            Line::new().with(Role::Warning, "needed").with(Role::Plain, &format!(": {reasons}"))
        }
        Some(false) => Line::plain("not needed"),
        None => Line::new().with(Role::Dim, "cannot be told"),
    }
}

fn new_packages(host: &HostPreview, page: Page) -> Vec<Line> {
    let Some(names) = &host.new_packages else { return Vec::new() };
    let text = match names.len() {
        0 => "no package".to_owned(),
        count => format!("{}: {}", plural(count, "package"), words::some_of(names, NEW_PACKAGES)),
    };
    page.row(&page.below("New"), vec![Line::plain(&text)])
}
