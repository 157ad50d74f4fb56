# Network properties of a host. Prints key=value lines.
# Input: DNS_NAME (empty: not asked), TAILSCALE (1: asked)
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    if [ -n "$DNS_NAME" ]; then
        # The system's own way of resolving, nsswitch included.
        if answer=$(timeout 10 getent ahosts "$DNS_NAME" 2>&1); then
            echo dns=ok
        else
            printf 'dns=%s\n' "cannot resolve $DNS_NAME"
        fi
    fi
    if [ "$TAILSCALE" = 1 ]; then
        if answer=$(timeout 10 tailscale status --peers=false 2>&1); then
            echo tailscale=ok
        else
            printf 'tailscale=%s\n' "$(printf %s "${answer:-no answer}" | head -n 1)"
        fi
    fi
}
