# The record of a boot entry that is tried once, and how a trial ends that its run
# could not end: part of boot-trial.sh and of supervisor.sh. The record is there from
# before the firmware is changed until it is as before again, also over reboots.

TRIAL=/var/lib/nix-deploy/boot-trial

# One value of the record.
of_trial() { sed -n "s/^$1=//p" "$TRIAL" 2>/dev/null; }

# The default entry in the firmware: four bytes of attributes, then UTF-16.
firmware_default() {
    variable=/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
    [ ! -r "$variable" ] || tail -c +5 "$variable" | tr -d '\000'
}

# Takes back what a trial set in the firmware. A default that somebody has set since
# then is left alone.
end_left_trial() {
    [ -e "$TRIAL" ] || return 0
    bootctl set-oneshot "" >&2 || return 1
    case $(firmware_default) in
        "" | "$(of_trial old)") bootctl set-default "$(of_trial kept)" >&2 || return 1 ;;
    esac
    rm -f "$TRIAL"
}
