# The host after the activation: what is measured, memory of services that may use only
# so much, enabled services that do not run, the last garbage collection, and what was
# logged at error level since. Prints key=value lines. Part of it is measure-lib.sh.
# Input: SINCE (seconds since 1970), NEW (the new system), LINES (at most so many of the journal)

# used limit unit
say_memory() { printf 'service_memory=%s %s %s\n' "$1" "$2" "$3"; }

# What a control group uses and cannot give back at once: all but the file cache that
# was not used lately.
used_by_group() {
    read -r used <"$1/memory.current" || return
    while read -r key value; do
        [ "$key" = inactive_file ] && used=$((used - value)) && break
    done 2>/dev/null <"$1/memory.stat"
    [ "$used" -ge 0 ] || used=0
}

service_memory() {
    controlled=
    for file in /sys/fs/cgroup/*.slice/*.service/memory.max \
        /sys/fs/cgroup/*.slice/*.slice/*.service/memory.max \
        /sys/fs/cgroup/*.slice/*.slice/*.slice/*.service/memory.max; do
        read -r limit 2>/dev/null <"$file" || continue
        controlled=1
        [ "$limit" != max ] || continue
        group=${file%/*}
        used_by_group "$group" 2>/dev/null && say_memory "$used" "$limit" "${group##*/}"
    done
    [ -z "$controlled" ] || return 0
    # A kernel without a memory controller in the unified hierarchy: what the settings
    # allow, against the resident memory of the processes.
    units=
    for file in $(grep -ls '^MemoryMax=' /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf \
        /run/systemd/transient/*.service /run/systemd/transient/*.service.d/*.conf); do
        case $file in *.conf) file=${file%.d/*} ;; esac
        case $file in *@.service) ;; *) units="$units ${file##*/}" ;; esac
    done
    [ -n "$units" ] || return 0
    page=$(getconf PAGE_SIZE 2>/dev/null || echo 4096)
    { systemctl show -p Id,MemoryMax,ControlGroup $units 2>/dev/null; echo; } | while IFS='=' read -r key value; do
        case $key in
            Id) unit=$value ;;
            MemoryMax) limit=$value ;;
            ControlGroup) group=$value ;;
            '')
                case $limit in '' | infinity) group= ;; esac
                [ -z "$group" ] || resident_memory
                group= ;;
        esac
    done
}

resident_memory() {
    for root in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        [ -r "$root$group/cgroup.procs" ] || continue
        used=0
        while read -r process; do
            read -r _ resident _ 2>/dev/null <"/proc/$process/statm" && used=$((used + resident * page))
        done <"$root$group/cgroup.procs"
        say_memory "$used" "$limit" "$unit"
        return
    done
}

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
