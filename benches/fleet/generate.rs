//! A fleet made of SQL, the same for both databases: commits ten minutes
//! apart, each with a few systems and packages; hosts that report every now and
//! then and follow the commits at their own pace, some of them far behind.

/// How large.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) hosts: u64,
    commits: u64,
    /// Systems of a commit; packages are three times as many.
    systems: u64,
    /// Reports of a host.
    reports: u64,
}

impl Size {
    /// A fleet with so many hosts: what belongs to a host grows with their
    /// number, the commits do not.
    pub(crate) fn of_hosts(hosts: u64) -> Self {
        Self { hosts, commits: 5_000, systems: (hosts / 100).max(1), reports: 500 }
    }

    /// The same with a shorter past, so that even a large one is made in a minute.
    pub(crate) fn young(hosts: u64) -> Self {
        Self { commits: 1_000, reports: 50, ..Self::of_hosts(hosts) }
    }
}

/// The statements that fill a database with the schema.
pub(crate) fn statements(size: Size, postgres: bool) -> Vec<String> {
    let Size { hosts, commits, systems, reports } = size;
    let packages = systems * 3;
    let ago = |minutes: &str| match postgres {
        true => format!("now() - make_interval(mins => CAST({minutes} AS integer))"),
        false => format!("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-' || ({minutes}) || ' minutes')"),
    };
    let counting = |count: u64| match postgres {
        true => format!("WITH n(i) AS (SELECT generate_series(0, {}))", count - 1),
        false => {
            format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {})", count - 1)
        }
    };
    let host = |index: &str| format!("'host-' || CAST(10000 + ({index}) AS text)");
    let number = |index: &str| format!("CAST(1000000000 + ({index}) AS text)");
    let span = commits * 10;
    let commit_age = |commit: &str| format!("({commits} - ({commit})) * 10");
    let all_systems = commits * systems;
    let all_packages = commits * packages;
    // Host h has systems h, h + hosts, h + 2 hosts and so on, one after the other.
    let versions = (all_systems / hosts).max(1);
    vec![
        "INSERT INTO flakes (id, name, repo_url) VALUES (1, 'fleet', 'https://git.example/fleet')".to_owned(),
        format!(
            "INSERT INTO systems (hostname, public_key, flake_id, derivation) {} SELECT {}, '', 1, '' FROM n",
            counting(hosts),
            host("i")
        ),
        format!(
            "INSERT INTO commits (id, flake_id, git_commit_hash, commit_timestamp, evaluation_status) {} \
             SELECT i + 1, 1, 'c0ffee' || {} || '000000000000000000000000', {}, 'complete' FROM n",
            counting(commits),
            number("i"),
            ago(&commit_age("i"))
        ),
        format!(
            "INSERT INTO derivations (commit_id, derivation_type, derivation_name, derivation_path, scheduled_at, \
             started_at, completed_at, attempt_count, evaluation_duration_ms, status_id, store_path) {} \
             SELECT i / {systems} + 1, 'nixos', {}, '/nix/store/d' || {number} || '-nixos-system.drv', {}, {}, {}, \
             i % 3, 1000 + i % 5000, \
             CASE WHEN i > {all_systems} - 100 THEN 5 WHEN i % 50 = 7 THEN 12 WHEN i % 50 = 9 THEN 6 \
             WHEN i % 50 < 40 THEN 11 WHEN i % 50 < 45 THEN 10 ELSE 14 END, \
             '/nix/store/o' || {number} || '-nixos-system' FROM n",
            counting(all_systems),
            host(&format!("i % {hosts}")),
            ago(&format!("{} - 1", commit_age(&format!("i / {systems}")))),
            ago(&format!("{} - 2", commit_age(&format!("i / {systems}")))),
            ago(&format!("{} - 5", commit_age(&format!("i / {systems}")))),
            number = number("i")
        ),
        format!(
            "INSERT INTO derivations (commit_id, derivation_type, derivation_name, derivation_path, scheduled_at, \
             completed_at, pname, version, status_id, store_path) {} \
             SELECT i / {packages} + 1, 'package', 'package-' || CAST(i % {packages} AS text), \
             '/nix/store/p' || {number} || '.drv', {}, {}, 'package-' || CAST(i % {packages} AS text), \
             '1.' || CAST(i / {packages} AS text), \
             CASE WHEN i > {all_packages} - 300 THEN 5 WHEN i % 60 = 7 THEN 12 ELSE 10 END, \
             '/nix/store/q' || {number} FROM n",
            counting(all_packages),
            ago(&format!("{} - 1", commit_age(&format!("i / {packages}")))),
            ago(&format!("{} - 5", commit_age(&format!("i / {packages}")))),
            number = number("i")
        ),
        format!(
            "INSERT INTO derivation_dependencies (derivation_id, depends_on_id) SELECT s.id, p.id \
             FROM derivations s JOIN derivations p ON p.commit_id = s.commit_id AND p.derivation_type = 'package' \
             AND p.id % {systems} = s.id % {systems} WHERE s.derivation_type = 'nixos'"
        ),
        // Every twentieth host stopped to report half way.
        format!(
            "INSERT INTO system_states (hostname, store_path, change_reason, os, uptime_secs, primary_ip_address, \
             nixos_version, \"timestamp\") {} SELECT {}, '/nix/store/o' || {} || '-nixos-system', 'state_delta', \
             'nixos', 3600, '10.0.0.1', '25.05', {} FROM n \
             WHERE i / {hosts} < {reports} - CASE WHEN i % {hosts} % 20 = 0 THEN {reports} / 2 ELSE 0 END",
            counting(hosts * reports),
            host(&format!("i % {hosts}")),
            number(&format!("((i / {hosts}) * {versions} / {reports}) * {hosts} + i % {hosts}")),
            ago(&format!("{span} - (i / {hosts}) * {span} / {reports}"))
        ),
        format!(
            "INSERT INTO agent_heartbeats (system_state_id, \"timestamp\", agent_version) \
             SELECT id, \"timestamp\", '1.0' FROM system_states WHERE id % 25 = 0"
        ),
        // Five deploys of each host by this tool.
        format!(
            "INSERT INTO deployment_events (hostname, commit_id, started_at, completed_at, status, action, \
             to_store_path) {} SELECT d.derivation_name, d.commit_id, d.scheduled_at, d.completed_at, 'success', \
             'switch', d.store_path FROM n JOIN derivations d ON d.id = (i / {hosts} * {}) * {hosts} + i % {hosts} + 1",
            counting(hosts * 5),
            (versions / 5).max(1)
        ),
    ]
}
