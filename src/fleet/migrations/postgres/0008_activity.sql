-- When hosts were last heard of. A clock that is ahead makes nobody younger than now.

CREATE VIEW fleet_activity AS
SELECT hostname, last_heartbeat, report_at AS last_state_change,
       greatest(last_heartbeat, report_at) AS most_recent_activity,
       greatest(0.0, round(extract(epoch FROM now() - greatest(last_heartbeat, report_at)) / 60.0, 1))
           AS minutes_since_last_activity,
       greatest(0, CAST(floor(extract(epoch FROM now() - greatest(last_heartbeat, report_at)) / 60) AS integer))
           AS whole_minutes
FROM reporting_hosts
WHERE report_at IS NOT NULL;

