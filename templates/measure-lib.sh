# What is measured of a host, before and after alike. Prints key=value lines. Only the room
# takes programs to ask.

# The processor time since boot.
measure_cpu() {
    IFS= read -r line </proc/stat && printf 'cpu=%s\n' "$line"
}

# An address as /proc/net/route writes it: a number whose lowest byte comes first.
dotted() {
    number=$((0x$1))
    printf %s "$((number & 255)).$((number >> 8 & 255)).$((number >> 16 & 255)).$((number >> 24 & 255))"
}

measure_route() {
    while read -r device destination gateway _ _ _ _ mask _; do
        [ "$destination$mask" = 0000000000000000 ] || continue
        [ "$gateway" = 00000000 ] && printf 'route=%s\n' "$device" ||
            printf 'route=%s on %s\n' "$(dotted "$gateway")" "$device"
        return
    done 2>/dev/null </proc/net/route
    while read -r destination length _ _ gateway _ _ _ _ device; do
        [ "$destination/$length" = 00000000000000000000000000000000/00 ] && [ "$device" != lo ] || continue
        printf 'route=IPv6 on %s\n' "$device"
        return
    done 2>/dev/null </proc/net/ipv6_route
}

measure() {
    while read -r key value _; do
        case $key in
            MemTotal:) printf 'memory_total_kib=%s\n' "$value" ;;
            MemAvailable:) printf 'memory_kib=%s\n' "$value"; break ;;
        esac
    done </proc/meminfo
    IFS= read -r line </proc/loadavg && printf 'load=%s\n' "$line"
    processors=0
    while read -r name _; do
        case $name in cpu) ;; cpu*) processors=$((processors + 1)) ;; *) break ;; esac
    done </proc/stat
    printf 'processors=%s\n' "$processors"
    # Free and all blocks and inodes, and which file system it is.
    store= boot= root_device= boot_device=
    while read -r what path values; do
        case "$what $path" in
            'room /nix/store') store=$values ;;
            'room /boot') boot=$values ;;
            'device /') root_device=$values ;;
            'device /boot') boot_device=$values ;;
        esac
    done <<ROOM
$(stat -f -c 'room %n %a %S %d %c %b' /nix/store /boot 2>/dev/null; stat -c 'device %n %d' / /boot 2>/dev/null)
ROOM
    printf 'store=%s\n' "$store"
    [ "$root_device" = "$boot_device" ] || printf 'boot=%s\n' "$boot"
    set -- /nix/var/nix/profiles/system-*-link
    [ -h "$1" ] && printf 'generations=%s\n' "$#"
    measure_route
}
