-- The same in a database of Crystal Forge: hosts that only a deploy knows, and when a system was
-- reported last.

DROP VIEW first_reports;
DROP VIEW reporting_hosts;

CREATE VIEW reporting_hosts AS
WITH RECURSIVE walk (hostname) AS (
    SELECT min(hostname) FROM system_states
    UNION ALL
    SELECT (SELECT min(s.hostname) FROM system_states s WHERE s.hostname > walk.hostname)
    FROM walk WHERE walk.hostname IS NOT NULL
), heartbeats AS (
    SELECT s.hostname, max(h."timestamp") AS last_heartbeat
    FROM agent_heartbeats h JOIN system_states s ON s.id = h.system_state_id
    GROUP BY s.hostname
)
SELECT w.hostname, n.id AS report_id, n."timestamp" AS report_at, n.store_path AS report_path, h.last_heartbeat
FROM walk w
JOIN system_states n ON n.id = (
    SELECT s.id FROM system_states s WHERE s.hostname = w.hostname ORDER BY s."timestamp" DESC, s.id DESC LIMIT 1)
LEFT JOIN heartbeats h ON h.hostname = w.hostname
WHERE w.hostname IS NOT NULL
UNION ALL
SELECT e.hostname, NULL, NULL, NULL, NULL
FROM (SELECT DISTINCT hostname FROM deployment_events) e
WHERE NOT EXISTS (SELECT 1 FROM system_states s WHERE s.hostname = e.hostname);

CREATE VIEW first_reports AS
SELECT hostname, store_path, min("timestamp") AS first_at, max("timestamp") AS last_at
FROM system_states GROUP BY hostname, store_path;

