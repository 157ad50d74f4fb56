# Tells the host to reboot, and does not wait for it. No input.
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    systemctl --no-block reboot >&2
}
