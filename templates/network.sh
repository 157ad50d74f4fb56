# Network properties of a host. Prints key=value lines. Part of it is measure-lib.sh.
# Input: DNS_NAME (empty: not asked), TAILSCALE and ROUTE (1: asked),
#        ATTEMPTS (how often Tailscale is asked, a second apart, until it is up)
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
    if [ "$ROUTE" = 1 ]; then
        if [ -n "$(measure_route)" ]; then echo default_route=ok; else echo 'default_route=there is none'; fi
    fi
    [ "$TAILSCALE" = 1 ] || return 0
    while
        answer=$(timeout 10 tailscale status --json --peers=false 2>&1)
        code=$?
        ATTEMPTS=$((ATTEMPTS - 1))
        case $answer in *'"Online": true'* | *'"Online":true'*) false ;; esac && [ "$ATTEMPTS" -gt 0 ]
    do
        sleep 1
    done
    if [ "$code" = 0 ]; then
        printf 'tailscale_status=%s\n' "$(printf %s "$answer" | tr '\n' ' ')"
    else
        printf 'tailscale=%s\n' "$(printf %s "${answer:-no answer}" | head -n 1)"
    fi
}
