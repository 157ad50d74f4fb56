# Waits for the supervisor as wait-lib.sh says. With ACK, gives it that word first;
# with TRUTH=1, goes on as truth-lib.sh says when the new system was confirmed.
# Input: ACK TRUTH, and that of the two
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    dir=/run/nix-deploy/$RUN
    if [ -n "$ACK" ]; then
        [ -d "$dir" ] || { echo gone=1; return 0; }
        printf '%s\n' "$ACK" >"$dir/ack.new" && mv -f "$dir/ack.new" "$dir/ack" || return 1
        [ ! -p "$dir/knock" ] || printf . 1<>"$dir/knock"
    fi
    wait_for_supervisor
    [ "$TRUTH" = 1 ] || return 0
    # After anything else the deployer still has questions before traces go.
    case $phase in committed | kept) tell_truth ;; esac
}
