# The host after the activation: what is measured, memory of services, enabled services that do not run, the last garbage collection, and what was
# logged at error level since. Prints key=value lines. Parts of it are measure-lib.sh
# and memory-lib.sh.
# Input: SINCE (seconds since 1970), NEW (the new system), LINES (at most so many of the journal)

# Services that a target wants and that are neither active nor failed, with what tells
# whether that is as it should be.
idle_services() {
    units=
    for file in /etc/systemd/system/*.target.wants/*.service; do
        case $file in *'*'*) ;; *) units="$units ${file##*/}" ;; esac
    done
    [ -n "$units" ] || return 0
    states=$(systemctl is-active $units 2>/dev/null)
    idle=
    for unit in $units; do
        IFS= read -r state || state=
        [ "$state" != inactive ] || case " $idle " in *" $unit "*) ;; *) idle="$idle $unit" ;; esac
    done <<STATES
$states
STATES
    [ -z "$idle" ] || systemctl show $idle \
        -p Id,LoadState,Type,TriggeredBy,ConditionResult,ConditionTimestampMonotonic 2>/dev/null | sed 's/^/idle=/'
}

# A collection makes a socket and removes it (since Nix 2.4); the timer of NixOS leaves a stamp.
garbage() {
    printf 'now=%s\n' "$(date +%s)"
    stat -c 'garbage=%Y' /nix/var/nix/gc-socket /var/lib/systemd/timers/stamp-nix-gc.timer 2>/dev/null
}

journal() {
    journalctl --no-pager --quiet -p err -o json --output-fields=MESSAGE,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER "$@" 2>/dev/null |
        sed 's/"__CURSOR":"[^"]*",//'
}

errors() {
    lines=$(journal --since "@$SINCE" -n "$LINES")
    [ -n "$lines" ] || return 0
    printf '%s\n' "$lines" | sed 's/^/log=/'
    printf 'log_lines=%s\n' "$(journal --since "@$SINCE" | wc -l)"
    journal --since "@$((${SINCE%.*} - 86400))" --until "@$SINCE" -n "$LINES" | sed 's/^/earlier=/'
}

main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    measure
    # Where files of the boot loader are on a file system of their own.
    [ "$root_device" = "$boot_device" ] ||
        stat -L -c 'boot_file=%s' "$NEW/kernel" "$NEW/initrd" 2>/dev/null
    service_memory
    idle_services
    garbage
    errors
    measure_cpu
    return 0
}
