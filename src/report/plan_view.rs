//! What a deploy would change, shown before it does.
//!
//! Owns the plans of all hosts until they are shown: before the question, or,
//! where nobody is asked, before a wave or a host is activated. Each plan is shown
//! once; hosts with the same plan share it.

use super::layout::{Line, Page};
use super::styles::Role;
use super::words;
use crate::event::Event;
use crate::model::text::{bytes, plural, signed_bytes};
use crate::model::{
    Changes, ClosureDiff, HostName, HostOutcome, PackageChange, PackageChangeKind, StepId, Target, UnitPlan,
};

/// Hosts named above a plan that they share.
const HOSTS: usize = 12;
/// Changed files named in a plan.
const FILES: usize = 6;
/// Units named per kind of change.
const UNITS: usize = 10;

/// What is planned for one host.
#[derive(Clone, Debug)]
struct HostPlan {
    host: HostName,
    changes: Option<Changes>,
    units: Option<UnitPlan>,
    target: Option<Target>,
    shown: bool,
}

impl HostPlan {
    /// A host that has what it should go back to has no plan.
    fn says_something(&self) -> bool {
        self.changes.is_some() || self.units.is_some()
    }
}

/// The plans of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Plans {
    plans: Vec<HostPlan>,
}

impl Plans {
    /// Takes what an event says of plans and returns the hosts' plans that are
    /// to be shown now.
    pub(super) fn take(&mut self, event: &Event, detail: Detail, page: Page) -> Vec<Line> {
        match event {
            // Hosts that share a plan stand in the order of the command line.
            Event::RunStarted { hosts, .. } => hosts.iter().for_each(|host| {
                self.of(host);
            }),
            Event::Changes { host, changes } => self.of(host).changes = Some((**changes).clone()),
            Event::Target { host, target } => self.of(host).target = Some((**target).clone()),
            Event::UnitPlan { host, plan } => self.of(host).units = Some(plan.clone()),
            Event::Asked { .. } | Event::Answered { .. } => return self.show(detail, page, |_| true),
            Event::StepStarted { host, step: StepId::Activate } => {
                return self.show(detail, page, |plan| plan.host == *host);
            }
            Event::WaveStarted { hosts, .. } => {
                return self.show(detail, page, |plan| plan.units.is_some() && hosts.contains(&plan.host));
            }
            Event::HostFinished { host, report } => {
                let previewed = report.outcome == HostOutcome::Previewed;
                return self.show(detail, page, |plan| previewed && plan.host == *host);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Shows all plans that were not shown yet.
    pub(super) fn show_all(&mut self, detail: Detail, page: Page) -> Vec<Line> {
        self.show(detail, page, |_| true)
    }

    fn of(&mut self, host: &HostName) -> &mut HostPlan {
        let index = self.plans.iter().position(|plan| plan.host == *host).unwrap_or(self.plans.len());
        if index == self.plans.len() {
            self.plans.push(HostPlan {
                host: host.clone(),
                changes: None,
                units: None,
                target: None,
                shown: false,
            });
        }
        &mut self.plans[index]
    }

    fn show(&mut self, detail: Detail, page: Page, wanted: impl Fn(&HostPlan) -> bool) -> Vec<Line> {
        let mut groups: Vec<(Vec<HostName>, &HostPlan)> = Vec::new();
        for plan in self.plans.iter().filter(|plan| plan.says_something() && !plan.shown && wanted(plan)) {
            let same = |other: &HostPlan| {
                other.changes == plan.changes && other.units == plan.units && other.target == plan.target
            };
            match groups.iter_mut().find(|(_, other)| same(other)) {
                Some((hosts, _)) => hosts.push(plan.host.clone()),
                None => groups.push((vec![plan.host.clone()], plan)),
            }
        }
        let packages = detail.packages(groups.len());
        let mut lines = Vec::new();
        for (hosts, plan) in &groups {
            if !lines.is_empty() {
                lines.push(Line::new());
            }
            lines.extend(plan_lines(hosts, plan, packages, page));
        }
        let shown: Vec<HostName> = groups.into_iter().flat_map(|(hosts, _)| hosts).collect();
        for plan in self.plans.iter_mut().filter(|plan| shown.contains(&plan.host)) {
            plan.shown = true;
        }
        lines
    }
}

/// How much of the plans is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// The totals and few packages, for a log.
    Compact,
    /// As much as a person reads before an answer.
    Normal,
    /// Everything (`-v`).
    Full,
}

impl Detail {
    /// How many packages are listed per host.
    fn packages(self, hosts: usize) -> usize {
        match (self, hosts) {
            (Self::Full, _) => usize::MAX,
            (Self::Compact, _) => 5,
            (Self::Normal, 0..=1) => 20,
            (Self::Normal, 2..=4) => 8,
            (Self::Normal, _) => 3,
        }
    }
}

/// The lines of a plan that several hosts may share.
fn plan_lines(hosts: &[HostName], plan: &HostPlan, packages: usize, page: Page) -> Vec<Line> {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    let title =
        Line::new().with(Role::Host, &words::some_of(&names, HOSTS)).with(Role::Strong, " would change");
    let mut lines = page.flow(vec![title], " ", page.width());
    if let Some(target) = &plan.target {
        lines.extend(page.row(&page.below("Back to"), vec![Line::plain(&words::target(target))]));
    }
    if let Some(changes) = &plan.changes {
        if let Some(closure) = &changes.closure {
            lines.extend(package_rows(closure, packages, page));
        }
        if let Some(files) = changes.files.as_ref().filter(|files| !files.is_empty()) {
            let text = words::some_of(files, FILES);
            lines.extend(page.row(&page.below("Files"), vec![Line::new().with(Role::Path, &text)]));
        }
    }
    if let Some(units) = &plan.units {
        lines.extend(page.row(&page.below("Units"), unit_lines(units)));
    }
    if let Some(changes) = &plan.changes {
        let reboot = match changes.reboot_needed {
            true => words::reboot(changes),
            false => Line::plain("not needed"),
        };
        lines.extend(page.row(&page.below("Reboot"), vec![reboot]));
    }
    lines
}

fn package_rows(closure: &ClosureDiff, most: usize, page: Page) -> Vec<Line> {
    let mut items = vec![Line::plain(&words::closure_in_short(closure))];
    if closure.new_paths > 0 {
        let paths = plural(closure.new_paths, "path");
        let text = format!("{paths} ({}) to bring to the host", bytes(closure.new_bytes));
        items.push(Line::plain(&text));
    }
    let mut lines = page.row_of_items(&page.below("Packages"), items, "; ");
    lines.extend(package_lines(closure, most, page));
    lines
}

/// A line for each package that changes, up to `most`.
pub(super) fn package_lines(closure: &ClosureDiff, most: usize, page: Page) -> Vec<Line> {
    let listed = &closure.packages[..closure.packages.len().min(most)];
    let longest = listed.iter().map(|package| Line::plain(&package.name).width()).max().unwrap_or(0);
    let name_width = longest.min(page.width() / 3);
    let mut lines: Vec<Line> =
        listed.iter().map(|package| package_line(package, None, name_width, page)).collect();
    if closure.packages.len() > listed.len() {
        let text = format!("    … and {} more (-v lists all)", closure.packages.len() - listed.len());
        lines.push(Line::new().with(Role::Dim, &text));
    }
    lines
}

/// `    U firefox   128.0 → 129.0   +1.2 MiB`. With marks, a star tells what is
/// installed by name, and a tag what a system depends on as a whole.
pub(super) fn package_line(
    package: &PackageChange,
    marks: Option<Option<&str>>,
    name_width: usize,
    page: Page,
) -> Line {
    let (letter, role) = match package.kind {
        PackageChangeKind::Added => ("A", Role::Ok),
        PackageChangeKind::Removed => ("R", Role::Error),
        PackageChangeKind::Upgraded => ("U", Role::Ok),
        PackageChangeKind::Downgraded => ("D", Role::Warning),
        PackageChangeKind::Changed => ("C", Role::Warning),
    };
    let versions = match (package.before.join(", "), package.after.join(", ")) {
        (before, after) if before.is_empty() => after,
        (before, after) if after.is_empty() => before,
        (before, after) => format!("{before} → {after}"),
    };
    let mark = match marks {
        Some(_) if package.selected => "* ",
        Some(_) => "  ",
        None => " ",
    };
    let mut line = Line::plain("    ").with(role, letter).with(Role::Plain, mark);
    line.append(page.fit(Line::plain(&package.name), name_width).padded(name_width));
    line.push(Role::Plain, &format!("  {versions}"));
    if package.size_difference != 0 {
        line.push(Role::Dim, &format!("  {}", signed_bytes(package.size_difference)));
    }
    if let Some(Some(tag)) = marks {
        line.push(Role::Warning, &format!("  {tag}"));
    }
    page.fit(line, page.width())
}

fn unit_lines(plan: &UnitPlan) -> Vec<Line> {
    if plan.is_empty() {
        return vec![Line::plain("none is touched")];
    }
    let kinds = [
        ("stop", &plan.stop, Role::Warning),
        ("restart", &plan.restart, Role::Warning),
        ("reload", &plan.reload, Role::Plain),
        ("start", &plan.start, Role::Plain),
        ("start (new)", &plan.new, Role::Plain),
        ("not restarted", &plan.not_stopped, Role::Dim),
    ];
    let used = kinds.into_iter().filter(|(_, units, _)| !units.is_empty());
    used.map(|(what, units, role)| {
        Line::new().with(role, what).with(Role::Plain, &format!(" {}", words::some_of(units, UNITS)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::layout::page;
    use crate::report::story::{NASTY, Story, changes, host};

    fn shown(plans: &mut Plans, story: &Story, detail: Detail) -> String {
        let page = page(80);
        let envelopes = story.envelopes();
        let lines = envelopes.iter().flat_map(|envelope| plans.take(&envelope.event, detail, page));
        page.render_all(&lines.collect::<Vec<_>>())
    }

    fn asked(at: u64, story: Story) -> Story {
        story.at(at, Event::Asked { question: "Continue?".to_owned() })
    }

    #[test]
    fn a_plan_says_what_comes_and_what_it_costs() {
        let story = asked(20, Story::of(&["p620"]).plan("p620", 10));
        let expected = "\
p620 would change
  Packages    2 packages updated, 1 downgraded, 1 added, 1 removed, 2 rebuilt,
              +12.4 MiB; 14 paths (22.0 MiB) to bring to the host
    U grafana     11.2.0 → 11.3.1  +4.2 MiB
    D openssl     3.3.2 → 3.3.1  -2.0 KiB
    U prometheus  2.54.1 → 2.55.0  +8.2 MiB
    A promtail    3.2.0
    R telegraf    1.32
  Files       modules/services/monitoring.nix
  Units       stop telegraf.service
              restart grafana.service, prometheus.service
              reload nginx.service
              start promtail.service
              not restarted dbus-broker.service
  Reboot      not needed
";
        assert_eq!(shown(&mut Plans::default(), &story, Detail::Normal), expected);
    }

    #[test]
    fn hosts_with_the_same_plan_share_it() {
        let story = asked(20, Story::of(&["p620", "p510"]).plan("p620", 10).plan("p510", 10));
        let text = shown(&mut Plans::default(), &story, Detail::Normal);
        assert!(text.starts_with("p620, p510 would change\n"), "{text}");
        assert_eq!(text.matches("would change").count(), 1);
    }

    #[test]
    fn the_hosts_of_a_wave_share_a_plan_in_the_order_of_the_run() {
        let story = Story::of(&["p620", "p510", "razer"]);
        let story = story.plan("razer", 5).plan("p510", 10).plan("p620", 11);
        let mut plans = Plans::default();
        assert_eq!(shown(&mut plans, &story, Detail::Compact), "");
        let hosts = vec![host("p510"), host("p620")];
        let wave = Story::default().at(20, Event::WaveStarted { number: 1, of: 2, hosts });
        let text = shown(&mut plans, &wave, Detail::Compact);
        assert!(text.starts_with("p620, p510 would change\n"), "{text}");
        let activated = Story::default().step("p620", StepId::Activate, 30, 40);
        assert_eq!(shown(&mut plans, &activated, Detail::Compact), "");
    }

    #[test]
    fn a_plan_is_shown_once_and_at_the_latest_when_it_is_carried_out() {
        let story = Story::of(&["p620"]).plan("p620", 10);
        let mut plans = Plans::default();
        assert_eq!(shown(&mut plans, &story, Detail::Normal), "");
        let activated = Story::default().step("p620", StepId::Activate, 10, 20);
        assert!(shown(&mut plans, &activated, Detail::Normal).starts_with("p620 would change"));
        assert_eq!(shown(&mut plans, &asked(0, Story::default()), Detail::Normal), "");
        assert!(plans.show_all(Detail::Full, page(80)).is_empty());
    }

    #[test]
    fn a_long_list_is_cut_with_a_count_and_foreign_names_stay_on_their_line() {
        let mut changes = changes();
        if let Some(closure) = &mut changes.closure {
            let mut package = closure.packages[0].clone();
            package.name = NASTY.repeat(9);
            closure.packages = vec![package; 50];
        }
        (changes.reboot_needed, changes.reboot_reasons) = (true, vec!["kernel".to_owned()]);
        let event = Event::Changes { host: host("p620"), changes: Box::new(changes) };
        let story = asked(20, Story::default().at(10, event));
        let text = shown(&mut Plans::default(), &story, Detail::Normal);
        assert!(text.contains("… and 30 more (-v lists all)"), "{text}");
        assert!(text.contains("Reboot      reboot needed: kernel"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
        assert!(!text.replace('\n', "").contains(char::is_control));
        let text = shown(&mut Plans::default(), &story, Detail::Full);
        assert_eq!(text.matches("    U ").count(), 50);
    }
}
