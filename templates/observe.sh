# The host after the deploy: memory, load, room, and what the system logged at
# error level since the activation began. Prints key=value lines.
# Input: SINCE (seconds since 1970), LOGS (1: asked)
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    while read -r key value _; do
        case $key in
            MemAvailable:) printf 'memory_kib=%s\n' "$value" ;;
            MemTotal:) printf 'memory_total_kib=%s\n' "$value" ;;
        esac
    done </proc/meminfo
    printf 'load=%s\n' "$(cat /proc/loadavg)"
    printf 'store=%s\n' "$(stat -f -c '%a %S %d %c' /nix/store 2>/dev/null)"
    [ "$LOGS" = 1 ] || return 0
    journalctl --no-pager --quiet -o cat -p err --since "@$SINCE" -n 50 2>/dev/null | sed 's/^/log=/'
    return 0
}
