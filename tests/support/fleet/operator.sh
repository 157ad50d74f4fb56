# The operator's side with Nix 2.26: the base image as a chroot in this machine's network.
# NIX_DEPLOY_TEST_OPERATOR names another one, to try another Nix: a folder with a system in
# `root` and a copy of its /nix in `nix`.
# shellcheck shell=bash

cmd_operator226() {
    (($#)) || die "usage: fleet.sh operator226 CMD…"
    [[ $1 != --dir ]] || die "operator226 takes no --dir: the caches' and the temporary folders are all there"
    base_ensure
    OPERATOR=$FLEET_CACHE/operator-$(base_key)
    [[ -d $OPERATOR/nix ]] || with_lock "$FLEET_CACHE/operator.lock" operator_create
    touch -c "$OPERATOR"
    if [[ -n ${NIX_DEPLOY_TEST_OPERATOR:-} ]]; then
        OPERATOR=$NIX_DEPLOY_TEST_OPERATOR
        BASE=$OPERATOR/root
    fi
    exec unshare --mount --propagation private bash "$FLEET_LIB/operator-inside.sh" \
        "$BASE" "$OPERATOR" "$FLEET_REPO" "$FLEET_CACHE" "$PWD" "$@"
}

# Its store lasts: what one call has built the next one finds.
operator_create() {
    [[ -d $OPERATOR/nix ]] && return
    rm -rf --one-file-system "$OPERATOR.tmp"
    mkdir -p "$OPERATOR.tmp"
    cp -a "$BASE/nix" "$OPERATOR.tmp/nix"
    mv -T "$OPERATOR.tmp" "$OPERATOR"
}
