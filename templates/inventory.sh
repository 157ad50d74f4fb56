# What is installed in the running system: its path, the paths that are installed
# by name, and its closure with the size of each path, one per line.
main() {
    PATH=/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    system=$(readlink -f /run/current-system) || return
    printf 'system=%s\n' "$system"
    # Systems without a common path have nothing that is installed by name.
    if [ -e "$system/sw" ]; then
        nix-store -q --references "$(readlink -f "$system/sw")" | sed 's/^/selected=/'
    fi
    nix --extra-experimental-features nix-command path-info -r -s "$system"
}
