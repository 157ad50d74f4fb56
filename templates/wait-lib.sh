# Waits while the supervisor is in one of the phases PASSING (separated by spaces;
# "any" waits for the end), at most SECONDS_TO_WAIT, and prints its state. Each
# phase that it passes is printed as it comes: passing=PHASE.
# Input: RUN PASSING SECONDS_TO_WAIT
wait_for_supervisor() {
    dir=/run/nix-deploy/$RUN
    unit=nix-deploy-$RUN.service
    read -r up _ </proc/uptime
    end=$((${up%.*} + SECONDS_TO_WAIT))
    alive_at=${up%.*}
    told=
    # Opened before the first look, so that no change is missed; the supervisor
    # writes a byte with each.
    [ ! -p "$dir/changed" ] || exec 8<>"$dir/changed"
    while :; do
        [ -d "$dir" ] || { echo gone=1; return 0; }
        phase=
        [ -r "$dir/state" ] && IFS= read -r phase <"$dir/state"
        phase=${phase#phase=}
        case $phase in
            '') ;;
            committed | kept | boot-only | rolled-back | rollback-failed | refused) break ;;
            *)
                case " $PASSING " in *" $phase "* | ' any ') ;; *) break ;; esac
                [ "$phase" = "$told" ] || echo "passing=$phase"
                told=$phase
                ;;
        esac
        read -r up _ </proc/uptime
        [ "${up%.*}" -lt "$end" ] || break
        # A supervisor that died writes nothing more.
        if [ "${up%.*}" -gt $((alive_at + 1)) ]; then
            alive_at=${up%.*}
            # No answer is no word of its death: systemd gives none while it re-executes itself.
            case $(systemctl is-active "$unit" 2>/dev/null) in
                inactive | failed | unknown) echo dead=1; break ;;
            esac
        fi
        wait_for_change
    done
    [ ! -p "$dir/changed" ] || exec 8>&-
    [ -r "$dir/state" ] && cat "$dir/state"
    return 0
}

# Waits until the supervisor says that something changed, at most a second.
wait_for_change() {
    if [ -p "$dir/changed" ]; then
        timeout 1 head -c 1 <&8 >/dev/null
        # 124: nothing did.
        case $? in 0 | 124) return ;; esac
    fi
    sleep 0.1
}
