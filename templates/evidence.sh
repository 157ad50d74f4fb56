# The last journal lines of units since a moment.
# Input: UNITS (separated by spaces), SINCE (seconds since 1970), LINES_EACH
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    for unit in $UNITS; do
        printf 'line=%s:\n' "$unit"
        journalctl --no-pager --quiet -o short --no-hostname --since "@$SINCE" -n "$LINES_EACH" -u "$unit" 2>&1 |
            sed 's/^/line=  /'
    done
}
