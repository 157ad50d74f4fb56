-- The tables of nix-deploy. They name shared rows by id without a foreign key: what happened stays
-- when the commit it happened with is forgotten, and tables of others are not tied to ours.

CREATE TABLE runs (
    id TEXT PRIMARY KEY NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    actor TEXT NOT NULL,
    machine TEXT,
    tool_version TEXT NOT NULL,
    mode TEXT,
    command TEXT NOT NULL,
    action TEXT,
    flake TEXT,
    flake_id INTEGER,
    commit_hash TEXT,
    commit_id INTEGER,
    branch TEXT,
    dirty BOOLEAN,
    issue TEXT,
    outcome TEXT,
    exit_code INTEGER,
    elapsed_ms INTEGER,
    -- The last event of the journal that is in this database.
    last_seq INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_newest ON runs (started_at DESC);

CREATE TABLE deployment_events (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    run_id TEXT REFERENCES runs (id) ON DELETE CASCADE,
    hostname TEXT NOT NULL,
    machine_id TEXT,
    commit_id INTEGER,
    derivation_id INTEGER,
    started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    completed_at TEXT,
    status TEXT NOT NULL DEFAULT 'in_progress' CHECK (status IN
        ('in_progress', 'success', 'failed', 'rolled_back', 'rollback_failed', 'skipped', 'unknown')),
    action TEXT,
    -- What the host said in this tool's own word, for example REBOOT REQUIRED.
    outcome TEXT,
    from_store_path TEXT,
    to_store_path TEXT,
    -- What the host ran at the end, when it could be asked.
    running_store_path TEXT,
    from_generation INTEGER,
    to_generation INTEGER,
    -- Whether success means that the new system runs, not only that it is the boot default.
    activated BOOLEAN NOT NULL DEFAULT true,
    kernel_changed BOOLEAN,
    reboot_needed BOOLEAN,
    duration_ms INTEGER,
    error TEXT,
    -- The end report as JSON.
    report TEXT,
    lock_holder TEXT,
    lock_expires_at TEXT,
    UNIQUE (run_id, hostname)
);
CREATE INDEX deployment_events_newest ON deployment_events (hostname, completed_at DESC, id DESC);
CREATE INDEX deployment_events_started ON deployment_events (hostname, started_at DESC, id DESC);
CREATE INDEX deployment_events_of_commit ON deployment_events (commit_id);
CREATE INDEX deployment_events_by_time ON deployment_events (started_at DESC);
CREATE INDEX deployment_events_running ON deployment_events (hostname) WHERE status = 'in_progress';

-- Who may change a host. A row that has expired is anybody's.
CREATE TABLE deployment_locks (
    hostname TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    -- Machine, boot and process of the holder.
    owner TEXT NOT NULL,
    since TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (hostname, machine_id)
);

CREATE TABLE steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES deployment_events (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    started_at TEXT,
    duration_ms INTEGER,
    outcome TEXT NOT NULL,
    detail TEXT,
    UNIQUE (event_id, name)
);

CREATE TABLE findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    event_id TEXT REFERENCES deployment_events (id) ON DELETE CASCADE,
    hostname TEXT,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    file TEXT,
    line INTEGER,
    subject TEXT,
    message TEXT NOT NULL,
    mend TEXT,
    suppressed TEXT,
    fingerprint TEXT
);
CREATE INDEX findings_of_run ON findings (run_id);
CREATE INDEX findings_of_event ON findings (event_id);

CREATE TABLE package_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES deployment_events (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    version_before TEXT,
    version_after TEXT,
    size_difference INTEGER,
    UNIQUE (event_id, name)
);

CREATE TABLE unit_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES deployment_events (id) ON DELETE CASCADE,
    unit TEXT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX unit_changes_of_event ON unit_changes (event_id);

CREATE TABLE resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES deployment_events (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value_before REAL,
    value_after REAL,
    UNIQUE (event_id, name)
);

CREATE TABLE issue_findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT REFERENCES runs (id) ON DELETE CASCADE,
    event_id TEXT REFERENCES deployment_events (id) ON DELETE CASCADE,
    hostname TEXT,
    package TEXT NOT NULL,
    version TEXT,
    issue_number INTEGER NOT NULL,
    title TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT,
    severity TEXT,
    reason TEXT
);
CREATE INDEX issue_findings_of_run ON issue_findings (run_id);
CREATE INDEX issue_findings_of_event ON issue_findings (event_id);
