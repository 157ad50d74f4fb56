# What is on the host now, as key=value lines. With CLEAN=1, traces of this run are
# removed when its supervisor has ended.
# Input: RUN PROFILE CLEAN
tell_truth() {
    dir=/run/nix-deploy/$RUN
    unit=nix-deploy-$RUN.service
    # The end is the last that a supervisor writes before it goes. Where systemd gives
    # no answer, as while it re-executes itself, it may live: its traces stay.
    alive=
    case $(sed -n 's/^phase=//p' "$dir/state" 2>/dev/null) in
        committed | kept | boot-only | rolled-back | rollback-failed | refused) ;;
        *)
            if [ -d "$dir" ]; then
                case $(systemctl is-active "$unit" 2>/dev/null) in
                    inactive | failed | unknown) ;;
                    *) alive=1; echo alive=1 ;;
                esac
            fi
            ;;
    esac
    current=$(readlink -f /run/current-system)
    printf 'current_system=%s\n' "$current"
    printf 'profile=%s\n' "$(readlink -f "$PROFILE")"
    printf 'generation=%s\n' "$(readlink "$PROFILE")"
    IFS= read -r boot_id </proc/sys/kernel/random/boot_id
    printf 'boot_id=%s\n' "$boot_id"
    [ -r "$dir/state" ] && sed 's/^/state_/' "$dir/state"
    [ -z "$alive" ] && [ "$CLEAN" = 1 ] || return 0
    # A mark of an earlier run holds again where this one did not get to its own system.
    if [ -e "$dir/unproven" ] &&
        [ "$(sed -n 's/^system=//p' /run/nix-deploy/unproven 2>/dev/null)" != "$current" ]; then
        mv -f "$dir/unproven" /run/nix-deploy/unproven
    fi
    rm -rf "$dir"
    for root in new old owner; do rm -f "/nix/var/nix/gcroots/nix-deploy/$RUN-$root"; done
}
