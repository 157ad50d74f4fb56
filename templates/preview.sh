# Asks the host: is the new system whole, does it agree to be switched to, and
# what would it do? Prints key=value lines.
# Input: NEW, CRITICAL (units that must exist), DRY (1: dry-activate, which checks too), CHECK (1: the pre-switch check, when there is no plan),
#        BOOT (1: which files a boot loader has to bring to /boot)

# The size of a part of the new system that differs from the booted one and is not
# on /boot under any name that a boot loader of NixOS gives it: the path below the
# store with dashes, in the folder of systemd-boot, GRUB or extlinux.
boot_file() {
    file=$(readlink -f "$NEW/$1") && [ -f "$file" ] || return 0
    [ "$file" != "$(readlink -f "/run/booted-system/$1")" ] || return 0
    name=$(printf %s "${file#/nix/store/}" | tr / -)
    for known in "EFI/nixos/$name.efi" "kernels/$name" "nixos/$name"; do
        [ ! -e "/boot/$known" ] || return 0
    done
    printf 'boot_file=%s\n' "$(stat -c %s "$file")"
}

# Units that an active target wants from now on: it starts them, and the dry run does not
# name them.
new_units() {
    units=/etc/systemd/system
    set --
    for link in "$NEW$units"/*.target.wants/* "$NEW$units"/*.target.requires/*; do
        name=${link#"$NEW$units/"}
        [ -h "$link" ] && [ ! -h "/run/current-system$units/$name" ] || continue
        # What is switched off is a link to /dev/null.
        [ ! -c "$NEW$units/${name##*/}" ] || continue
        target=${name%%/*}
        set -- "$@" "${target%.*}" "${name##*/}"
    done
    [ "$#" != 0 ] || return 0
    # A line for each, in this order.
    states=$(systemctl is-active "$@" 2>/dev/null)
    while IFS= read -r target && IFS= read -r unit; do
        [ "$target" != active ] || [ "$unit" = active ] || printf 'new_unit=%s\n' "$2"
        shift 2
    done <<STATES
$states
STATES
}

main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    stc=$NEW/bin/switch-to-configuration
    [ -e "$NEW/nixos-version" ] && echo version=1
    [ -x "$stc" ] || return 0
    echo executable=1
    unknown=
    for unit in $CRITICAL; do
        # Generators make these; they may not be there before the switch.
        case $unit in *.mount | *.swap | *.automount | *.device) continue ;; esac
        for file in "$unit" "${unit%%@*}@.${unit##*.}"; do
            [ ! -e "$NEW/etc/systemd/system/$file" ] || continue 2
        done
        [ "$(systemctl show --value -p LoadState "$unit")" != loaded ] || continue
        unknown="$unknown $unit"
    done
    if [ -n "$unknown" ]; then
        printf 'unknown=%s\n' $unknown
        for file in "$NEW"/etc/systemd/system/*; do printf 'file=%s\n' "${file##*/}"; done
    fi
    [ "$BOOT" != 1 ] || for part in kernel initrd; do boot_file "$part"; done
    code=1
    if [ "$DRY" = 1 ]; then
        output=$("$stc" dry-activate 2>&1)
        code=$?
        printf 'dry_exit=%s\n' "$code"
        printf '%s\n' "$output" | sed 's/^/dry=/'
        [ "$code" != 0 ] || new_units
    fi
    # A plan that came about has passed the pre-switch check.
    if [ "$CHECK" = 1 ] && [ "$code" != 0 ]; then
        output=$("$stc" check 2>&1)
        printf 'check_exit=%s\n' "$?"
        printf '%s\n' "$output" | sed 's/^/check=/'
    fi
    [ "$DRY" = 1 ] || return 0
    set -- kernel initrd kernel-modules kernel-params
    for part in "$@"; do set -- "$@" "/run/booted-system/$part" "$NEW/$part"; done
    shift 4
    # With -m each has its line, also one that is not there.
    resolved=$(readlink -m "$@")
    for part in kernel initrd kernel-modules kernel-params; do
        IFS= read -r booted
        IFS= read -r new
        [ -n "$new" ] && [ "$booted" = "$new" ] || { [ -f "$booted" ] && [ -f "$new" ] && cmp -s "$booted" "$new"; } ||
            echo "differs=$part"
    done <<RESOLVED
$resolved
RESOLVED
}
