# The seed: a layer above the base in whose store the demo hosts' baseline systems are valid.
# shellcheck shell=bash

# Only what is evaluated counts: prose and hosts.toml do not change a system.
seed_key() {
    [[ -n ${SEED_KEY:-} ]] || SEED_KEY=$(
        cd "$FLEET_DEMO" && { base_key; cat "$FLEET_LIB/seed.sh" flake.nix; find nix hosts variants -type f -print0 | sort -z | xargs -0 sha256sum; } |
            sha256sum | cut -c1-16
    )
    printf '%s' "$SEED_KEY"
}

seed_ensure() {
    base_ensure
    seed_key >/dev/null
    SEED=$FLEET_CACHE/seed-$(seed_key)
    [[ -d $SEED ]] || with_lock "$FLEET_CACHE/seed.lock" seed_build
    touch -c "$SEED"
}

seed_build() {
    [[ -d $SEED ]] && return
    command -v nix >/dev/null || die "nix is missing: run tests/support/install.sh"
    local tmp=$SEED.tmp log=$FLEET_CACHE/seed.log role attributes=()
    for role in "${FLEET_ROLES[@]}"; do
        attributes+=("path:$FLEET_DEMO#nixosConfigurations.$role.config.system.build.toplevel")
    done
    say "seed: building the baseline systems of ${FLEET_ROLES[*]}"
    rm -rf --one-file-system "$tmp" "$tmp.work"
    mkdir -p "$tmp" "$tmp.work"
    nix build --no-link --json "${attributes[@]}" 2>"$log" >"$tmp/toplevels.json" ||
        { tail -n 20 "$log" >&2; die "seed: the demo flake does not build"; }
    unshare --mount --propagation private bash "$FLEET_LIB/seed-inside.sh" "$BASE" "$tmp" >>"$log" 2>&1 ||
        { tail -n 20 "$log" >&2; die "seed: copying into the image failed"; }
    rm -rf "$tmp.work"
    mv -T "$tmp" "$SEED"
    say "seed: ready"
}

# The baseline system of a role.
seed_toplevel() { printf '%s' "$(<"$SEED/toplevels/$1")"; }

cmd_seed() {
    seed_ensure
    printf '%s\n' "$SEED"
}
