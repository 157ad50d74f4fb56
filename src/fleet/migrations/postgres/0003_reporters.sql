-- What would otherwise be read from all reports again and again, kept up by triggers: the newest report
-- and heartbeat of each host, and when it was first seen with a system.
-- A name may stay after its reports are gone; who reads it looks for a report.

CREATE TABLE reporting_hosts (
    hostname text COLLATE "C" PRIMARY KEY,
    report_id integer,
    report_at timestamptz,
    report_path text COLLATE "C",
    last_heartbeat timestamptz
);

CREATE TABLE first_reports (
    hostname text COLLATE "C" NOT NULL,
    store_path text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    PRIMARY KEY (hostname, store_path)
);
CREATE INDEX first_reports_by_output ON first_reports (store_path);

CREATE FUNCTION fleet_reports_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    SELECT DISTINCT ON (hostname) hostname, id, "timestamp", store_path FROM told
    ORDER BY hostname, "timestamp" DESC, id DESC
    ON CONFLICT (hostname) DO UPDATE
    SET report_id = excluded.report_id, report_at = excluded.report_at, report_path = excluded.report_path
    WHERE reporting_hosts.report_id IS NULL
       OR (excluded.report_at, excluded.report_id) >= (reporting_hosts.report_at, reporting_hosts.report_id);
    INSERT INTO first_reports (hostname, store_path, first_at)
    SELECT hostname, store_path, min("timestamp") FROM told GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (hostname, store_path) DO UPDATE SET first_at = excluded.first_at
    WHERE excluded.first_at < first_reports.first_at;
    RETURN NULL;
END
$$;

CREATE FUNCTION fleet_reports_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An id that is unique only together with the time cannot have a foreign key: this is its cascade.
    DELETE FROM agent_heartbeats h USING gone g
    WHERE h.system_state_id = g.id AND NOT EXISTS (SELECT 1 FROM system_states s WHERE s.id = g.id);
    DELETE FROM first_reports f USING gone g WHERE f.hostname = g.hostname AND f.store_path = g.store_path;
    INSERT INTO first_reports (hostname, store_path, first_at)
    SELECT s.hostname, s.store_path, min(s."timestamp")
    FROM (SELECT DISTINCT hostname, store_path FROM gone) g
    JOIN system_states s ON s.hostname = g.hostname AND s.store_path = g.store_path
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (hostname, store_path) DO UPDATE SET first_at = excluded.first_at;
    UPDATE reporting_hosts r SET (report_id, report_at, report_path) =
        (SELECT s.id, s."timestamp", s.store_path FROM system_states s WHERE s.hostname = r.hostname
         ORDER BY s."timestamp" DESC, s.id DESC LIMIT 1)
    WHERE r.hostname IN (SELECT hostname FROM gone);
    UPDATE reporting_hosts r SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = r.hostname)
    WHERE r.hostname IN (SELECT hostname FROM gone) AND r.last_heartbeat IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION fleet_reports_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM first_reports;
    DELETE FROM reporting_hosts;
    RETURN NULL;
END
$$;

CREATE FUNCTION fleet_heartbeats_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reporting_hosts (hostname, last_heartbeat)
    SELECT s.hostname, max(t."timestamp") FROM told t JOIN system_states s ON s.id = t.system_state_id
    GROUP BY 1 ORDER BY 1
    ON CONFLICT (hostname) DO UPDATE SET last_heartbeat = excluded.last_heartbeat
    WHERE reporting_hosts.last_heartbeat IS NULL OR excluded.last_heartbeat > reporting_hosts.last_heartbeat;
    RETURN NULL;
END
$$;

CREATE FUNCTION fleet_heartbeats_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reporting_hosts r SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = r.hostname)
    WHERE r.hostname IN (SELECT s.hostname FROM gone g JOIN system_states s ON s.id = g.system_state_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER reports_inserted AFTER INSERT ON system_states
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_told();
CREATE TRIGGER reports_deleted AFTER DELETE ON system_states
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_gone();
-- In the order of their names: what was is forgotten before what is gets noted.
CREATE TRIGGER reports_updated_1 AFTER UPDATE ON system_states
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_gone();
CREATE TRIGGER reports_updated_2 AFTER UPDATE ON system_states
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_told();
CREATE TRIGGER reports_emptied AFTER TRUNCATE ON system_states
    FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_emptied();
CREATE TRIGGER heartbeats_inserted AFTER INSERT ON agent_heartbeats
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION fleet_heartbeats_told();
CREATE TRIGGER heartbeats_deleted AFTER DELETE ON agent_heartbeats
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fleet_heartbeats_gone();
CREATE TRIGGER heartbeats_updated_1 AFTER UPDATE ON agent_heartbeats
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION fleet_heartbeats_gone();
CREATE TRIGGER heartbeats_updated_2 AFTER UPDATE ON agent_heartbeats
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION fleet_heartbeats_told();
