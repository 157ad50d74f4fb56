# A mount that the system needs and that fails takes the host to emergency.target, from a
# switch as well as from a boot. Everything but the supervisor is stopped then: sshd, and
# the bus that switch-to-configuration needs; and what is not active is not started again
# by activating the old system. Part of supervisor.sh.

# Whether somebody is at work there already: then it is not ours to leave.
emergency_before=
for unit in emergency rescue; do
    [ ! -h "/run/systemd/units/invocation:$unit.service" ] || emergency_before=1
done

entered_emergency() {
    [ -z "$emergency_before" ] || return 1
    # Also while it is on its way there.
    case $(systemctl show -p ActiveState -p Job emergency.target rescue.target 2>/dev/null) in
        *ActiveState=active* | *Job=[1-9]*) ;;
        *) return 1 ;;
    esac
}

# Comes before the units of every system.
NO_EMERGENCY=/run/systemd/system.control/emergency.target

# Starts what a boot of the old system starts. Its units come first: those of the new one
# would end in an emergency again. So would the old one's where the mount fails by now
# under it as well; then the host does without, as it did before.
leave_emergency() {
    mkdir -p "${NO_EMERGENCY%/*}" && ln -sfn /dev/null "$NO_EMERGENCY"
    timeout --signal=TERM --kill-after=10 "$ACTIVATION_TIMEOUT" "$OLD/activate" "$OLD" 8>&- 9>&-
    systemctl daemon-reload
    look_at_clock
    give_up=$((now + ACTIVATION_TIMEOUT * 1000))
    # As long as its jobs have not ended, no others may take their place.
    until timeout "$ACTIVATION_TIMEOUT" systemctl isolate default.target; do
        look_at_clock
        [ "$now" -lt "$give_up" ] || return
        sleep 0.5
    done
}

allow_emergency() {
    [ -h "$NO_EMERGENCY" ] || return 0
    rm -f "$NO_EMERGENCY"
    systemctl daemon-reload
}
