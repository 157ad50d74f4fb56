//! Questions of one statement. The views are explained in
//! `migrations/both/0008_views.sql`.

use super::Kind::{Boolean, Integer, Real, Text, Time};
use super::{Question, plain, shown};

/// How each host stands to its flake, problem first.
pub(crate) static STATUS: Question = Question {
    doing: "read the deployment status",
    columns: &[
        shown("hostname", Text, "HOST"),
        shown("deployment_status", Text, "STATUS"),
        plain("current_store_path", Text),
        shown("current_commit_hash", Text, "COMMIT"),
        plain("current_commit_timestamp", Time),
        shown("deployment_time", Time, "SINCE"),
        plain("latest_commit_hash", Text),
        plain("latest_commit_timestamp", Time),
        shown("commits_behind", Integer, "BEHIND"),
        shown("flake_name", Text, "FLAKE"),
        plain("status_description", Text),
        shown("deployment_running", Boolean, "DEPLOYING"),
        shown("last_event_status", Text, "LAST DEPLOY"),
        shown("drifted", Boolean, "DRIFTED"),
    ],
    from: "view_system_deployment_status",
    host: Some("hostname"),
    time: Some("deployment_time"),
};

/// Registered systems: is the newest commit evaluated for them?
pub(crate) static SYSTEMS: Question = Question {
    doing: "read the systems",
    columns: &[
        shown("status", Text, ""),
        shown("hostname", Text, "HOST"),
        shown("status_text", Text, "STATUS"),
        shown("last_seen", Text, "SEEN"),
        shown("version", Text, "VERSION"),
        shown("uptime", Text, "UPTIME"),
        shown("ip_address", Text, "ADDRESS"),
        shown("deployable_commit", Text, "DEPLOYABLE"),
        shown("deployed_commit", Text, "DEPLOYED"),
        shown("deployment_in_progress", Boolean, "DEPLOYING"),
        shown("drifted", Boolean, "DRIFTED"),
        plain("last_seen_at", Time),
    ],
    from: "view_systems_status_table",
    host: Some("hostname"),
    time: Some("last_seen_at"),
};

/// Commits with the state of each host's configuration.
pub(crate) static COMMITS: Question = Question {
    doing: "read the commits",
    columns: &[
        plain("commit_id", Integer),
        plain("git_commit_hash", Text),
        shown("short_hash", Text, "COMMIT"),
        shown("commit_timestamp", Time, "TIME"),
        shown("flake_name", Text, "FLAKE"),
        shown("derivation_name", Text, "HOST"),
        shown("derivation_status", Text, "STATUS"),
        plain("status_order", Integer),
        shown("total", Integer, "ALL"),
        shown("successful", Integer, "GOOD"),
        shown("failed", Integer, "FAILED"),
        shown("in_progress", Integer, "OPEN"),
        shown("progress_pct", Real, "%"),
    ],
    from: "view_commit_nixos_table",
    host: Some("derivation_name"),
    time: Some("commit_timestamp"),
};

/// Commits with every derivation.
pub(crate) static BUILDS: Question = Question {
    doing: "read the builds",
    columns: &[
        plain("commit_id", Integer),
        shown("flake_name", Text, "FLAKE"),
        plain("repo_url", Text),
        plain("git_commit_hash", Text),
        shown("short_hash", Text, "COMMIT"),
        shown("commit_timestamp", Time, "TIME"),
        plain("commit_attempt_count", Integer),
        plain("derivation_id", Integer),
        shown("derivation_type", Text, "TYPE"),
        shown("derivation_name", Text, "NAME"),
        plain("derivation_path", Text),
        plain("derivation_scheduled_at", Time),
        plain("derivation_started_at", Time),
        plain("derivation_completed_at", Time),
        shown("derivation_attempt_count", Integer, "ATTEMPTS"),
        plain("evaluation_duration_ms", Integer),
        shown("error_message", Text, "ERROR"),
        plain("pname", Text),
        plain("version", Text),
        shown("derivation_status", Text, "STATUS"),
        plain("derivation_status_description", Text),
        plain("is_terminal", Boolean),
        plain("is_success", Boolean),
        plain("total_derivations", Integer),
        plain("successful_derivations", Integer),
        plain("failed_derivations", Integer),
        plain("in_progress_derivations", Integer),
        plain("nixos_derivations", Integer),
        plain("package_derivations", Integer),
        plain("avg_evaluation_duration_seconds", Real),
        plain("max_derivation_attempts", Integer),
        plain("all_statuses", Text),
        plain("commit_build_status", Text),
        plain("commit_build_description", Text),
    ],
    from: "view_commit_build_status",
    host: Some("derivation_name"),
    time: Some("commit_timestamp"),
};

/// What waits to be built, newest commit first.
pub(crate) static QUEUE: Question = Question {
    doing: "read the build queue",
    columns: &[
        plain("id", Integer),
        plain("commit_id", Integer),
        shown("derivation_type", Text, "TYPE"),
        shown("derivation_name", Text, "NAME"),
        shown("derivation_path", Text, "DERIVATION"),
        plain("scheduled_at", Time),
        plain("completed_at", Time),
        plain("started_at", Time),
        shown("attempt_count", Integer, "ATTEMPTS"),
        plain("evaluation_duration_ms", Integer),
        plain("error_message", Text),
        plain("pname", Text),
        plain("version", Text),
        plain("status_id", Integer),
        plain("derivation_target", Text),
        plain("build_elapsed_seconds", Integer),
        plain("build_current_target", Text),
        plain("build_last_activity_seconds", Integer),
        plain("build_last_heartbeat", Time),
        plain("cf_agent_enabled", Boolean),
        plain("store_path", Text),
        plain("nixos_id", Integer),
        shown("nixos_commit_ts", Time, "COMMIT TIME"),
        plain("group_order", Integer),
    ],
    from: "view_nixos_derivation_build_queue",
    host: None,
    time: Some("nixos_commit_ts"),
};

/// The part of the queue that belongs to the newest commit in it.
pub(crate) static QUEUE_OF_NEWEST: Question = Question {
    from: "(SELECT * FROM view_nixos_derivation_build_queue \
            WHERE nixos_commit_ts = (SELECT max(nixos_commit_ts) FROM view_nixos_derivation_build_queue)) newest",
    ..QUEUE
};

/// Systems that wait to be built, the next one first. A builder takes the
/// packages of a system before it (`queue/`).
pub(crate) static BUILDABLE: Question = Question {
    doing: "read what is built next",
    columns: &[
        plain("id", Integer),
        shown("queue_position", Integer, "#"),
        shown("derivation_name", Text, "NAME"),
        plain("derivation_type", Text),
        shown("derivation_path", Text, "DERIVATION"),
        plain("status_id", Integer),
        plain("nixos_id", Integer),
        shown("nixos_commit_ts", Time, "COMMIT TIME"),
        shown("active_workers", Integer, "WORKERS"),
    ],
    from: "view_buildable_derivations",
    host: Some("derivation_name"),
    time: Some("nixos_commit_ts"),
};

/// When hosts were last heard of, worst first.
pub(crate) static HEARTBEAT: Question = Question {
    doing: "read the heartbeats",
    columns: &[
        shown("hostname", Text, "HOST"),
        shown("heartbeat_status", Text, "STATUS"),
        shown("most_recent_activity", Time, "HEARD OF"),
        plain("last_heartbeat", Time),
        plain("last_state_change", Time),
        shown("minutes_since_last_activity", Real, "MINUTES AGO"),
        plain("status_description", Text),
    ],
    from: "view_system_heartbeat_status",
    host: Some("hostname"),
    time: Some("most_recent_activity"),
};

/// Hosts that run something that no recorded commit gives, or that somebody
/// else has changed since our last deploy.
pub(crate) static DRIFT: Question = Question {
    doing: "read the drift",
    columns: &[
        shown("hostname", Text, "HOST"),
        shown("reason", Text, "REASON"),
        shown("deployment_time", Time, "SINCE"),
        shown("current_commit_hash", Text, "COMMIT"),
        shown("current_store_path", Text, "RUNS"),
        plain("flake_name", Text),
        plain("last_event_status", Text),
    ],
    from: "(SELECT v.*, CASE WHEN current_commit_hash IS NULL THEN 'no recorded commit gives it' \
            ELSE 'changed since the last deploy' END AS reason \
            FROM view_system_deployment_status v WHERE drifted ORDER BY deployment_time DESC, hostname) drifted",
    host: Some("hostname"),
    time: Some("deployment_time"),
};

/// Hosts and when they were last heard of, longest ago first; those that never
/// were come first. The caller narrows it down by time.
pub(crate) static STALE: Question = Question {
    doing: "read the stale hosts",
    columns: &[
        shown("hostname", Text, "HOST"),
        shown("most_recent_activity", Time, "HEARD OF"),
        shown("minutes_since_last_activity", Real, "MINUTES AGO"),
        plain("is_registered", Boolean),
    ],
    from: "(SELECT h.hostname, a.most_recent_activity, a.minutes_since_last_activity, \
            s.hostname IS NOT NULL AS is_registered \
            FROM (SELECT hostname FROM reporting_hosts UNION SELECT hostname FROM systems) h \
            LEFT JOIN systems s ON s.hostname = h.hostname \
            LEFT JOIN fleet_activity a ON a.hostname = h.hostname \
            WHERE coalesce(s.is_active, true) AND (a.hostname IS NOT NULL OR s.hostname IS NOT NULL) \
            ORDER BY a.most_recent_activity ASC NULLS FIRST, h.hostname) heard",
    host: Some("hostname"),
    time: None,
};

/// Hosts whose configuration evaluates and that were never seen.
pub(crate) static MISSING: Question = Question {
    doing: "read the missing hosts",
    columns: &[
        shown("hostname", Text, "HOST"),
        shown("flake_name", Text, "FLAKE"),
        shown("git_commit_hash", Text, "EVALUATED AT"),
        shown("commit_timestamp", Time, "COMMIT TIME"),
        shown("derivation_status", Text, "STATUS"),
        plain("is_registered", Boolean),
    ],
    from: "(SELECT * FROM (SELECT d.derivation_name AS hostname, f.name AS flake_name, c.git_commit_hash, c.commit_timestamp, \
            t.name AS derivation_status, \
            EXISTS (SELECT 1 FROM systems s WHERE s.hostname = d.derivation_name) AS is_registered, \
            row_number() OVER (PARTITION BY d.derivation_name, f.id \
                               ORDER BY c.commit_timestamp DESC, c.id DESC) AS place \
            FROM derivations d JOIN derivation_statuses t ON t.id = d.status_id \
            JOIN commits c ON c.id = d.commit_id JOIN flakes f ON f.id = c.flake_id \
            WHERE d.derivation_type = 'nixos' AND d.status_id IN (5, 7, 8, 9, 10, 11, 12, 14) \
            AND NOT EXISTS (SELECT 1 FROM system_states r WHERE r.hostname = d.derivation_name) \
            AND NOT EXISTS (SELECT 1 FROM deployment_events e \
                            WHERE e.hostname = d.derivation_name AND e.status = 'success') \
            ) evaluated WHERE place = 1 ORDER BY hostname, flake_name) never_seen",
    host: Some("hostname"),
    time: None,
};

/// Deploys, newest first.
pub(crate) static HISTORY: Question = Question {
    doing: "read the history",
    columns: &[
        shown("started_at", Time, "STARTED"),
        shown("hostname", Text, "HOST"),
        shown("status", Text, "STATUS"),
        plain("outcome", Text),
        shown("action", Text, "ACTION"),
        shown("commit_hash", Text, "COMMIT"),
        plain("dirty", Boolean),
        shown("from_generation", Integer, "FROM"),
        shown("to_generation", Integer, "TO"),
        plain("from_store_path", Text),
        plain("to_store_path", Text),
        plain("completed_at", Time),
        shown("duration_ms", Integer, "MS"),
        plain("kernel_changed", Boolean),
        plain("reboot_needed", Boolean),
        shown("actor", Text, "BY"),
        plain("mode", Text),
        plain("command", Text),
        plain("error", Text),
        shown("run_id", Text, "RUN"),
    ],
    from: "(SELECT e.*, coalesce(c.git_commit_hash, r.commit_hash) AS commit_hash, r.dirty, r.actor, r.mode, \
            r.command FROM deployment_events e LEFT JOIN runs r ON r.id = e.run_id \
            LEFT JOIN commits c ON c.id = e.commit_id ORDER BY e.started_at DESC, e.hostname) history",
    host: Some("hostname"),
    time: Some("started_at"),
};

/// Every question of this file.
#[cfg(test)]
pub(crate) static CATALOG: [&Question; 12] = [
    &STATUS,
    &SYSTEMS,
    &COMMITS,
    &BUILDS,
    &QUEUE,
    &QUEUE_OF_NEWEST,
    &BUILDABLE,
    &HEARTBEAT,
    &DRIFT,
    &STALE,
    &MISSING,
    &HISTORY,
];
