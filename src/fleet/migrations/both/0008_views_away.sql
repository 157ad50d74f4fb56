-- The views are one text, which the newest migration that changes it makes anew: a database of an
-- earlier build gives up those it has. What stands on another goes first.
DROP VIEW IF EXISTS view_buildable_derivations;
DROP VIEW IF EXISTS view_system_heartbeat_status;
DROP VIEW IF EXISTS view_commit_nixos_table;
DROP VIEW IF EXISTS view_commit_build_status;
DROP VIEW IF EXISTS view_derivation_status_breakdown;
DROP VIEW IF EXISTS view_nixos_derivation_build_queue;
DROP VIEW IF EXISTS view_commit_deployment_timeline;
DROP VIEW IF EXISTS view_systems_status_table;
DROP VIEW IF EXISTS view_system_deployment_status;
DROP VIEW IF EXISTS fleet_status;
DROP VIEW IF EXISTS fleet_newest_commits;
DROP VIEW IF EXISTS fleet_current;
DROP VIEW IF EXISTS fleet_running;
DROP VIEW IF EXISTS fleet_hosts;

DROP VIEW IF EXISTS fleet_activity;
