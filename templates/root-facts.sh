# The part of the facts that only root may see: who holds the locks, and traces
# of earlier runs. Part of facts.sh; no input.

# The process that holds a flock on a file, by the kernel's own list.
flock_holder() {
    inode=$(stat -c %i "$1" 2>/dev/null) || return
    while read -r _ kind _ _ pid place _; do
        [ "$kind" = FLOCK ] && [ "${place##*:}" = "$inode" ] && { printf %s "$pid"; return; }
    done </proc/locks
}

run_folder() {
    # One orphan=… line per run: everything its supervisor wrote, joined by tabs.
    run=${1##*/}
    line=$(printf 'run\t%s' "$run")
    for file in "$1/about" "$1/state"; do
        [ -r "$file" ] && while IFS= read -r pair; do
            line=$(printf '%s\t%s' "$line" "$pair")
        done <"$file"
    done
    # Ended long ago: whoever started it has settled it, or never will.
    [ -n "$(find "$1/state" -mmin +60 2>/dev/null)" ] && line=$(printf '%s\tstale=1' "$line")
    state=$(systemctl is-active "nix-deploy-$run.service" 2>/dev/null)
    printf 'orphan=%s\tunit_state=%s\n' "$line" "$state"
}

for folder in /run/nix-deploy/*-*-*; do
    [ -d "$folder" ] && run_folder "$folder"
done
# What a run has activated and neither proven nor taken back.
[ -r /run/nix-deploy/unproven ] && sed 's/^/unproven_/' /run/nix-deploy/unproven
# A commit that was cut off: see supervisor.sh.
[ -e /var/lib/nix-deploy/committing ] && echo committing=1
pid=$(flock_holder /run/nix-deploy/lock)
[ -n "$pid" ] && printf 'deploy_lock=%s\n' "$pid"
[ -n "$pid" ] && [ -r /run/nix-deploy/holder ] && while IFS= read -r line; do
    printf 'deploy_holder=%s\n' "$line"
done </run/nix-deploy/holder
pid=$(flock_holder /run/nixos/switch-to-configuration.lock)
[ -n "$pid" ] && printf 'activation_lock=%s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
# A boot entry that was tried once, and nobody has proven it: see trial-lib.sh.
trial=/var/lib/nix-deploy/boot-trial
[ -r $trial ] && printf 'boot_trial=age=%s\n' "$(($(date +%s) - $(stat -c %Y $trial)))"
[ -r $trial ] && while IFS= read -r line; do
    printf 'boot_trial=%s\n' "$line"
done <$trial
# Runs that came no further than the copy.
for file in /nix/var/nix/gcroots/nix-deploy/*-owner; do
    [ -f "$file" ] || continue
    run=${file##*/}
    run=${run%-owner}
    [ -d "/run/nix-deploy/$run" ] && continue
    IFS= read -r owner <"$file" 2>/dev/null && printf 'orphan=run\t%s\towner=%s\n' "$run" "$owner"
done
