# Runs on the host as a unit of its own and does the activation, so that nothing
# hangs on ssh. It ends on the new system, confirmed, or on the old one.
#
# trial-lib.sh and emergency-lib.sh are parts of it.
# Input (environment): RUN NEW OLD OLD_PROFILE OLD_GENERATION PROFILE ACTION
#   CONFIRM_TIMEOUT ACTIVATION_TIMEOUT LOCK_TIMEOUT (seconds)
#   GENERATION (the one that has NEW already, may be empty)
#   COMMIT_ID ACTOR (for the record of what is deployed)
#   BROKEN (units that had failed before, separated by spaces)
# Files, all in the root-only folder /run/nix-deploy/RUN:
#   about  who started this, written before us        state  ours, replaced atomically
#   ack    "commit" or "rollback", written by the deployer, by rename
#   said   what the new system's switch-to-configuration printed when it failed
#   hold   seconds: a fresh login and elevation were proven, and the deployer, who looks
#          at the host's health, is there: the confirmation is waited for so long from now
#          on. It is said again and again, so that a cut in that time is noticed as well
#   changed, knock   pipes for a byte: whoever waits for a file to change (the
#          deployer for state, we for ack and hold) looks at once, and else
#          every second; no more hangs on them
#
# And beside that folder, until an end is reached that is proven or is the old system:
#   /run/nix-deploy/unproven   system=, old=, and broken= as above: what runs then without
#          a proof, or, half replaced, the old one; and which failed units neither may be
#          blamed for
#
# Profile and boot loader are touched only in commit(): a power cut before it
# boots the old system. Undo goes to the recorded path, never "one back".

DIR=/run/nix-deploy/$RUN
COMMITTING=/var/lib/nix-deploy/committing
# Programs of the old system, by store path: it has a root for garbage collection
# and outlives the switch. The rest is for hosts whose system brings no shell tools.
PATH=$OLD/sw/bin:$OLD/systemd/bin:/nix/var/nix/profiles/default/bin:/run/wrappers/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH
stc_exit=
activation_ms=
boot_loader_lost=
marked=

# Sets now: milliseconds of a clock that only goes forward.
look_at_clock() {
    read -r up _ </proc/uptime
    fraction=${up#*.}
    now=$((${up%.*} * 1000 + ${fraction#0} * 10))
}

state() {
    settle_mark "$1"
    printf 'phase=%s\nexit_code=%s\nactivation_ms=%s\nreason=%s\n' \
        "$1" "$stc_exit" "$activation_ms" "$2" >"$DIR/state.new" && mv -f "$DIR/state.new" "$DIR/state"
    # Opened for both ways, a pipe without a reader does not block.
    [ ! -p "$DIR/changed" ] || printf . 1<>"$DIR/changed"
    echo "nix-deploy: $1: $2"
}

# Says that what runs from here on is not proven.
mark() {
    mv -f /run/nix-deploy/unproven "$DIR/unproven" 2>/dev/null
    printf 'system=%s\nold=%s\nbroken=%s\n' "$NEW" "$OLD" "$BROKEN" >/run/nix-deploy/unproven
    marked=1
}

# At a good end that does not hold any more. The old system is what it was: proven, or
# marked by a run before.
settle_mark() {
    [ -n "$marked" ] || return 0
    case $1 in
        committed | kept) rm -f /run/nix-deploy/unproven "$DIR/unproven" ;;
        boot-only | rolled-back | refused)
            rm -f /run/nix-deploy/unproven
            [ ! -e "$DIR/unproven" ] || mv -f "$DIR/unproven" /run/nix-deploy/unproven
            ;;
    esac
}

# Whether the host runs a system.
runs() { [ "$(readlink -f /run/current-system)" = "$1" ]; }

# Ends every process of this unit but this shell: what a cut-off activation left
# behind would hold its lock.
sweep() {
    group=$(sed -n 's/^0:://p' /proc/self/cgroup)
    for list in "/sys/fs/cgroup$group/cgroup.procs" "/sys/fs/cgroup/unified$group/cgroup.procs" \
        "/sys/fs/cgroup/systemd$group/cgroup.procs"; do
        [ -r "$list" ] || continue
        while read -r pid; do
            [ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null
        done <"$list"
        return
    done
}

# switch-to-configuration of system $1 with action $2, held to a deadline. Its
# output goes to our journal and to a file, so that its words can be looked at.
stc() {
    # It ends in the middle when a word cannot be written: where /run is full, or our
    # folder gone, the journal alone has its words.
    if head -c 65536 /dev/zero 2>/dev/null >"$DIR/stc.log"; then
        run_stc "$1" "$2" >"$DIR/stc.log" 2>&1
        code=$?
        cat "$DIR/stc.log"
    else
        rm -f "$DIR/stc.log"
        run_stc "$1" "$2" 2>&1
        code=$?
    fi
    # 124: timeout ended it; 137: it had to be killed.
    case $code in 124 | 137) sweep ;; esac
    # Kept for the report: the rollback's own output comes after it.
    [ "$code" = 0 ] || [ "$1" != "$NEW" ] || cp -f "$DIR/stc.log" "$DIR/said"
    return "$code"
}

run_stc() {
    timeout --signal=TERM --kill-after=10 "$ACTIVATION_TIMEOUT" \
        "$1/bin/switch-to-configuration" "$2" 8>&- 9>&- &
    wait "$!"
}

# Whether the last activation had begun to change the host, by its own words.
had_begun() {
    [ ! -e "$DIR/stc.log" ] ||
        grep -Eq '^(stopping|restarting|reloading|starting) (the following|swap device)|^activating the configuration' "$DIR/stc.log"
}

# Units whose start or stop an activation waited for when its time was over.
unfinished_jobs() {
    units=
    jobs=$(systemctl list-jobs --plain --no-legend 2>/dev/null)
    while read -r _ unit _ job_state; do
        [ "$job_state" != running ] || units=${units:+$units, }$unit
    done <<JOBS
$jobs
JOBS
    [ -z "$units" ] || printf '; it waited for %s' "$units"
}

lock_refused() {
    # Newer systems say 11, older ones 1 and a sentence.
    [ "$1" = 11 ] || { [ "$1" = 1 ] && grep -q 'Could not acquire lock' "$DIR/stc.log" 2>/dev/null; }
}

# The same, trying again while another activation holds the lock.
stc_patiently() {
    look_at_clock
    give_up=$((now + LOCK_TIMEOUT * 1000))
    while :; do
        stc "$1" "$2"
        code=$?
        lock_refused "$code" || return "$code"
        look_at_clock
        [ "$now" -lt "$give_up" ] || return 11
        [ "$3" = quiet ] || state waiting "another activation holds the lock of switch-to-configuration"
        sleep 0.5
        # Whoever held the lock may have activated something else.
        [ "$3" = quiet ] || runs "$OLD" || return 11
    done
}

refuse() {
    state refused "$1"
    exit 0
}

roll_back() {
    state rolling-back "$1"
    NIXOS_NO_CHECK=1
    export NIXOS_NO_CHECK
    # By a link that leads nowhere no system is known, and only a reboot could enter one.
    [ -e /run/current-system/init-interface-version ] || ln -sfn "$OLD" /run/current-system
    ! entered_emergency || leave_emergency
    stc_patiently "$OLD" test quiet
    code=$?
    # Where what it needs fails by now, the old system takes the host there by itself.
    if [ "$code" != 0 ] && entered_emergency; then
        leave_emergency
        stc_patiently "$OLD" test quiet
        code=$?
    fi
    allow_emergency
    # Units that only the new system had stay listed as failed until they are reset.
    systemctl list-units --state=failed --plain --no-legend 2>/dev/null | while read -r unit load _; do
        [ "$load" = not-found ] && systemctl reset-failed "$unit"
    done
    # 4: a unit failed; whether it had failed before is judged by the deployer.
    case $code in
        0 | 4)
            if runs "$OLD"; then
                [ -z "$boot_loader_lost" ] || { state rollback-failed "$1; $boot_loader_lost"; exit 1; }
                state rolled-back "$1"
                exit 0
            fi
            ;;
    esac
    ended="ended with exit code $code"
    case $code in 124 | 137) ended="did not end within ${ACTIVATION_TIMEOUT} s$(unfinished_jobs)" ;; esac
    state rollback-failed "$1; activating the old system $ended"
    exit 1
}

# After the new system ran: what a person has activated since, perhaps to rescue the host,
# stays. A link that is gone or leads nowhere is nobody's system.
leave_to_others() {
    runs "$NEW" && return
    runs "$OLD" && return
    current=$(readlink -f /run/current-system)
    case $current in
        /nix/store/*)
            [ ! -x "$current/bin/switch-to-configuration" ] ||
                refuse "somebody else activated $current meanwhile; the new system was to be taken back: $1"
            ;;
    esac
}

# nix-env on the system profile. It waits for locks of the profile without an end.
profile() {
    timeout --signal=TERM --kill-after=10 "$ACTIVATION_TIMEOUT" nix-env -p "$PROFILE" "$@" 8>&- 9>&-
}

# Puts profile and boot loader back to what they were; says so when it cannot.
uncommit() {
    made=$(readlink "$PROFILE")
    if [ -n "$OLD_GENERATION" ] && [ "$(readlink -f "$PROFILE-$OLD_GENERATION-link")" = "$OLD_PROFILE" ]; then
        profile --switch-generation "$OLD_GENERATION"
    elif [ -n "$OLD_PROFILE" ]; then
        profile --set "$OLD_PROFILE"
    fi
    made=${made#"${PROFILE##*/}-"}
    made=${made%-link}
    # A generation that was there before stays: Nix makes no second one for the same system.
    case " $generations_before " in
        *" $PROFILE-$made-link "*) ;;
        *) [ -z "$made" ] || profile --delete-generations "$made" ;;
    esac
    [ -n "$OLD_PROFILE" ] || return 0
    [ "$(readlink -f "$PROFILE")" = "$OLD_PROFILE" ] ||
        boot_loader_lost="the system profile could not be put back to $OLD_PROFILE"
    NIXOS_NO_CHECK=1
    export NIXOS_NO_CHECK
    stc_patiently "$OLD_PROFILE" boot quiet ||
        boot_loader_lost="the boot loader could not be put back: what the next boot enters is not known"
    [ -n "$boot_loader_lost" ] || rm -f "$COMMITTING"
}

# Makes the new system the boot default. A failure leaves everything as it was.
commit() {
    state committing "$1"
    # A power cut from here on may leave a boot loader that does not know the profile's
    # system: until both are done, the next run does not call the host unchanged.
    mkdir -p /var/lib/nix-deploy && printf '%s\n' "$NEW" >"$COMMITTING"
    generations_before=$(echo "$PROFILE"-*-link)
    if [ "$(readlink -f "$PROFILE")" != "$NEW" ]; then
        # Back to a generation that is there; a new one would hide which came before it.
        if [ -n "$GENERATION" ] && [ "$(readlink -f "$PROFILE-$GENERATION-link")" = "$NEW" ]; then
            profile --switch-generation "$GENERATION"
        else
            profile --set "$NEW"
        fi
        code=$?
        # Cut off, it may have made the generation all the same.
        if [ "$code" != 0 ]; then
            if [ "$(readlink -f "$PROFILE")" = "$OLD_PROFILE" ]; then rm -f "$COMMITTING"; else uncommit; fi
            return 1
        fi
    fi
    if ! stc_patiently "$NEW" boot quiet; then
        uncommit
        return 1
    fi
    # Else the next boot would be one of the system before an earlier reboot. Where the
    # firmware takes no change the record stays, and the next run tells.
    end_left_trial
    rm -f "$COMMITTING"
    printf 'path=%s\ncommit=%s\nrun=%s\nactor=%s\n' "$NEW" "$COMMIT_ID" "$RUN" "$ACTOR" \
        >/var/lib/nix-deploy/deployed.new &&
        mv -f /var/lib/nix-deploy/deployed.new /var/lib/nix-deploy/deployed
    return 0
}

boot_only() {
    if commit "$1"; then
        state boot-only "$1"
        exit 0
    fi
    [ -z "$boot_loader_lost" ] ||
        { state rollback-failed "the new system could not be made the boot default; $boot_loader_lost"; exit 1; }
    state refused "the new system could not be made the boot default; profile and boot loader are as before"
    exit 1
}

# Waits for the deployer's word. The clock starts when the new system runs.
wait_for_word() {
    [ ! -p "$DIR/knock" ] || exec 8<>"$DIR/knock"
    look_at_clock
    until_ms=$((now + CONFIRM_TIMEOUT * 1000))
    while [ ! -e "$DIR/ack" ]; do
        if [ -e "$DIR/hold" ]; then
            IFS= read -r seconds <"$DIR/hold"
            rm -f "$DIR/hold"
            look_at_clock
            [ $((now + seconds * 1000)) -le "$until_ms" ] || until_ms=$((now + seconds * 1000))
        fi
        look_at_clock
        [ "$now" -lt "$until_ms" ] || { word=timeout; return; }
        wait_for_knock
    done
    IFS= read -r word <"$DIR/ack"
}

# Waits until somebody knocks, at most a second.
wait_for_knock() {
    if [ -p "$DIR/knock" ]; then
        timeout 1 head -c 1 <&8 >/dev/null
        # 124: nobody did.
        case $? in 0 | 124) return ;; esac
    fi
    sleep 0.1
}

state starting "the supervisor has started"
exec 9>/run/nix-deploy/lock
# A supervisor that has just written its end still holds it for a moment.
flock -w 1 9 || refuse "another deploy holds the host"
cat "$DIR/about" >/run/nix-deploy/holder
runs "$OLD" || refuse "the host runs $(readlink -f /run/current-system) now, no longer $OLD"
[ "$(readlink -f "$PROFILE")" = "$OLD_PROFILE" ] || refuse "somebody else changed the system profile meanwhile"

[ "$ACTION" = boot ] && boot_only "asked for the next boot"

# As an image without the tools to change it.
[ -x "$OLD/bin/switch-to-configuration" ] ||
    refuse "the running system cannot be activated again, so the new one could not be taken back"

mark
state activating "switch-to-configuration test"
look_at_clock
begun=$now
stc_patiently "$NEW" test
stc_exit=$?
look_at_clock
activation_ms=$((now - begun))
case $stc_exit in
    0 | 4) ;;
    100)
        [ "$ACTION" != test ] ||
            refuse "switch-to-configuration refused the new system: only a reboot can enter it, and a test makes no boot default"
        boot_only "only a reboot can enter the new system"
        ;;
    11) refuse "another activation holds the lock of switch-to-configuration" ;;
    124 | 137) roll_back "the activation did not end within ${ACTIVATION_TIMEOUT} s$(unfinished_jobs)" ;;
    1)
        # Usage, pre-switch check or inhibitor: nothing was changed, if host and words agree.
        # Newer ones end so, too, when systemd fails them while they stop units.
        runs "$OLD" && ! had_begun && refuse "switch-to-configuration refused the new system"
        roll_back "switch-to-configuration failed with exit code 1"
        ;;
    2) roll_back "the activation script failed" ;;
    *) roll_back "switch-to-configuration ended with exit code $stc_exit" ;;
esac
runs "$NEW" || roll_back "the activation ended, but $NEW is not the running system"
[ "$stc_exit" = 0 ] || ! entered_emergency ||
    roll_back "a unit that the system cannot be without failed, and systemd entered emergency mode"

state activated "waiting for the confirmation"
wait_for_word
case $word in
    commit)
        # Neither is ours to change back or to confirm then.
        runs "$NEW" || refuse "somebody else activated $(readlink -f /run/current-system) meanwhile"
        [ "$(readlink -f "$PROFILE")" = "$OLD_PROFILE" ] ||
            roll_back "somebody else changed the system profile meanwhile"
        if [ "$ACTION" = test ]; then
            state kept "confirmed; the next boot returns to the old system"
            exit 0
        fi
        commit "confirmed" && { state committed "confirmed"; exit 0; }
        roll_back "the boot loader could not be changed"
        ;;
    rollback)
        leave_to_others "the deployer asked for it"
        roll_back "the deployer asked for it"
        ;;
    *)
        leave_to_others "nobody confirmed within ${CONFIRM_TIMEOUT} s"
        roll_back "nobody confirmed within ${CONFIRM_TIMEOUT} s"
        ;;
esac
