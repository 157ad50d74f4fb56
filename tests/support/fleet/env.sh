# Environment for Nix on the operator's side. Nothing is written into anybody's
# nix.conf; whoever runs Nix for the tests takes these lines into its environment.
# shellcheck shell=bash

# The fixture needs no sandbox, no build users and no binary cache.
export NIX_CONFIG='experimental-features = nix-command flakes
sandbox = false
build-users-group =
substituters =
warn-dirty = false'

# Prints the variables as KEY=VALUE, newlines as \n, for readers that are not a shell.
fleet_print_env() {
    printf 'NIX_CONFIG=%s\n' "${NIX_CONFIG//$'\n'/\\n}"
}
