# Memory of services that may use only so much. Prints service_memory=USED LIMIT UNIT lines.
# Reads only the kernel's files where it counts memory by unit.

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
