-- Rows of other commits with the same derivation (queue).
CREATE INDEX derivations_waiting_by_drv ON derivations (derivation_path) WHERE status_id IN (5, 7, 12);

