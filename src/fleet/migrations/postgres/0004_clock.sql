-- What the two databases spell differently: the time, and how long ago something was.

CREATE VIEW fleet_clock AS
SELECT now() AS at,
       now() + interval '1 minute' AS lease_end,
       now() - interval '15 minutes' AS ago_15_minutes,
       now() - interval '1 hour' AS ago_1_hour,
       now() - interval '4 hours' AS ago_4_hours,
       now() - interval '24 hours' AS ago_24_hours,
       now() - interval '30 days' AS ago_30_days;

CREATE VIEW fleet_activity AS
SELECT hostname, last_heartbeat, report_at AS last_state_change,
       greatest(last_heartbeat, report_at) AS most_recent_activity,
       round(extract(epoch FROM now() - greatest(last_heartbeat, report_at)) / 60.0, 1)
           AS minutes_since_last_activity,
       CAST(floor(extract(epoch FROM now() - greatest(last_heartbeat, report_at)) / 60) AS integer)
           AS whole_minutes
FROM reporting_hosts
WHERE report_at IS NOT NULL;
