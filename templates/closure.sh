# The closure of a system with the size of each path, one per line.
# Input: SYSTEM
main() {
    PATH=/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    nix --extra-experimental-features nix-command path-info -r -s "$SYSTEM"
}
