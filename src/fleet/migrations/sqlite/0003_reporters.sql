-- What would otherwise be read from all reports again and again, kept up by triggers: the newest report
-- and heartbeat of each host, and when it was first seen with a system.
-- A name may stay after its reports are gone; who reads it looks for a report.

CREATE TABLE reporting_hosts (
    hostname TEXT PRIMARY KEY NOT NULL,
    report_id INTEGER,
    report_at TEXT,
    report_path TEXT,
    last_heartbeat TEXT
) WITHOUT ROWID;

CREATE TABLE first_reports (
    hostname TEXT NOT NULL,
    store_path TEXT NOT NULL,
    first_at TEXT NOT NULL,
    PRIMARY KEY (hostname, store_path)
) WITHOUT ROWID;
CREATE INDEX first_reports_by_output ON first_reports (store_path);

CREATE TRIGGER reports_inserted AFTER INSERT ON system_states BEGIN
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    VALUES (new.hostname, new.id, new."timestamp", new.store_path)
    ON CONFLICT DO UPDATE
    SET report_id = excluded.report_id, report_at = excluded.report_at, report_path = excluded.report_path
    WHERE report_id IS NULL OR (excluded.report_at, excluded.report_id) >= (report_at, report_id);
    INSERT INTO first_reports VALUES (new.hostname, new.store_path, new."timestamp")
    ON CONFLICT DO UPDATE SET first_at = excluded.first_at WHERE excluded.first_at < first_at;
END;
CREATE TRIGGER reports_deleted AFTER DELETE ON system_states BEGIN
    UPDATE reporting_hosts SET (report_id, report_at, report_path) =
        (SELECT s.id, s."timestamp", s.store_path FROM system_states s
         WHERE s.hostname = reporting_hosts.hostname ORDER BY s."timestamp" DESC, s.id DESC LIMIT 1)
    WHERE hostname = old.hostname AND report_id = old.id;
    DELETE FROM first_reports
    WHERE hostname = old.hostname AND store_path = old.store_path AND first_at = old."timestamp";
    INSERT INTO first_reports
    SELECT hostname, store_path, min("timestamp") FROM system_states
    WHERE hostname = old.hostname AND store_path = old.store_path GROUP BY hostname, store_path
    ON CONFLICT DO NOTHING;
    UPDATE reporting_hosts SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = old.hostname)
    WHERE hostname = old.hostname AND last_heartbeat IS NOT NULL;
END;
CREATE TRIGGER reports_updated AFTER UPDATE OF hostname, store_path, "timestamp" ON system_states BEGIN
    UPDATE reporting_hosts SET (report_id, report_at, report_path) =
        (SELECT s.id, s."timestamp", s.store_path FROM system_states s
         WHERE s.hostname = reporting_hosts.hostname ORDER BY s."timestamp" DESC, s.id DESC LIMIT 1)
    WHERE hostname = old.hostname AND report_id = old.id;
    DELETE FROM first_reports
    WHERE hostname = old.hostname AND store_path = old.store_path AND first_at = old."timestamp";
    INSERT INTO first_reports
    SELECT hostname, store_path, min("timestamp") FROM system_states
    WHERE hostname = old.hostname AND store_path = old.store_path GROUP BY hostname, store_path
    ON CONFLICT DO NOTHING;
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    VALUES (new.hostname, new.id, new."timestamp", new.store_path)
    ON CONFLICT DO UPDATE
    SET report_id = excluded.report_id, report_at = excluded.report_at, report_path = excluded.report_path
    WHERE report_id IS NULL OR (excluded.report_at, excluded.report_id) >= (report_at, report_id);
    INSERT INTO first_reports VALUES (new.hostname, new.store_path, new."timestamp")
    ON CONFLICT DO UPDATE SET first_at = excluded.first_at WHERE excluded.first_at < first_at;
    UPDATE reporting_hosts SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = reporting_hosts.hostname)
    WHERE old.hostname <> new.hostname AND hostname IN (old.hostname, new.hostname);
END;
CREATE TRIGGER heartbeats_inserted AFTER INSERT ON agent_heartbeats BEGIN
    UPDATE reporting_hosts SET last_heartbeat = new."timestamp"
    WHERE hostname = (SELECT hostname FROM system_states WHERE id = new.system_state_id)
      AND (last_heartbeat IS NULL OR last_heartbeat < new."timestamp");
END;
CREATE TRIGGER heartbeats_deleted AFTER DELETE ON agent_heartbeats BEGIN
    UPDATE reporting_hosts SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = reporting_hosts.hostname)
    WHERE hostname = (SELECT hostname FROM system_states WHERE id = old.system_state_id);
END;
CREATE TRIGGER heartbeats_updated AFTER UPDATE ON agent_heartbeats BEGIN
    UPDATE reporting_hosts SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = reporting_hosts.hostname)
    WHERE hostname IN (SELECT hostname FROM system_states WHERE id IN (old.system_state_id, new.system_state_id));
END;
