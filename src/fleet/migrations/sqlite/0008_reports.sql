-- Reports and heartbeats again: when a system was reported last, and hosts that only a deploy knows.

DROP TRIGGER reports_inserted;
DROP TRIGGER reports_deleted;
DROP TRIGGER reports_updated;

-- As Crystal Forge has these columns. SQLite cannot take a NOT NULL away: the tables are made anew.
CREATE TABLE environments_again (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    is_active BOOLEAN DEFAULT true
);
INSERT INTO environments_again SELECT * FROM environments;
CREATE TABLE systems_again (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    hostname TEXT NOT NULL UNIQUE,
    environment_id TEXT REFERENCES environments_again (id),
    is_active BOOLEAN DEFAULT true,
    public_key TEXT NOT NULL,
    flake_id INTEGER REFERENCES flakes (id),
    derivation TEXT NOT NULL,
    created_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    updated_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    desired_target TEXT,
    deployment_policy TEXT DEFAULT 'manual'
        CHECK (deployment_policy IN ('manual', 'auto_latest', 'pinned'))
);
INSERT INTO systems_again SELECT * FROM systems;
DROP TABLE systems;
DROP TABLE environments;
-- The names in references go along.
ALTER TABLE environments_again RENAME TO environments;
ALTER TABLE systems_again RENAME TO systems;

CREATE TABLE build_reservations_again (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    worker_id TEXT NOT NULL,
    derivation_id INTEGER NOT NULL UNIQUE REFERENCES derivations (id) ON DELETE CASCADE,
    nixos_derivation_id INTEGER REFERENCES derivations (id) ON DELETE CASCADE,
    reserved_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    heartbeat_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);
INSERT INTO build_reservations_again SELECT * FROM build_reservations;
DROP TABLE build_reservations;
ALTER TABLE build_reservations_again RENAME TO build_reservations;
CREATE INDEX build_reservations_of_system ON build_reservations (nixos_derivation_id);

ALTER TABLE system_states RENAME COLUMN partial_data TO partial_text;
ALTER TABLE system_states ADD COLUMN partial_data BOOLEAN;
UPDATE system_states SET partial_data = lower(partial_text) IN ('t', 'true', 'y', 'yes', 'on', '1')
WHERE partial_text IS NOT NULL;
ALTER TABLE system_states DROP COLUMN partial_text;

DROP TABLE first_reports;
CREATE TABLE first_reports (
    hostname TEXT NOT NULL,
    store_path TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (hostname, store_path)
) WITHOUT ROWID;
CREATE INDEX first_reports_by_output ON first_reports (store_path);
INSERT INTO first_reports
SELECT hostname, store_path, min("timestamp"), max("timestamp") FROM system_states GROUP BY hostname, store_path;
INSERT INTO reporting_hosts (hostname) SELECT DISTINCT hostname FROM deployment_events WHERE true
ON CONFLICT DO NOTHING;

CREATE TRIGGER reports_inserted AFTER INSERT ON system_states BEGIN
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    VALUES (new.hostname, new.id, new."timestamp", new.store_path)
    ON CONFLICT DO UPDATE
    SET report_id = excluded.report_id, report_at = excluded.report_at, report_path = excluded.report_path
    WHERE report_id IS NULL OR (excluded.report_at, excluded.report_id) >= (report_at, report_id);
    INSERT INTO first_reports VALUES (new.hostname, new.store_path, new."timestamp", new."timestamp")
    ON CONFLICT DO UPDATE
    SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
    WHERE excluded.first_at < first_at OR excluded.last_at > last_at;
END;
CREATE TRIGGER reports_deleted AFTER DELETE ON system_states BEGIN
    UPDATE reporting_hosts SET (report_id, report_at, report_path) =
        (SELECT s.id, s."timestamp", s.store_path FROM system_states s
         WHERE s.hostname = reporting_hosts.hostname ORDER BY s."timestamp" DESC, s.id DESC LIMIT 1)
    WHERE hostname = old.hostname AND report_id = old.id;
    DELETE FROM first_reports
    WHERE hostname = old.hostname AND store_path = old.store_path AND old."timestamp" IN (first_at, last_at);
    INSERT INTO first_reports
    SELECT hostname, store_path, min("timestamp"), max("timestamp") FROM system_states
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
    WHERE hostname = old.hostname AND store_path = old.store_path AND old."timestamp" IN (first_at, last_at);
    INSERT INTO first_reports
    SELECT hostname, store_path, min("timestamp"), max("timestamp") FROM system_states
    WHERE hostname = old.hostname AND store_path = old.store_path GROUP BY hostname, store_path
    ON CONFLICT DO NOTHING;
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    VALUES (new.hostname, new.id, new."timestamp", new.store_path)
    ON CONFLICT DO UPDATE
    SET report_id = excluded.report_id, report_at = excluded.report_at, report_path = excluded.report_path
    WHERE report_id IS NULL OR (excluded.report_at, excluded.report_id) >= (report_at, report_id);
    INSERT INTO first_reports VALUES (new.hostname, new.store_path, new."timestamp", new."timestamp")
    ON CONFLICT DO UPDATE
    SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
    WHERE excluded.first_at < first_at OR excluded.last_at > last_at;
    UPDATE reporting_hosts SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = reporting_hosts.hostname)
    WHERE old.hostname <> new.hostname AND hostname IN (old.hostname, new.hostname);
END;

-- A host that never reported is known by its deploys.
CREATE TRIGGER events_inserted AFTER INSERT ON deployment_events BEGIN
    INSERT INTO reporting_hosts (hostname) VALUES (new.hostname) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER events_renamed AFTER UPDATE OF hostname ON deployment_events BEGIN
    INSERT INTO reporting_hosts (hostname) VALUES (new.hostname) ON CONFLICT DO NOTHING;
END;

-- When hosts were last heard of. A clock that is ahead makes nobody younger than now.
CREATE VIEW fleet_activity AS
SELECT hostname, last_heartbeat, report_at AS last_state_change,
       max(coalesce(last_heartbeat, ''), report_at) AS most_recent_activity,
       max(0.0, round((julianday('now') - julianday(max(coalesce(last_heartbeat, ''), report_at))) * 1440.0, 1))
           AS minutes_since_last_activity,
       max(0, CAST((julianday('now') - julianday(max(coalesce(last_heartbeat, ''), report_at))) * 1440.0 AS INTEGER))
           AS whole_minutes
FROM reporting_hosts
WHERE report_at IS NOT NULL;

