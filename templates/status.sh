# What facts.sh does not ask, because no deploy needs it: how old the system is,
# how full the disks are, whether a reboot is pending. Printed as key=value lines.
# Input: PROFILE
main() {
    PATH=/run/current-system/sw/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    system=$(readlink -m /run/current-system)
    version=
    [ ! -r "$system/nixos-version" ] || IFS= read -r version <"$system/nixos-version"
    printf 'version=%s\n' "$version"
    # The newest generation with the running system; a host may run another one than it boots.
    for link in "$PROFILE"-*-link; do
        [ "$(readlink -m "$link")" != "$system" ] || printf 'runs=%s %s\n' "${link##*/}" "$(stat -c %Y "$link")"
    done
    printf 'now=%s\n' "$(date +%s)"
    printf 'state=%s\n' "$(systemctl is-system-running 2>/dev/null)"
    printf 'store=%s\n' "$(stat -f -c '%a %b %S %d %c' /nix/store 2>/dev/null)"
    { read -r root_device; read -r boot_device; } <<DEVICES
$(stat -c %d / /boot 2>/dev/null)
DEVICES
    [ "$root_device" = "$boot_device" ] ||
        printf 'boot=%s\n' "$(stat -f -c '%a %b %S %d %c' /boot 2>/dev/null)"
    for part in kernel initrd kernel-modules kernel-params; do
        booted=$(readlink -m "/run/booted-system/$part")
        running=$(readlink -m "$system/$part")
        [ "$booted" = "$running" ] || { [ -f "$booted" ] && [ -f "$running" ] && cmp -s "$booted" "$running"; } ||
            echo "differs=$part"
    done
    systemctl list-units --state=failed --plain --no-legend --full 2>/dev/null | while read -r unit _; do
        printf 'failed=%s\n' "$unit"
    done
}
