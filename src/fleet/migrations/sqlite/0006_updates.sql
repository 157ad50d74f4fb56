-- Updates of flake inputs: what moved, what the checks came to, what was decided and by whom.

CREATE TABLE updates (
    run_id TEXT PRIMARY KEY NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- none, medium, high or critical; nothing where nobody assessed it.
    risk TEXT,
    -- Reasons and notes as JSON.
    assessment TEXT,
    -- apply, decline or block, and by whom: person, flag or checks.
    verdict TEXT,
    decided_by TEXT,
    decided_at TEXT,
    actor TEXT,
    reason TEXT,
    -- Where flake.lock stood last: updated, kept, restored, recovered or left-alone.
    lock_file TEXT
);

CREATE TABLE update_inputs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    input TEXT NOT NULL,
    url TEXT,
    revision_before TEXT,
    revision_after TEXT,
    date_before TEXT,
    date_after TEXT,
    compare_url TEXT,
    UNIQUE (run_id, input)
);
