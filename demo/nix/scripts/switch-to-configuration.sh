# NixOS' switch-to-configuration in shell: the same order, lock, lists, wording and exit codes.
# Only units whose files are in /etc/systemd/system are looked at.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
trap '' HUP PIPE
action=${1-}
case $action in
    @actions@) ;;
    *)
        cat >&2 <<USAGE
Usage: $0 [$(echo '@actions@')]

check:        run pre-switch checks and exit
switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated
USAGE
        exit 1
        ;;
esac
if [ ! -e /etc/NIXOS ]; then echo "This is not a NixOS installation!" >&2; exit 1; fi

# The lock belongs to this very process, as /proc/locks shows, and not to its children.
lists=/run/nixos
if [ -z "${STC_LOCKED-}" ]; then
    [ -d "$lists" ] || mkdir -p "$lists"
    lock=$lists/switch-to-configuration.lock
    if ! flock --nonblock "$lock" true; then echo "Could not acquire lock" >&2; exit 11; fi
    STC_LOCKED=1 exec flock --no-fork --nonblock --conflict-exit-code 11 "$lock" "$0" "$@"
fi
unset STC_LOCKED
lock_fd=
for fd in 3 4 5 6 7 8 9; do
    if [ "/proc/$$/fd/$fd" -ef "$lists/switch-to-configuration.lock" ]; then lock_fd=$fd; fi
done
run() { eval '"$@"' "$lock_fd>&-"; }

if [ "${NIXOS_NO_CHECK-}" != 1 ]; then run "$systemConfig/pre-switch-check" "$systemConfig" "$action" || exit 1; fi
if [ "$action" = check ]; then exit 0; fi

case $action in switch | boot) run "$systemConfig/install-boot-loader" "$systemConfig" || exit 1 ;; esac
if [ "$action" = boot ]; then exit 0; fi

read -r interface </run/current-system/init-interface-version || true
if [ "${interface-}" != "@initInterfaceVersion@" ]; then
    cat >&2 <<'WARNING'
Warning: the new NixOS configuration has an ‘init’ that is
incompatible with the current configuration.  The new configuration
won't take effect until you reboot the system.
WARNING
    exit 100
fi

# "a b c" → "a, b, c"
join() {
    joined=$1
    shift
    for word; do joined="$joined, $word"; done
    printf '%s\n' "$joined"
}
tell() { # MESSAGE UNITS
    # shellcheck disable=SC2086 # unit names have no blanks
    if [ -n "$2" ]; then printf '%s: ' "$1"; join $2; fi >&2
}
list_units() { systemctl list-units --all --full --plain --no-legend --no-pager; }
list_file() { if [ -e "$1" ]; then while read -r unit; do echo "$2 $unit"; done <"$1"; fi; }

# Plans from: active units, unit files of the running and of this system, lists of an interrupted run.
units_before=$(list_units)
plan=$({
    printf '%s\n' "$units_before"
    echo --old
    readlink /etc/systemd/system/*.*
    echo --new
    readlink "$systemConfig"/etc/systemd/system/*.*
    echo --resume
    list_file "$lists/start-list" start
    list_file "$lists/restart-list" restart
    list_file "$lists/reload-list" reload
} | awk '
    function basename(path) { sub(/.*\//, "", path); return path }
    function truth(text) { return text ~ /^(1|yes|true|on)$/ }
    # Reads a unit file once; sections do not matter for the keys asked for.
    function key(path, name, default_value,    line, at) {
        if (!(path in read)) {
            read[path] = 1
            while ((getline line < path) > 0) {
                at = index(line, "=")
                if (at) value[path, substr(line, 1, at - 1)] = substr(line, at + 1)
            }
            close(path)
        }
        return ((path, name) in value) ? value[path, name] : default_value
    }
    function sorted(set, hidden,    count, names, name, i, j, text) {
        count = 0
        for (name in set) if (!(name in hidden)) {
            for (i = count++; i > 0 && names[i] > name; i--) names[i + 1] = names[i]
            names[i + 1] = name
        }
        text = ""
        for (j = 1; j <= count; j++) text = text " " names[j]
        return text
    }
    function file_of(unit, files,    base) {
        if (unit in files) return files[unit]
        base = unit
        if (sub(/@[^.]*[.]/, "@.", base) && base in files) return files[base]
        base = unit
        if (sub(/@.*[.]/, "@.", base) && base in files) return files[base]
        return ""
    }
    function modified(unit, path,    count, sockets, i, activated) {
        # As on NixOS: changed sockets are left as they are, unless their service changes as well.
        if (unit ~ /\.(path|slice|mount|socket)$/) return
        if (truth(key(path, "X-ReloadIfChanged", 0)) && !(unit in restart) && !(unit in stop)) { reload[unit]; return }
        if (!truth(key(path, "X-RestartIfChanged", 1)) || truth(key(path, "RefuseManualStop", 0)) || truth(key(path, "X-OnlyManualStart", 0))) {
            skip[unit]
            return
        }
        delete reload[unit]
        if (!truth(key(path, "X-StopIfChanged", 1)) || unit !~ /\.service$/) { restart[unit]; return }
        activated = 0
        i = unit
        sub(/\.service$/, "", i)
        count = split(key(path, "Sockets", i ".socket"), sockets, " ")
        for (i = 1; i <= count; i++) if (sockets[i] in state) {
            stop[sockets[i]]
            if (file_of(sockets[i], new) != "") { start[sockets[i]]; activated = 1 }
            delete reload[sockets[i]]
        }
        if (!activated) start[unit]
        stop[unit]
    }
    /^--/ { section = $1; next }
    section == "" { if ($3 != "inactive") state[$1] = $3; next }
    section == "--old" { old[basename($1)] = $1; next }
    section == "--new" { new[basename($1)] = $1; next }
    $1 == "start" { start[$2] }
    $1 == "restart" { restart[$2] }
    $1 == "reload" { reload[$2] }
    END {
        for (unit in state) {
            before = file_of(unit, old)
            if (before == "" || before == "/dev/null" || (state[unit] != "active" && state[unit] != "activating")) continue
            after = file_of(unit, new)
            if (after == "" || after == "/dev/null") {
                if (truth(key(before, "X-StopOnRemoval", 1))) stop[unit]
            } else if (unit ~ /\.target$/) {
                if (!truth(key(after, "RefuseManualStart", 0)) && !truth(key(after, "X-OnlyManualStart", 0))) { start[unit]; filter[unit] }
                if (truth(key(after, "X-StopOnReconfiguration", 0))) stop[unit]
            } else if (before != after) modified(unit, after)
        }
        print "stop" sorted(stop, none)
        print "skip" sorted(skip, none)
        print "reload" sorted(reload, none)
        print "restart" sorted(restart, none)
        print "start" sorted(start, none)
        print "shown" sorted(start, filter)
    }')
while read -r kind units; do
    case $kind in
        stop) stop=$units ;; skip) skip=$units ;; reload) reload=$units ;;
        restart) restart=$units ;; start) start=$units ;; shown) shown=$units ;;
    esac
done <<PLAN
$plan
PLAN

if [ "$action" = dry-activate ]; then
    tell "would stop the following units" "$stop"
    tell "would NOT stop the following changed units" "$skip"
    echo "would activate the configuration..." >&2
    tell "would reload the following units" "$reload"
    tell "would restart the following units" "$restart"
    tell "would start the following units" "$shown"
    exit 0
fi

# shellcheck disable=SC2086 # unit names have no blanks
{
    if [ -n "$start" ]; then printf '%s\n' $start >"$lists/start-list"; fi
    if [ -n "$restart" ]; then printf '%s\n' $restart >"$lists/restart-list"; fi
    if [ -n "$reload" ]; then printf '%s\n' $reload >"$lists/reload-list"; fi
}
@beforeSwitch@

result=0
# shellcheck disable=SC2086
if [ -n "$stop" ]; then
    tell "stopping the following units" "$stop"
    run systemctl stop -- $stop
fi
tell "NOT restarting the following changed units" "$skip"

echo "activating the configuration..." >&2
run "$systemConfig/activate" "$systemConfig" || result=2

run systemctl reset-failed
run systemctl daemon-reload || result=3

# What was to be reloaded but is not running is started instead: its requirement may have been stopped.
if [ -n "$reload" ]; then
    still=
    for unit in $reload; do
        if systemctl --quiet is-active "$unit"; then still="$still $unit"; else
            start="$start $unit"
            shown="$shown $unit"
            echo "$unit" >>"$lists/start-list"
        fi
    done
    reload=${still# }
fi
# shellcheck disable=SC2086
if [ -n "$reload" ]; then
    tell "reloading the following units" "$reload"
    run systemctl reload -- $reload || result=4
fi
# shellcheck disable=SC2086
if [ -n "$restart" ]; then
    tell "restarting the following units" "$restart"
    run systemctl restart -- $restart || result=4
fi
# shellcheck disable=SC2086
if [ -n "$start" ]; then
    tell "starting the following units" "${shown# }"
    run systemctl start -- $start || result=4
fi
rm -f "$lists/reload-list" "$lists/restart-list" "$lists/start-list"

# Units settle: NixOS waits for 250 ms of silence; what is on its way gets a while longer.
sleep 0.25
tries=0
while units_after=$(list_units) && [ "$tries" -lt 50 ]; do
    case $(systemctl list-jobs --plain --no-legend 2>/dev/null) in '' | 'No jobs'*) break ;; esac
    tries=$((tries + 1))
    sleep 0.1
done
verdict=$({
    printf '%s\n' "$units_before"
    echo --after
    printf '%s\n' "$units_after"
} | awk '
    /^--/ { after = 1; next }
    $3 == "inactive" { next }
    !after { known[$1]; next }
    $3 == "failed" { print "failed", $1; next }
    $4 == "auto-restart" { print "restarting", $1; next }
    !($1 in known) && $1 !~ /\.scope$/ { print "new", $1 }' | sort)
failed=
new=
while read -r kind unit; do
    case $kind in
        failed) failed="$failed $unit" ;;
        new) new="$new $unit" ;;
        # In an auto-restart loop: it failed if it failed the last time.
        restarting)
            if [ "$(systemctl show --value --property=ExecMainStatus "$unit")" != 0 ]; then failed="$failed $unit"; fi
            ;;
    esac
done <<VERDICT
$verdict
VERDICT
tell "the following new units were started" "${new# }"
# shellcheck disable=SC2086
if [ -n "$failed" ]; then
    tell "warning: the following units failed" "${failed# }"
    run systemctl status --no-pager --full -- $failed >&2
    result=4
fi
exit "$result"
