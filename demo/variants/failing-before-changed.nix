# failing-before, and worker.service changes as in unit-changed.
arguments:
arguments.lib.merge (import ./failing-before.nix arguments) (import ./unit-changed.nix arguments)
