# The health of all units, and which unit files the old and the new system have.
# With HOLD, the supervisor of RUN is asked for time first. hold-lib.sh is a part of it.
# Input: OLD NEW FILES (1: list unit files too) EXTRA_UNITS RUN HOLD
#        COUNT_UNITS (whose restarts are counted: names, or "all" for every service that runs)
#        TIMED_UNITS (whose start is timed, beside those of EXTRA_UNITS)
list_units() {
    systemctl list-units --all --plain --no-legend --full --type=service,socket,timer,path,mount,swap
}

main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    [ -z "$HOLD" ] || ask_for_time || return 1
    IFS= read -r line </proc/stat && printf 'cpu=%s\n' "$line"
    printf 'uid=%s\n' "$(id -u)"
    printf 'current_system=%s\n' "$(readlink -f /run/current-system)"
    IFS= read -r line </proc/sys/kernel/random/boot_id && printf 'boot_id=%s\n' "$line"
    if [ "$FILES" = 1 ]; then
        (cd "$OLD/etc/systemd/system" 2>/dev/null && printf 'old_file=%s\n' *)
        (cd "$NEW/etc/systemd/system" 2>/dev/null && {
            printf 'new_file=%s\n' *
            # What is switched off is a link to /dev/null.
            find . -maxdepth 1 -type l -lname /dev/null -printf 'new_masked=%f\n'
            find . -path './*.wants/*' -printf 'new_wanted=%f\n' -o -path './*.requires/*' -printf 'new_wanted=%f\n'
        })
    fi
    # A list without units says nothing of their health. systemd gives no answer while it
    # re-executes itself.
    units=$(list_units) || { sleep 2; units=$(list_units); } || return 1
    printf '%s\n' "$units" | sed 's/^/listed=/'
    # Counting the restarts of all services takes five times as long as listing all units.
    if [ "$COUNT_UNITS" = all ]; then
        named=$TIMED_UNITS
        counted=$(systemctl show '*.service' --state=active,activating,reloading,deactivating,failed \
            -p Id,LoadState,ActiveState,SubState,Result,ReloadResult,NRestarts) || return 1
        # An empty line ends the last of them.
        printf '%s\n\n' "$counted" | sed 's/^/unit=/'
    else
        # Those that are not well are asked for their results, too.
        # A bullet may stand before their names.
        named=$COUNT_UNITS' '$(printf '%s\n' "$units" |
            sed -n -e 's/^[^[:alnum:]]*//' -e 's/^\([^ ]*\.service\) *[^ ]* *failed .*/\1/p' \
                -e 's/^\([^ ]*\.service\) *[^ ]* *activating .*/\1/p')
    fi
    # Units may be asked for by another of their names: extra= is the one they have. Those
    # of EXTRA_UNITS come first.
    [ -z "${EXTRA_UNITS}${named# }" ] || systemctl show $EXTRA_UNITS $named \
        -p Id,LoadState,ActiveState,SubState,Result,ReloadResult,NRestarts,Type,TriggeredBy \
        -p InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic 2>/dev/null |
        sed -e '/^Id=./{h;s/^Id=/extra=/p;g;}' -e 's/^/unit=/'
}
