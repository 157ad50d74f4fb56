# The boot entry of a new system is tried once. systemd-boot enters its one-shot
# entry, which it forgets before it does so, and otherwise the default that the
# firmware keeps: until the new system is proven that is the old one, so a boot that
# comes to nothing is followed by one of the old system. Prints key=value lines.
# Input: WHAT (try, left, keep, withdraw or undo) NEW OLD PROFILE, and but for `try`
#        and `left` KEPT: the default that the firmware kept before; empty where it kept none

# The boot entry of the newest generation that is this system, if it has one.
entry_of() {
    entry=
    newest=0
    for link in "$PROFILE"-*-link; do
        [ "$(readlink -f "$link")" = "$1" ] || continue
        number=${link#"$PROFILE-"}
        number=${number%-link}
        [ "$number" -gt "$newest" ] 2>/dev/null || continue
        for root in "$(bootctl --print-boot-path 2>/dev/null)" "$(bootctl --print-esp-path 2>/dev/null)" /boot; do
            [ ! -e "$root/loader/entries/nixos-generation-$number.conf" ] || {
                newest=$number
                entry=nixos-generation-$number.conf
            }
        done
    done
    printf '%s' "$entry"
}

# The default entry in the firmware: four bytes of attributes, then UTF-16.
kept_default() {
    variable=/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
    [ ! -r "$variable" ] || tail -c +5 "$variable" | tr -d '\000'
}

try() {
    # Said of the boot loader that started this boot, not of one that lies on the disk.
    bootctl status 2>/dev/null | grep -q 'Product: systemd-boot' || { echo none=1; return; }
    new=$(entry_of "$NEW")
    old=$(entry_of "$OLD")
    kept=$(kept_default)
    [ -n "$new" ] && [ -n "$old" ] && [ "$new" != "$old" ] || { echo none=1; return; }
    if bootctl set-default "$old" >&2 && bootctl set-oneshot "$new" >&2; then
        printf 'kept=%s\nnew=%s\nold=%s\n' "$kept" "$new" "$old"
    else
        bootctl set-default "$kept" >&2
        echo refused=1
    fi
}

# A trial that nobody has ended, of a deployer that is gone: the firmware still has the
# old entry as its default. What it had before is not known; most often that is none.
left() {
    bootctl status 2>/dev/null | grep -q 'Product: systemd-boot' || { echo none=1; return; }
    new=$(entry_of "$NEW")
    old=$(entry_of "$OLD")
    [ -n "$new" ] && [ -n "$old" ] && [ "$(kept_default)" = "$old" ] || { echo none=1; return; }
    printf 'kept=\nnew=%s\nold=%s\n' "$new" "$old"
}

# The host fell back: what boots by itself is the old system from now on.
undo() {
    [ "$(readlink -f /run/current-system)" = "$OLD" ] || return 1
    for link in "$PROFILE"-*-link; do
        [ "$(readlink -f "$link")" != "$OLD" ] || number=${link#"$PROFILE-"}
    done
    nix-env -p "$PROFILE" --switch-generation "${number%-link}" >&2 || return 1
    NIXOS_NO_CHECK=1 "$OLD/bin/switch-to-configuration" boot >&2 || return 1
    bootctl set-default "$KEPT" >&2
}

main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    case $WHAT in
        try) try ;;
        left) left ;;
        # Without a default of the firmware that of loader.conf counts, the new system's.
        keep) bootctl set-default "$KEPT" >&2 ;;
        withdraw) bootctl set-oneshot "" >&2; bootctl set-default "$KEPT" >&2 ;;
        undo) undo ;;
    esac
}
