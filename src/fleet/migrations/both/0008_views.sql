-- The questions, the same text for both databases. Deployment events come first; what a host
-- reported stands in where there is none, or where the host was changed since.

-- Evaluated: a configuration that can be built. A failed build is still one.
-- Deployable: it is built, too.

-- Hosts that anything is known of, each with what is known last: the newest event that tells what runs,
-- and the newest report. Known hosts in the sense of the model are registered or have reported.
CREATE VIEW fleet_hosts AS
SELECT names.hostname, s.flake_id AS registered_flake_id, coalesce(s.is_active, true) AS is_active,
       s.hostname IS NOT NULL OR r.report_id IS NOT NULL AS is_known,
       e.id AS event_id, e.status AS event_status, e.completed_at AS event_at, e.activated,
       -- Events name commits without a foreign key.
       c.id AS event_commit_id,
       CASE WHEN e.status = 'success' AND e.activated
            THEN coalesce(e.running_store_path, e.to_store_path,
                          -- Who writes an event need not know the path.
                          (SELECT d.store_path FROM derivations d
                           WHERE d.derivation_name = e.hostname AND d.commit_id = e.commit_id
                             AND d.derivation_type = 'nixos'))
            ELSE e.running_store_path END AS event_path,
       r.report_id, r.report_at, r.report_path
FROM (
    -- Here and below: what has an order is not merged into the query around it, which would ask for
    -- what is in it more than once.
    SELECT known.hostname, (
        SELECT x.id FROM deployment_events x
        WHERE x.hostname = known.hostname AND x.completed_at IS NOT NULL
          AND (x.running_store_path IS NOT NULL OR (x.status = 'success' AND x.activated))
        ORDER BY x.completed_at DESC, x.id DESC LIMIT 1) AS event_id
    FROM (SELECT hostname FROM reporting_hosts UNION SELECT hostname FROM systems) known
    ORDER BY known.hostname) names
LEFT JOIN systems s ON s.hostname = names.hostname
LEFT JOIN deployment_events e ON e.id = names.event_id
LEFT JOIN commits c ON c.id = e.commit_id
LEFT JOIN reporting_hosts r ON r.hostname = names.hostname;

-- The event counts unless the host reported something else after it.
CREATE VIEW fleet_running AS
SELECT h.*,
       h.event_id IS NOT NULL
           AND (h.report_id IS NULL OR h.report_at <= h.event_at
                OR coalesce(h.report_path = h.event_path, false)) AS by_event,
       CASE WHEN h.event_id IS NULL OR h.report_at > h.event_at THEN h.report_path
            -- A path that nobody told is none, and not that of an earlier report.
            WHEN h.event_path IS NULL AND h.event_commit_id IS NULL THEN h.report_path
            ELSE h.event_path END AS path
FROM fleet_hosts h;

-- The commit of what runs: that of the event, else the one this path was deployed with here before,
-- else the newest that gives this path, of the host's own flake first.
CREATE VIEW fleet_current AS
SELECT r.hostname, r.registered_flake_id, r.is_active, r.is_known, r.path, r.event_id, r.by_event, r.event_path,
       r.report_id, r.report_at,
       CASE WHEN r.by_event THEN r.event_at ELSE r.report_at END AS deployed_at,
       CASE WHEN r.by_event AND r.event_status = 'success' AND r.activated AND r.event_commit_id IS NOT NULL
            THEN r.event_commit_id
            ELSE coalesce(
                (SELECT x.commit_id FROM deployment_events x
                 WHERE x.hostname = r.hostname AND x.status = 'success' AND x.activated
                   AND x.to_store_path = r.path AND EXISTS (SELECT 1 FROM commits c WHERE c.id = x.commit_id)
                 ORDER BY x.completed_at DESC LIMIT 1),
                (SELECT found.commit_id
                 FROM (SELECT d.commit_id, c.commit_timestamp,
                              coalesce(c.flake_id = r.registered_flake_id, false) AS is_own_flake,
                              d.derivation_name = r.hostname AS is_own_name
                       FROM derivations d JOIN commits c ON c.id = d.commit_id
                       WHERE d.store_path = r.path AND d.derivation_type = 'nixos') found
                 ORDER BY is_own_flake DESC, is_own_name DESC, commit_timestamp DESC, commit_id DESC
                 LIMIT 1))
       END AS commit_id
FROM fleet_running r
ORDER BY r.hostname;

CREATE VIEW fleet_newest_commits AS
SELECT f.id AS flake_id, c.id AS commit_id, c.git_commit_hash, c.commit_timestamp
FROM flakes f JOIN commits c ON c.id = (
    SELECT n.id FROM commits n WHERE n.flake_id = f.id ORDER BY n.commit_timestamp DESC, n.id DESC LIMIT 1);

CREATE VIEW fleet_status AS
SELECT u.hostname, u.is_active, u.is_known, u.report_id, u.report_at, u.path AS current_store_path,
       CASE WHEN u.path IS NOT NULL OR u.commit_id IS NOT NULL THEN u.deployed_at END AS deployment_time,
       c.id AS current_commit_id, c.git_commit_hash AS current_commit_hash,
       c.commit_timestamp AS current_commit_timestamp,
       n.commit_id AS latest_commit_id, n.git_commit_hash AS latest_commit_hash,
       n.commit_timestamp AS latest_commit_timestamp,
       coalesce((SELECT count(*) FROM commits k
                 WHERE k.flake_id = n.flake_id AND k.commit_timestamp > c.commit_timestamp), 0) AS commits_behind,
       f.name AS flake_name,
       CASE WHEN u.path IS NULL AND c.id IS NULL THEN 'no_deployment'
            WHEN c.id IS NULL THEN 'unknown'
            WHEN c.id = n.commit_id THEN 'up_to_date'
            WHEN c.commit_timestamp < n.commit_timestamp THEN 'behind'
            WHEN c.commit_timestamp > n.commit_timestamp THEN 'ahead'
            ELSE 'unclear' END AS standing,
       EXISTS (SELECT 1 FROM deployment_events x, fleet_clock k
               WHERE x.hostname = u.hostname AND x.status = 'in_progress'
                 AND (x.lock_expires_at IS NULL OR x.lock_expires_at > k.at)) AS deployment_running,
       (SELECT x.status FROM deployment_events x WHERE x.hostname = u.hostname
        ORDER BY x.started_at DESC, x.id DESC LIMIT 1) AS last_event_status,
       coalesce(u.path IS NOT NULL AND (c.id IS NULL OR (u.event_id IS NOT NULL AND NOT u.by_event)), false)
           AS drifted
FROM fleet_current u
LEFT JOIN commits c ON c.id = u.commit_id
LEFT JOIN flakes f ON f.id = c.flake_id
LEFT JOIN fleet_newest_commits n ON n.flake_id = coalesce(u.registered_flake_id, c.flake_id)
ORDER BY u.hostname;

CREATE VIEW view_system_deployment_status AS
SELECT hostname, current_store_path, deployment_time, current_commit_hash, current_commit_timestamp,
       latest_commit_hash, latest_commit_timestamp, commits_behind, flake_name,
       CASE standing WHEN 'unclear' THEN 'unknown' ELSE standing END AS deployment_status,
       CASE standing
           WHEN 'no_deployment' THEN 'System registered but never deployed'
           WHEN 'unknown' THEN 'Cannot determine flake relationship'
           WHEN 'up_to_date' THEN 'Running latest commit'
           WHEN 'behind' THEN 'Behind by ' || commits_behind || ' commit(s)'
           WHEN 'ahead' THEN 'Running newer commit than expected'
           ELSE 'Deployment status unclear' END AS status_description,
       deployment_running, last_event_status, drifted
FROM fleet_status
WHERE is_active AND is_known
ORDER BY CASE standing WHEN 'no_deployment' THEN 1 WHEN 'unknown' THEN 2 WHEN 'unclear' THEN 2
                       WHEN 'behind' THEN 3 WHEN 'up_to_date' THEN 4 ELSE 5 END,
         commits_behind DESC, hostname;

CREATE VIEW view_systems_status_table AS
WITH newest AS MATERIALIZED (
    -- The newest evaluated and the newest built configuration of a host in a flake, by time.
    SELECT d.derivation_name AS hostname, c.flake_id, max(c.commit_timestamp) AS evaluated_at,
           max(CASE WHEN d.status_id IN (10, 11, 14) THEN c.commit_timestamp END) AS built_at
    FROM derivations d JOIN commits c ON c.id = d.commit_id
    WHERE d.derivation_type = 'nixos' AND d.status_id IN (5, 7, 8, 9, 10, 11, 12, 14)
    GROUP BY d.derivation_name, c.flake_id
), ranked AS (
    -- A system without a flake is judged by the one its newest configuration is of.
    SELECT s.hostname, w.flake_id, w.evaluated_at, w.built_at,
           row_number() OVER (PARTITION BY s.hostname ORDER BY w.evaluated_at DESC, w.flake_id DESC) AS rank
    FROM systems s JOIN newest w ON w.hostname = s.hostname
    WHERE s.flake_id IS NULL OR w.flake_id = s.flake_id
), judged AS (
    SELECT s.hostname, t.report_id, t.report_at, t.deployment_running, t.drifted, t.current_commit_hash,
           (SELECT c.git_commit_hash FROM commits c JOIN derivations d ON d.commit_id = c.id
            WHERE c.flake_id = w.flake_id AND c.commit_timestamp = w.built_at
              AND d.derivation_name = s.hostname AND d.derivation_type = 'nixos' AND d.status_id IN (10, 11, 14)
            ORDER BY c.id DESC LIMIT 1) AS deployable_commit,
           CASE WHEN t.report_id IS NULL THEN 4
                WHEN w.hostname IS NULL THEN 3
                WHEN w.evaluated_at = n.commit_timestamp
                     -- Of two commits of one second the later one counts. One index step per host.
                     AND (SELECT count(*) FROM derivations d
                          WHERE d.derivation_name = s.hostname AND d.commit_id = n.commit_id
                            AND d.derivation_type = 'nixos'
                            AND d.status_id IN (5, 7, 8, 9, 10, 11, 12, 14)) > 0 THEN 1
                ELSE 2 END AS place
    FROM systems s
    JOIN fleet_status t ON t.hostname = s.hostname
    LEFT JOIN ranked w ON w.hostname = s.hostname AND w.rank = 1
    LEFT JOIN fleet_newest_commits n ON n.flake_id = w.flake_id
)
SELECT j.hostname,
       CASE j.place WHEN 1 THEN '🟢' WHEN 2 THEN '🔴' WHEN 3 THEN '🟤' ELSE '⚫' END AS status,
       CASE j.place WHEN 1 THEN 'Up to Date' WHEN 2 THEN 'Outdated' WHEN 3 THEN 'Unknown State'
                    ELSE 'Offline' END AS status_text,
       CASE WHEN a.hostname IS NULL THEN 'never'
            ELSE a.whole_minutes || 'm ago' END AS last_seen,
       -- One report per host: joined, all reports would be read.
       coalesce((SELECT h.agent_version FROM agent_heartbeats h WHERE h.system_state_id = j.report_id
                 ORDER BY h."timestamp" DESC, h.id DESC LIMIT 1),
                (SELECT coalesce(r.agent_version, r.nixos_version) FROM system_states r
                 WHERE r.id = j.report_id AND r."timestamp" = j.report_at)) AS version,
       (SELECT round(r.uptime_secs / 86400.0, 1) || 'd' FROM system_states r
        WHERE r.id = j.report_id AND r."timestamp" = j.report_at) AS uptime,
       (SELECT r.primary_ip_address FROM system_states r
        WHERE r.id = j.report_id AND r."timestamp" = j.report_at) AS ip_address,
       j.deployable_commit,
       j.current_commit_hash AS deployed_commit,
       j.deployment_running AS deployment_in_progress,
       j.drifted,
       a.most_recent_activity AS last_seen_at
FROM judged j
LEFT JOIN fleet_activity a ON a.hostname = j.hostname
ORDER BY j.place, j.hostname;

CREATE VIEW view_commit_deployment_timeline AS
WITH recent AS MATERIALIZED (
    SELECT c.id, c.flake_id, c.git_commit_hash, c.commit_timestamp
    FROM commits c WHERE c.commit_timestamp >= (SELECT ago_30_days FROM fleet_clock)
), evaluations AS MATERIALIZED (
    SELECT d.commit_id, d.derivation_name, d.store_path, d.status_id
    FROM recent r
    -- CROSS JOIN is the order of SQLite, too: few commits first, then what belongs to them.
    CROSS JOIN derivations d
    WHERE d.commit_id = r.id AND d.derivation_type = 'nixos'
), by_status AS (
    SELECT g.commit_id, t.name AS status, t.is_success, g.total
    FROM (SELECT commit_id, status_id, count(*) AS total FROM evaluations GROUP BY commit_id, status_id) g
    JOIN derivation_statuses t ON t.id = g.status_id
    ORDER BY g.commit_id, t.name
), counts AS (
    SELECT commit_id, CAST(sum(total) AS bigint) AS total,
           CAST(sum(CASE WHEN is_success THEN total ELSE 0 END) AS bigint) AS successful,
           string_agg(status, ', ') AS statuses
    FROM by_status GROUP BY commit_id
), targets AS (
    -- A commit has a host's configuration once.
    SELECT commit_id, string_agg(derivation_name, ', ') AS list
    FROM (SELECT commit_id, derivation_name FROM evaluations ORDER BY commit_id, derivation_name) in_order
    GROUP BY commit_id
), sightings AS (
    SELECT v.commit_id, p.hostname, p.first_at, p.last_at
    FROM evaluations v CROSS JOIN first_reports p WHERE p.store_path = v.store_path
    UNION ALL
    SELECT x.commit_id, x.hostname, min(x.completed_at), max(x.completed_at)
    FROM recent r CROSS JOIN deployment_events x
    WHERE x.commit_id = r.id AND x.status = 'success' AND x.activated AND x.completed_at IS NOT NULL
    GROUP BY x.commit_id, x.hostname
), seen AS (
    SELECT commit_id, hostname, min(first_at) AS first_at, max(last_at) AS last_at
    FROM sightings GROUP BY commit_id, hostname ORDER BY commit_id, hostname
), deployed AS (
    SELECT commit_id, min(first_at) AS first_at, max(last_at) AS last_at, count(*) AS hosts,
           string_agg(hostname, ', ') AS list
    FROM seen GROUP BY commit_id
), standing AS MATERIALIZED (
    -- A condition on the commit here would ask for it twice.
    SELECT hostname, commit_id FROM fleet_current
    WHERE hostname IN (SELECT hostname FROM seen)
), running AS (
    SELECT commit_id, count(*) AS hosts, string_agg(hostname, ', ') AS list
    FROM (SELECT commit_id, hostname FROM standing WHERE commit_id IS NOT NULL
          ORDER BY commit_id, hostname) each_host
    GROUP BY commit_id
)
SELECT r.flake_id, f.name AS flake_name, r.id AS commit_id, r.git_commit_hash,
       substr(r.git_commit_hash, 1, 8) AS short_hash, r.commit_timestamp,
       coalesce(k.total, 0) AS total_evaluations, coalesce(k.successful, 0) AS successful_evaluations,
       k.statuses AS evaluation_statuses, t.list AS evaluated_targets,
       d.first_at AS first_deployment, d.last_at AS last_deployment,
       coalesce(d.hosts, 0) AS total_systems_deployed,
       coalesce(n.hosts, 0) AS currently_deployed_systems,
       d.list AS deployed_systems, n.list AS currently_deployed_systems_list
FROM recent r
JOIN flakes f ON f.id = r.flake_id
LEFT JOIN counts k ON k.commit_id = r.id
LEFT JOIN targets t ON t.commit_id = r.id
LEFT JOIN deployed d ON d.commit_id = r.id
LEFT JOIN running n ON n.commit_id = r.id
ORDER BY r.commit_timestamp DESC, r.id DESC;

CREATE VIEW view_nixos_derivation_build_queue AS
WITH roots AS (
    SELECT d.id AS nixos_id, c.commit_timestamp AS nixos_commit_ts
    FROM derivations d JOIN commits c ON c.id = d.commit_id
    WHERE d.derivation_type = 'nixos' AND d.status_id IN (5, 12)
), entries AS (
    SELECT r.nixos_id AS id, r.nixos_id, r.nixos_commit_ts, 1 AS group_order FROM roots r
    UNION ALL
    SELECT p.depends_on_id, r.nixos_id, r.nixos_commit_ts, 0
    FROM roots r JOIN derivation_dependencies p ON p.derivation_id = r.nixos_id
)
SELECT d.id, d.commit_id, d.derivation_type, d.derivation_name, d.derivation_path, d.scheduled_at,
       d.completed_at, d.started_at, d.attempt_count, d.evaluation_duration_ms, d.error_message, d.pname,
       d.version, d.status_id, d.derivation_target, d.build_elapsed_seconds, d.build_current_target,
       d.build_last_activity_seconds, d.build_last_heartbeat, d.cf_agent_enabled, d.store_path,
       e.nixos_id, e.nixos_commit_ts, e.group_order
FROM entries e JOIN derivations d ON d.id = e.id
WHERE d.status_id IN (5, 12) AND d.attempt_count <= 5
  AND (e.group_order = 1 OR d.derivation_type = 'package')
ORDER BY e.nixos_commit_ts DESC, e.nixos_id, e.group_order, d.pname NULLS LAST, d.id;

CREATE VIEW view_derivation_status_breakdown AS
WITH grouped AS (
    SELECT d.status_id, count(*) AS total_count,
           count(*) FILTER (WHERE d.derivation_type = 'nixos') AS nixos_count,
           count(*) FILTER (WHERE d.derivation_type = 'package') AS package_count,
           round(avg(d.attempt_count), 2) AS avg_attempts,
           round(avg(d.evaluation_duration_ms) / 1000.0, 2) AS avg_duration_seconds,
           min(d.scheduled_at) AS oldest_scheduled, max(d.scheduled_at) AS newest_scheduled,
           count(*) FILTER (WHERE d.scheduled_at >= (SELECT ago_24_hours FROM fleet_clock)) AS count_last_24h
    FROM derivations d GROUP BY d.status_id
)
SELECT t.name AS status_name, t.description AS status_description, t.is_terminal, t.is_success,
       g.total_count, g.nixos_count, g.package_count, g.avg_attempts, g.avg_duration_seconds,
       g.oldest_scheduled, g.newest_scheduled, g.count_last_24h,
       round(100.0 * g.total_count / (SELECT sum(total_count) FROM grouped), 2) AS percentage_of_total
FROM grouped g JOIN derivation_statuses t ON t.id = g.status_id
ORDER BY t.display_order;

CREATE VIEW view_commit_build_status AS
WITH totals AS (
    SELECT d.commit_id, count(*) AS total,
           count(*) FILTER (WHERE t.is_success) AS successful,
           count(*) FILTER (WHERE t.is_terminal AND NOT t.is_success) AS failed,
           count(*) FILTER (WHERE NOT t.is_terminal) AS in_progress,
           count(*) FILTER (WHERE d.derivation_type = 'nixos') AS nixos,
           count(*) FILTER (WHERE d.derivation_type <> 'nixos') AS packages,
           round(coalesce(1.0 * sum(d.evaluation_duration_ms) / nullif(count(d.evaluation_duration_ms), 0), 0)
                 / 1000.0, 2) AS avg_seconds,
           max(d.attempt_count) AS max_attempts
    FROM derivations d JOIN derivation_statuses t ON t.id = d.status_id
    WHERE d.commit_id IS NOT NULL
    GROUP BY d.commit_id
), by_status AS (
    SELECT g.commit_id, t.name
    FROM (SELECT commit_id, status_id FROM derivations
          WHERE commit_id IS NOT NULL GROUP BY commit_id, status_id) g
    JOIN derivation_statuses t ON t.id = g.status_id
    ORDER BY g.commit_id, t.name
), lists AS (
    SELECT commit_id, string_agg(name, ', ') AS statuses FROM by_status GROUP BY commit_id
)
SELECT c.id AS commit_id, c.flake_name, c.repo_url, c.git_commit_hash, c.short_hash, c.commit_timestamp,
       c.attempt_count AS commit_attempt_count,
       d.id AS derivation_id, d.derivation_type, d.derivation_name, d.derivation_path,
       d.scheduled_at AS derivation_scheduled_at, d.started_at AS derivation_started_at,
       d.completed_at AS derivation_completed_at, d.attempt_count AS derivation_attempt_count,
       d.evaluation_duration_ms, d.error_message, d.pname, d.version,
       t.name AS derivation_status, t.description AS derivation_status_description,
       t.is_terminal, t.is_success,
       c.total AS total_derivations, c.successful AS successful_derivations,
       c.failed AS failed_derivations, c.in_progress AS in_progress_derivations,
       c.nixos AS nixos_derivations, c.packages AS package_derivations,
       c.avg_seconds AS avg_evaluation_duration_seconds, c.max_attempts AS max_derivation_attempts,
       c.statuses AS all_statuses, c.commit_build_status, c.commit_build_description
FROM (
    -- Commits are put in order with all that is said of them, before each is joined with its many
    -- derivations: what is left to be sorted are those of one commit.
    SELECT c.id, c.git_commit_hash, substr(c.git_commit_hash, 1, 8) AS short_hash, c.commit_timestamp,
           c.attempt_count, f.name AS flake_name, f.repo_url, l.statuses,
           coalesce(k.total, 0) AS total, coalesce(k.successful, 0) AS successful,
           coalesce(k.failed, 0) AS failed, coalesce(k.in_progress, 0) AS in_progress,
           coalesce(k.nixos, 0) AS nixos, coalesce(k.packages, 0) AS packages,
           coalesce(k.avg_seconds, 0) AS avg_seconds, coalesce(k.max_attempts, 0) AS max_attempts,
           CASE WHEN k.total IS NULL THEN 'no_builds'
                WHEN k.in_progress > 0 THEN 'building'
                WHEN k.failed = k.total THEN 'failed'
                WHEN k.failed > 0 THEN 'partial'
                ELSE 'complete' END AS commit_build_status,
           CASE WHEN k.total IS NULL THEN 'No derivations scheduled for this commit'
                WHEN k.in_progress > 0 THEN k.in_progress || ' of ' || k.total || ' derivations still building'
                WHEN k.failed = k.total THEN 'All ' || k.total || ' derivations failed'
                WHEN k.failed > 0
                    THEN k.successful || ' successful, ' || k.failed || ' failed of ' || k.total || ' total'
                ELSE 'All ' || k.total || ' derivations completed successfully' END AS commit_build_description
    FROM commits c
    JOIN flakes f ON f.id = c.flake_id
    LEFT JOIN totals k ON k.commit_id = c.id
    LEFT JOIN lists l ON l.commit_id = c.id
    ORDER BY c.commit_timestamp DESC, c.id DESC) c
LEFT JOIN derivations d ON d.commit_id = c.id
LEFT JOIN derivation_statuses t ON t.id = d.status_id
ORDER BY c.commit_timestamp DESC, c.id DESC, d.derivation_type, d.derivation_name, d.id;

CREATE VIEW view_commit_nixos_table AS
WITH totals AS (
    SELECT d.commit_id, count(*) AS total,
           count(*) FILTER (WHERE t.is_success) AS successful,
           count(*) FILTER (WHERE t.is_terminal AND NOT t.is_success) AS failed,
           count(*) FILTER (WHERE NOT t.is_terminal) AS in_progress
    FROM derivations d JOIN derivation_statuses t ON t.id = d.status_id
    WHERE d.derivation_type = 'nixos' AND d.commit_id IS NOT NULL
    GROUP BY d.commit_id
)
SELECT c.id AS commit_id, c.git_commit_hash, substr(c.git_commit_hash, 1, 8) AS short_hash,
       c.commit_timestamp, f.name AS flake_name, d.derivation_name, t.name AS derivation_status,
       t.display_order AS status_order,
       coalesce(k.total, 0) AS total, coalesce(k.successful, 0) AS successful,
       coalesce(k.failed, 0) AS failed, coalesce(k.in_progress, 0) AS in_progress,
       coalesce(round(100.0 * k.successful / k.total, 1), 0) AS progress_pct
FROM commits c
JOIN flakes f ON f.id = c.flake_id
LEFT JOIN derivations d ON d.commit_id = c.id AND d.derivation_type = 'nixos'
LEFT JOIN derivation_statuses t ON t.id = d.status_id
LEFT JOIN totals k ON k.commit_id = c.id
ORDER BY c.commit_timestamp DESC, c.id DESC, t.display_order, d.derivation_name;

CREATE VIEW view_system_heartbeat_status AS
WITH judged AS (
    SELECT a.*,
           CASE WHEN a.most_recent_activity > k.ago_15_minutes THEN 4
                WHEN a.most_recent_activity > k.ago_1_hour THEN 3
                WHEN a.most_recent_activity > k.ago_4_hours THEN 2
                ELSE 1 END AS place
    FROM fleet_activity a, fleet_clock k
)
SELECT hostname,
       CASE place WHEN 4 THEN 'Healthy' WHEN 3 THEN 'Warning' WHEN 2 THEN 'Critical'
                  ELSE 'Offline' END AS heartbeat_status,
       most_recent_activity, last_heartbeat, last_state_change, minutes_since_last_activity,
       CASE place WHEN 4 THEN 'System is active and responding'
                  WHEN 3 THEN 'System may be experiencing issues - no recent activity'
                  WHEN 2 THEN 'System is in critical state - no activity for over an hour'
                  ELSE 'System appears to be offline or unreachable' END AS status_description
FROM judged
ORDER BY place, minutes_since_last_activity DESC, hostname;

CREATE VIEW view_buildable_derivations AS
SELECT d.id, d.derivation_name, d.derivation_type, d.derivation_path, d.status_id, d.id AS nixos_id,
       c.commit_timestamp AS nixos_commit_ts,
       (SELECT count(*) FROM build_reservations w WHERE w.nixos_derivation_id = d.id) AS active_workers,
       row_number() OVER (ORDER BY c.commit_timestamp DESC, d.id) AS queue_position
FROM derivations d
JOIN commits c ON c.id = d.commit_id
WHERE d.derivation_type = 'nixos' AND d.status_id IN (5, 7) AND d.derivation_path IS NOT NULL
  AND d.attempt_count <= 5
  AND NOT EXISTS (SELECT 1 FROM build_reservations w WHERE w.derivation_id = d.id)
ORDER BY c.commit_timestamp DESC, d.id;
