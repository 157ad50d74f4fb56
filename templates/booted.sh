# Waits until everything that a boot starts has been started, or has failed.
# Input: SECONDS_TO_WAIT
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    # "degraded" is an exit code of its own, and which units failed is asked later.
    timeout "$SECONDS_TO_WAIT" systemctl is-system-running --wait >/dev/null 2>&1
    return 0
}
