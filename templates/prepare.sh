# Before the copy: the new and the old system get roots, so that garbage
# collection takes neither. A root for a path that is not there yet is allowed.
# Beside them stands who made them, so that a later run can tell whether they
# are still needed; for the garbage collector such a file is nothing.
# It says the processor time, to compare that of the facts with: until the copy the host
# has nothing to do for the deploy.
# Input: RUN NEW OLD OWNER. Part of it is measure-lib.sh.
main() {
    measure_cpu
    roots=/nix/var/nix/gcroots/nix-deploy
    mkdir -p "$roots" || return 1
    # Left behind by runs that were cut off long ago.
    find "$roots" ! -type d -mmin +10080 -delete 2>/dev/null
    printf '%s\n' "$OWNER" >"$roots/$RUN-owner" || return 1
    ln -sfn "$NEW" "$roots/$RUN-new" || return 1
    [ -z "$OLD" ] || ln -sfn "$OLD" "$roots/$RUN-old"
}
