# Installs the supervisor, starts it as a unit of its own, and waits for it as
# wait-lib.sh says.
# Input: RUN ABOUT SUPERVISOR, what supervisor.sh names, and that of wait-lib.sh
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    dir=/run/nix-deploy/$RUN
    mkdir -p -m 700 /run/nix-deploy && mkdir -m 700 "$dir" || return 1
    printf '%s\n' "$ABOUT" >"$dir/about" && printf '%s\n' "$SUPERVISOR" >"$dir/supervisor.sh" || return 1
    # Without them the two look at each other's files now and then.
    mkfifo -m 600 "$dir/changed" "$dir/knock" 2>/dev/null
    # With a fraction: what was logged just before is not of this activation.
    since=$(date +%s.%6N)
    case $since in *[!0-9.]*) since=$(date +%s) ;; esac
    printf 'since=%s\n' "$since"
    # No --pipe: a lost connection must not break the activation's output.
    # A unit name of this run: a stale unit of another one cannot block it.
    # It outlives a switch to another target, as to emergency.target, and ends with the system.
    systemd-run --unit="nix-deploy-$RUN" --description="nix-deploy $RUN" \
        --collect --no-ask-password --no-block --quiet --service-type=exec \
        --property=OOMScoreAdjust=-900 --property=IgnoreOnIsolate=yes \
        --property=DefaultDependencies=no --property=Conflicts=shutdown.target --property=Before=shutdown.target \
        --setenv=RUN="$RUN" --setenv=NEW="$NEW" --setenv=OLD="$OLD" \
        --setenv=OLD_PROFILE="$OLD_PROFILE" --setenv=OLD_GENERATION="$OLD_GENERATION" \
        --setenv=GENERATION="$GENERATION" \
        --setenv=PROFILE="$PROFILE" --setenv=ACTION="$ACTION" \
        --setenv=CONFIRM_TIMEOUT="$CONFIRM_TIMEOUT" \
        --setenv=ACTIVATION_TIMEOUT="$ACTIVATION_TIMEOUT" \
        --setenv=LOCK_TIMEOUT="$LOCK_TIMEOUT" \
        --setenv=COMMIT_ID="$COMMIT_ID" --setenv=ACTOR="$ACTOR" --setenv=BROKEN="$BROKEN" \
        --setenv=LOCALE_ARCHIVE="${LOCALE_ARCHIVE:-}" \
        /bin/sh "$dir/supervisor.sh" ||
        # A request whose answer alone is late finds nothing to run.
        { [ -e "$dir/state" ] || { rm -f "$dir/supervisor.sh"; return 1; }; }
    echo started=1
    wait_for_supervisor
}
