# What the supervisor and the activation print, from the journal, until they end.
# Input: RUN
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    journalctl --no-pager --quiet --follow --lines=100 -o cat -u "nix-deploy-$RUN.service" &
    follower=$!
    while systemctl --quiet is-active "nix-deploy-$RUN.service"; do sleep 1; done
    kill "$follower"
}
