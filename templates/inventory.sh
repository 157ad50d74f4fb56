# What is installed in the running system: its path, the paths that are installed
# by name, and the parts of the booted system that only a reboot changes.
main() {
    PATH=/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    system=$(readlink -f /run/current-system) || return
    printf 'system=%s\n' "$system"
    # Systems without a common path have nothing that is installed by name.
    if [ -e "$system/sw" ]; then
        nix-store -q --references "$(readlink -f "$system/sw")" | sed 's/^/selected=/'
    fi
    for part in kernel initrd kernel-modules; do
        [ ! -e "/run/booted-system/$part" ] || printf 'booted=%s %s\n' "$part" "$(readlink -f "/run/booted-system/$part")"
    done
    [ ! -r /run/booted-system/kernel-params ] || printf 'booted=kernel-params %s\n' "$(cat /run/booted-system/kernel-params)"
}
