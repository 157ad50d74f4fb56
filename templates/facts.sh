# What a host is before it is touched: printed as key=value lines.
#
# Runs as the login user. What only root may see (locks, traces of earlier
# runs) is asked in the same round trip when the user can elevate without a
# password, or when ELEVATED=1 says that the whole script runs as root already.
#
# Input: ELEVATE (auto none sudo doas run0), ELEVATED, LOGIN_UID (when elevated),
#        PROFILE, ROOT_FACTS (the text of root-facts.sh). SERVICE_MEMORY (1: asked).
#        Parts of it are measure-lib.sh and memory-lib.sh.

say() { printf '%s=%s\n' "$1" "$2"; }

# The first line of a file.
say_file() {
    line=
    [ ! -r "$2" ] || IFS= read -r line <"$2"
    say "$1" "$line"
}

# Paths that are not there resolve to themselves, and are then no store paths.
say_resolved() {
    { read -r current; read -r booted; read -r resolved_profile; } <<PATHS
$(readlink -m /run/current-system /run/booted-system "$PROFILE" 2>/dev/null)
PATHS
    say current_system "$current"
    say booted_system "$booted"
    say profile "$resolved_profile"
}

elevation() {
    # The first way that needs no password; sudo with a password comes last.
    if [ "$uid" = 0 ]; then echo root; return; fi
    for way in sudo doas run0; do
        [ "$ELEVATE" = auto ] || [ "$ELEVATE" = "$way" ] || continue
        command -v "$way" >/dev/null 2>&1 || continue
        case $way in
            sudo) sudo -n -- true >/dev/null 2>&1 ;;
            doas) doas -n -- true >/dev/null 2>&1 ;;
            run0) run0 --no-ask-password -- true >/dev/null 2>&1 ;;
        esac && { echo "$way"; return; }
    done
    case $ELEVATE in
        auto | sudo)
            # A user without any rule is not told apart from one who must give a
            # password: the password will tell.
            command -v sudo >/dev/null 2>&1 && { echo sudo-password; return; } ;;
    esac
    echo impossible
}

# Runs the shell text on standard input as root.
root_shell() {
    case $1 in
        sudo) sudo -n -- /bin/sh -s ;;
        doas) doas -n -- /bin/sh -s ;;
        run0) run0 --no-ask-password -- /bin/sh -s ;;
    esac
}

trust() {
    # A root login needs no trust of the daemon. Nix 2.15 and newer say it; before,
    # the setting does.
    [ "$uid" = 0 ] && { echo 1; return; }
    answer=$(nix --extra-experimental-features nix-command store ping --store daemon 2>&1)
    case $answer in
        *[Tt]rusted:\ 1* | *[Tt]rusted:\ true*) echo 1; return ;;
        *[Tt]rusted:*) echo 0; return ;;
    esac
    for name in $(nix --extra-experimental-features nix-command show-config 2>/dev/null |
        sed -n 's/^trusted-users = //p'); do
        case $name in
            "$user" | '*') echo 1; return ;;
            @*) for group in $(id -Gn); do [ "@$group" = "$name" ] && { echo 1; return; }; done ;;
        esac
    done
    echo 0
}

list_units() {
    systemctl list-units --all --plain --no-legend --full --type=service,socket,timer,path,mount,swap 2>/dev/null
}

main() {
    uid=${LOGIN_UID:-$(id -u)}
    user=$(id -un "$uid" 2>/dev/null)
    say uid "$uid"
    say user "$user"
    if [ "${ELEVATED:-0}" = 1 ]; then how=elevated; else how=$(elevation); say elevation "$how"; fi
    # A slow answer is collected at the same time as the rest.
    { answer=$(trust); say trusted "$answer"; } &
    # Starting Nix to ask for its version would take as long as all the rest.
    say nix "$(readlink -f "$(command -v nix)" 2>/dev/null)"
    say_resolved
    say generation "$(readlink "$PROFILE" 2>/dev/null)"
    say_file machine_id /etc/machine-id
    say_file boot_id /proc/sys/kernel/random/boot_id
    say_file hostname /proc/sys/kernel/hostname
    say_file pid1 /proc/1/comm
    say machine "$(uname -m)"
    measure_cpu
    measure
    [ "${SERVICE_MEMORY:-0}" = 0 ] || service_memory
    say_file uptime /proc/uptime
    deployed=/var/lib/nix-deploy/deployed
    [ -r "$deployed" ] && while IFS= read -r line; do say deployed "$line"; done <"$deployed"
    # Which units are broken is all that is needed here; `systemctl show`, which
    # says more, takes five times as long.
    # No answer, as while systemd re-executes itself, is not a host without units.
    units=$(list_units) || { sleep 2; units=$(list_units); } ||
        { echo 'systemctl list-units: systemd gives no answer' >&2; wait; return 1; }
    # Only one writer from here on: long output is written in pieces.
    wait
    printf '%s\n' "$units" | sed 's/^/listed=/'
    case $how in
        elevated | root) say root_facts 1; eval "$ROOT_FACTS" ;;
        sudo | doas | run0) say root_facts 1; printf '%s\n' "$ROOT_FACTS" | root_shell "$how" ;;
    esac
    return 0
}
