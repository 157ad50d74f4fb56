-- What the two databases spell differently: the time, and how long ago something was.

CREATE VIEW fleet_clock AS
SELECT strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') AS at,
       strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '+1 minute') AS lease_end,
       strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-15 minutes') AS ago_15_minutes,
       strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-1 hour') AS ago_1_hour,
       strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-4 hours') AS ago_4_hours,
       strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-24 hours') AS ago_24_hours,
       strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-30 days') AS ago_30_days;

CREATE VIEW fleet_activity AS
SELECT hostname, last_heartbeat, report_at AS last_state_change,
       max(coalesce(last_heartbeat, ''), report_at) AS most_recent_activity,
       round((julianday('now') - julianday(max(coalesce(last_heartbeat, ''), report_at))) * 1440.0, 1)
           AS minutes_since_last_activity,
       CAST((julianday('now') - julianday(max(coalesce(last_heartbeat, ''), report_at))) * 1440.0 AS INTEGER)
           AS whole_minutes
FROM reporting_hosts
WHERE report_at IS NOT NULL;
