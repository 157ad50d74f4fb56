# The boot entry of a new system is tried once. systemd-boot enters its one-shot
# entry, which it forgets before it does so, and otherwise the default that the
# firmware keeps: until the new system is proven that is the old one, so a boot that
# comes to nothing is followed by one of the old system. Prints key=value lines.
# Input: WHAT (try, left, keep, withdraw, undo, or end: what another run has left) and,
#        but for `end`, NEW OLD PROFILE. `try` needs RUN and OWNER, those after `left` KEPT: the
#        default that the firmware kept before; empty where it kept none. trial-lib.sh is
#        a part.

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

# What the firmware is to keep after the trial. The entry that a trial has left there
# is none of its own.
kept_default() {
    kept=$(firmware_default)
    if [ -e "$TRIAL" ] && { [ -z "$kept" ] || [ "$kept" = "$(of_trial old)" ]; }; then kept=$(of_trial kept); fi
    printf '%s' "$kept"
}

# Written before the firmware is changed: whoever comes later can tell what has to be
# taken back, also when the host or the deployer went down meanwhile.
record_trial() {
    mkdir -p "${TRIAL%/*}" || return 1
    (umask 077 && printf 'kept=%s\nold=%s\nnew=%s\nrun=%s\nowner=%s\n' "$kept" "$old" "$NEW" "$RUN" "$OWNER" >"$TRIAL.new") || return 1
    mv -f "$TRIAL.new" "$TRIAL" || return 1
    sync "$TRIAL" "${TRIAL%/*}" 2>/dev/null || sync
}

try() {
    # Said of the boot loader that started this boot, not of one that lies on the disk.
    bootctl status 2>/dev/null | grep -q 'Product: systemd-boot' || { echo none=1; return; }
    new=$(entry_of "$NEW")
    old=$(entry_of "$OLD")
    kept=$(kept_default)
    [ -n "$new" ] && [ -n "$old" ] && [ "$new" != "$old" ] || { echo none=1; return; }
    record_trial || { echo refused=1; return; }
    if bootctl set-default "$old" >&2 && bootctl set-oneshot "$new" >&2; then
        printf 'kept=%s\nnew=%s\nold=%s\n' "$kept" "$new" "$old"
    else
        bootctl set-default "$kept" >&2 && rm -f "$TRIAL"
        echo refused=1
    fi
}

# A trial of this system that nobody has ended, because its deployer is gone.
left() {
    [ "$(of_trial new)" = "$NEW" ] || { echo none=1; return; }
    printf 'kept=%s\nnew=%s\nold=%s\n' "$(of_trial kept)" "$(entry_of "$NEW")" "$(of_trial old)"
}

# The host fell back: what boots by itself is the old system from now on.
undo() {
    [ "$(readlink -f /run/current-system)" = "$OLD" ] || return 1
    for link in "$PROFILE"-*-link; do
        [ "$(readlink -f "$link")" != "$OLD" ] || number=${link#"$PROFILE-"}
    done
    nix-env -p "$PROFILE" --switch-generation "${number%-link}" >&2 || return 1
    NIXOS_NO_CHECK=1 "$OLD/bin/switch-to-configuration" boot >&2 || return 1
    back_to_kept
}

# Without a default of the firmware that of loader.conf counts, the new system's.
back_to_kept() {
    bootctl set-default "$KEPT" >&2 || return 1
    rm -f "$TRIAL"
}

main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    case $WHAT in
        try) try ;;
        left) left ;;
        keep) back_to_kept ;;
        withdraw) bootctl set-oneshot "" >&2; back_to_kept ;;
        undo) undo ;;
        end) end_left_trial ;;
    esac
}
