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
    looks=0
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
            case $(systemctl is-active "$unit") in
                active | activating | reloading | deactivating) ;;
                *) echo dead=1; break ;;
            esac
        fi
        # Most waits are short; a long one is in no hurry.
        looks=$((looks + 1))
        if [ "$looks" -lt 200 ]; then sleep 0.01; else sleep 0.05; fi
    done
    [ -r "$dir/state" ] && cat "$dir/state"
    return 0
}
