# Runs a health check's program. WORDS is its argv, quoted for a shell.
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    eval "set -- $WORDS"
    "$@" >&2
}
