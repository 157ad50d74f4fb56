-- Reports and heartbeats again: what is kept of them follows every way in which they change, whoever
-- changes them and however, also by the name of a month.

-- As Crystal Forge has these columns.
ALTER TABLE environments ALTER COLUMN is_active DROP NOT NULL;
ALTER TABLE systems ALTER COLUMN created_at DROP NOT NULL;
ALTER TABLE systems ALTER COLUMN updated_at DROP NOT NULL;
ALTER TABLE systems ALTER COLUMN deployment_policy DROP NOT NULL;
ALTER TABLE build_reservations ALTER COLUMN reserved_at DROP NOT NULL;
ALTER TABLE build_reservations ALTER COLUMN heartbeat_at DROP NOT NULL;
DO $$
BEGIN
    ALTER TABLE system_states ALTER COLUMN network_interfaces TYPE jsonb USING network_interfaces::jsonb;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
    -- Until now it was text, and text need not be JSON.
    ALTER TABLE system_states ALTER COLUMN network_interfaces TYPE jsonb USING to_jsonb(network_interfaces);
END
$$;
ALTER TABLE system_states ALTER COLUMN partial_data TYPE boolean
    USING lower(partial_data) IN ('t', 'true', 'y', 'yes', 'on', '1');

DROP TABLE first_reports;
CREATE TABLE first_reports (
    hostname text COLLATE "C" NOT NULL,
    store_path text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (hostname, store_path)
);
CREATE INDEX first_reports_by_output ON first_reports (store_path);

-- Counts everything again, for who has taken a month away whole (DETACH, DROP), which no trigger sees.
CREATE FUNCTION fleet_recount() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE reporting_hosts, first_reports IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM agent_heartbeats h WHERE NOT EXISTS (SELECT 1 FROM system_states s WHERE s.id = h.system_state_id);
    DELETE FROM first_reports;
    INSERT INTO first_reports (hostname, store_path, first_at, last_at)
    SELECT hostname, store_path, min("timestamp"), max("timestamp") FROM system_states GROUP BY 1, 2;
    DELETE FROM reporting_hosts;
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    SELECT DISTINCT ON (hostname) hostname, id, "timestamp", store_path FROM system_states
    ORDER BY hostname, "timestamp" DESC, id DESC;
    UPDATE reporting_hosts r SET last_heartbeat = n.last_heartbeat
    FROM (SELECT s.hostname, max(h."timestamp") AS last_heartbeat
          FROM agent_heartbeats h JOIN system_states s ON s.id = h.system_state_id GROUP BY 1) n
    WHERE n.hostname = r.hostname;
    INSERT INTO reporting_hosts (hostname) SELECT DISTINCT hostname FROM deployment_events
    ON CONFLICT (hostname) DO NOTHING;
END
$$;

-- A month that was taken away keeps its triggers; its rows are no reports any more.
CREATE FUNCTION fleet_holds_reports(part oid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN part = 'system_states'::regclass::oid OR EXISTS (
        SELECT 1 FROM pg_inherits WHERE inhrelid = part AND inhparent = 'system_states'::regclass::oid);
END
$$;

CREATE OR REPLACE FUNCTION fleet_reports_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT fleet_holds_reports(TG_RELID) THEN
        RETURN NULL;
    END IF;
    INSERT INTO reporting_hosts (hostname, report_id, report_at, report_path)
    SELECT DISTINCT ON (hostname) hostname, id, "timestamp", store_path FROM told
    ORDER BY hostname, "timestamp" DESC, id DESC
    ON CONFLICT (hostname) DO UPDATE
    SET report_id = excluded.report_id, report_at = excluded.report_at, report_path = excluded.report_path
    WHERE reporting_hosts.report_id IS NULL
       OR (excluded.report_at, excluded.report_id) >= (reporting_hosts.report_at, reporting_hosts.report_id);
    INSERT INTO first_reports (hostname, store_path, first_at, last_at)
    SELECT hostname, store_path, min("timestamp"), max("timestamp") FROM told GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (hostname, store_path) DO UPDATE
    SET first_at = least(first_reports.first_at, excluded.first_at),
        last_at = greatest(first_reports.last_at, excluded.last_at)
    WHERE excluded.first_at < first_reports.first_at OR excluded.last_at > first_reports.last_at;
    IF TG_OP = 'UPDATE' THEN
        -- Heartbeats went along to another host.
        UPDATE reporting_hosts r SET last_heartbeat =
            (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
             WHERE s.hostname = r.hostname)
        WHERE r.hostname IN (SELECT hostname FROM told);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION fleet_reports_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT fleet_holds_reports(TG_RELID) THEN
        RETURN NULL;
    END IF;
    -- Whoever reports holds the row of the host until its end. Only a statement that begins after it
    -- sees that report: what is newest must not be asked for while the row is being waited for.
    PERFORM 1 FROM reporting_hosts r WHERE r.hostname IN (SELECT hostname FROM gone)
    ORDER BY r.hostname FOR UPDATE;
    -- An id that is unique only together with the time cannot have a foreign key: this is its cascade.
    DELETE FROM agent_heartbeats h USING gone g
    WHERE h.system_state_id = g.id AND NOT EXISTS (SELECT 1 FROM system_states s WHERE s.id = g.id);
    DELETE FROM first_reports f USING gone g WHERE f.hostname = g.hostname AND f.store_path = g.store_path;
    INSERT INTO first_reports (hostname, store_path, first_at, last_at)
    SELECT s.hostname, s.store_path, min(s."timestamp"), max(s."timestamp")
    FROM (SELECT DISTINCT hostname, store_path FROM gone) g
    JOIN system_states s ON s.hostname = g.hostname AND s.store_path = g.store_path
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (hostname, store_path) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at;
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

CREATE OR REPLACE FUNCTION fleet_reports_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF fleet_holds_reports(TG_RELID) THEN
        PERFORM fleet_recount();
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION fleet_heartbeats_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM reporting_hosts r
    WHERE r.hostname IN (SELECT s.hostname FROM gone g JOIN system_states s ON s.id = g.system_state_id)
    ORDER BY r.hostname FOR UPDATE;
    UPDATE reporting_hosts r SET last_heartbeat =
        (SELECT max(h."timestamp") FROM system_states s JOIN agent_heartbeats h ON h.system_state_id = s.id
         WHERE s.hostname = r.hostname)
    WHERE r.hostname IN (SELECT s.hostname FROM gone g JOIN system_states s ON s.id = g.system_state_id);
    RETURN NULL;
END
$$;

CREATE FUNCTION fleet_heartbeats_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reporting_hosts SET last_heartbeat = NULL WHERE last_heartbeat IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER heartbeats_emptied AFTER TRUNCATE ON agent_heartbeats
    FOR EACH STATEMENT EXECUTE FUNCTION fleet_heartbeats_emptied();

-- A host that never reported is known by its deploys.
CREATE FUNCTION fleet_events_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reporting_hosts (hostname) SELECT DISTINCT hostname FROM told ORDER BY 1
    ON CONFLICT (hostname) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE FUNCTION fleet_event_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reporting_hosts (hostname) VALUES (NEW.hostname) ON CONFLICT (hostname) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_inserted AFTER INSERT ON deployment_events
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION fleet_events_told();
CREATE TRIGGER events_renamed AFTER UPDATE OF hostname ON deployment_events
    FOR EACH ROW EXECUTE FUNCTION fleet_event_renamed();

-- Statements that name a month fire only triggers of that month.
CREATE FUNCTION fleet_watch(part regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = part AND tgname = 'reports_inserted') THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TRIGGER reports_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS told '
                   'FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_told()', part);
    EXECUTE format('CREATE TRIGGER reports_deleted AFTER DELETE ON %s REFERENCING OLD TABLE AS gone '
                   'FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_gone()', part);
    EXECUTE format('CREATE TRIGGER reports_updated_1 AFTER UPDATE ON %s REFERENCING OLD TABLE AS gone '
                   'FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_gone()', part);
    EXECUTE format('CREATE TRIGGER reports_updated_2 AFTER UPDATE ON %s REFERENCING NEW TABLE AS told '
                   'FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_told()', part);
    EXECUTE format('CREATE TRIGGER reports_emptied AFTER TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION fleet_reports_emptied()', part);
END
$$;
DO $$
BEGIN
    PERFORM fleet_watch(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'system_states'::regclass;
END
$$;

-- Who may write reports, heartbeats or deploys need not be allowed, and need not know, what is kept of
-- them: the functions find their tables whatever the search path is, and change them as their owner.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fleet_reports_told', 'fleet_reports_gone', 'fleet_reports_emptied',
        'fleet_heartbeats_told', 'fleet_heartbeats_gone', 'fleet_heartbeats_emptied', 'fleet_events_told',
        'fleet_event_renamed']
    LOOP
        EXECUTE format('ALTER FUNCTION %I() SECURITY DEFINER SET search_path = %I, pg_temp', name, current_schema());
        -- Nobody else makes triggers of them on tables of his own; those here fire for everybody.
        EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', name);
    END LOOP;
    EXECUTE format('ALTER FUNCTION fleet_recount() SET search_path = %I, pg_temp', current_schema());
END
$$;

SELECT fleet_recount();

