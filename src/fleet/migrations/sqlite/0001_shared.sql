-- The tables that are shared with Crystal Forge.
-- Times are UTC and always as wide as 2025-11-21T12:00:00.000000Z: text that sorts by time.
-- Ids are never given twice, so that an event can name a commit that is gone.

CREATE TABLE flakes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    repo_url TEXT NOT NULL UNIQUE
);

CREATE TABLE commits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    flake_id INTEGER NOT NULL REFERENCES flakes (id) ON DELETE CASCADE,
    git_commit_hash TEXT NOT NULL,
    commit_timestamp TEXT NOT NULL,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    evaluation_status TEXT DEFAULT 'pending'
        CHECK (evaluation_status IN ('pending', 'in_progress', 'complete', 'failed')),
    evaluation_started_at TEXT,
    evaluation_completed_at TEXT,
    evaluation_attempt_count INTEGER DEFAULT 0,
    evaluation_error_message TEXT,
    UNIQUE (flake_id, git_commit_hash)
);
CREATE INDEX commits_newest ON commits (flake_id, commit_timestamp DESC, id DESC);
CREATE INDEX commits_by_time ON commits (commit_timestamp DESC, id DESC);

CREATE TABLE derivation_statuses (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    is_terminal BOOLEAN NOT NULL,
    is_success BOOLEAN NOT NULL,
    display_order INTEGER NOT NULL UNIQUE
);
INSERT INTO derivation_statuses (id, name, description, is_terminal, is_success, display_order) VALUES
    (1, 'pending', 'Waits for its turn', false, false, 10),
    (2, 'queued', 'Is in the queue', false, false, 20),
    (3, 'dry-run-pending', 'Waits for its evaluation', false, false, 30),
    (4, 'dry-run-inprogress', 'Is being evaluated', false, false, 40),
    (5, 'dry-run-complete', 'Is evaluated', false, true, 50),
    (6, 'dry-run-failed', 'Cannot be evaluated', true, false, 51),
    (7, 'build-pending', 'Waits for its build', false, false, 60),
    (8, 'build-inprogress', 'Is being built', false, false, 70),
    (9, 'in-progress', 'Is being worked on', false, false, 75),
    (10, 'build-complete', 'Is built', true, true, 80),
    (11, 'complete', 'Is done', true, true, 90),
    (12, 'build-failed', 'Cannot be built', true, false, 81),
    (13, 'failed', 'Has failed', true, false, 91),
    (14, 'cache-pushed', 'Is built and in the binary cache', true, true, 100);

CREATE TABLE derivations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    commit_id INTEGER REFERENCES commits (id) ON DELETE CASCADE,
    derivation_type TEXT NOT NULL CHECK (derivation_type IN ('nixos', 'package')),
    derivation_name TEXT NOT NULL,
    derivation_path TEXT,
    scheduled_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    completed_at TEXT,
    started_at TEXT,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    evaluation_duration_ms INTEGER,
    error_message TEXT,
    pname TEXT,
    version TEXT,
    status_id INTEGER NOT NULL REFERENCES derivation_statuses (id),
    derivation_target TEXT,
    build_elapsed_seconds INTEGER,
    build_current_target TEXT,
    build_last_activity_seconds INTEGER,
    build_last_heartbeat TEXT,
    cf_agent_enabled BOOLEAN DEFAULT false,
    store_path TEXT
);
CREATE UNIQUE INDEX derivations_once ON derivations (coalesce(commit_id, -1), derivation_name, derivation_type);
CREATE INDEX derivations_of_commit ON derivations (commit_id);
CREATE INDEX derivations_of_host ON derivations (derivation_name, commit_id);
CREATE INDEX derivations_by_status ON derivations (status_id, derivation_type);
CREATE INDEX derivations_by_output ON derivations (store_path) WHERE derivation_type = 'nixos';

CREATE TABLE derivation_dependencies (
    derivation_id INTEGER NOT NULL REFERENCES derivations (id) ON DELETE CASCADE,
    depends_on_id INTEGER NOT NULL REFERENCES derivations (id) ON DELETE CASCADE,
    PRIMARY KEY (derivation_id, depends_on_id)
);
CREATE INDEX dependencies_of_derivation ON derivation_dependencies (derivation_id);
CREATE INDEX dependents_of_derivation ON derivation_dependencies (depends_on_id);

CREATE TABLE environments (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    is_active BOOLEAN NOT NULL DEFAULT true
);
INSERT INTO environments (name, description) VALUES
    ('dev', 'Development'), ('test', 'Test'), ('preprod', 'The last step before production'), ('prod', 'Production');

CREATE TABLE systems (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    hostname TEXT NOT NULL UNIQUE,
    environment_id TEXT REFERENCES environments (id),
    is_active BOOLEAN DEFAULT true,
    public_key TEXT NOT NULL,
    flake_id INTEGER REFERENCES flakes (id),
    derivation TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    desired_target TEXT,
    deployment_policy TEXT NOT NULL DEFAULT 'manual'
        CHECK (deployment_policy IN ('manual', 'auto_latest', 'pinned'))
);

-- What hosts said they run.
CREATE TABLE system_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hostname TEXT NOT NULL,
    store_path TEXT NOT NULL,
    change_reason TEXT NOT NULL
        CHECK (change_reason IN ('startup', 'config_change', 'state_delta', 'cf_deployment')),
    os TEXT,
    kernel TEXT,
    memory_gb REAL,
    uptime_secs INTEGER,
    cpu_brand TEXT,
    cpu_cores INTEGER,
    board_serial TEXT,
    product_uuid TEXT,
    rootfs_uuid TEXT,
    chassis_serial TEXT,
    bios_version TEXT,
    cpu_microcode TEXT,
    network_interfaces TEXT,
    primary_mac_address TEXT,
    primary_ip_address TEXT,
    gateway_ip TEXT,
    selinux_status TEXT,
    tpm_present BOOLEAN,
    secure_boot_enabled BOOLEAN,
    fips_mode BOOLEAN,
    agent_version TEXT,
    agent_build_hash TEXT,
    nixos_version TEXT,
    agent_compatible BOOLEAN DEFAULT true,
    partial_data TEXT,
    "timestamp" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);
CREATE INDEX system_states_newest ON system_states (hostname, "timestamp" DESC, id DESC);
CREATE INDEX system_states_by_output ON system_states (store_path, hostname, "timestamp");

CREATE TABLE agent_heartbeats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    system_state_id INTEGER NOT NULL REFERENCES system_states (id) ON DELETE CASCADE,
    "timestamp" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    agent_version TEXT,
    agent_build_hash TEXT
);
CREATE INDEX agent_heartbeats_newest ON agent_heartbeats (system_state_id, "timestamp" DESC);

CREATE TABLE build_reservations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    worker_id TEXT NOT NULL,
    derivation_id INTEGER NOT NULL UNIQUE REFERENCES derivations (id) ON DELETE CASCADE,
    nixos_derivation_id INTEGER REFERENCES derivations (id) ON DELETE CASCADE,
    reserved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    heartbeat_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);
CREATE INDEX build_reservations_of_system ON build_reservations (nixos_derivation_id);
