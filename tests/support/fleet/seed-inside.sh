#!/bin/bash
# Copies the built systems into the image; runs in a mount namespace of its own.
# usage: seed-inside.sh BASE SEED
set -euo pipefail
base=$1 seed=$2

mkdir -p "$seed/layer" "$seed/toplevels"
root=$(mktemp -d)
mount -t overlay overlay -o "lowerdir=$base,upperdir=$seed/layer,workdir=$seed.work" "$root"
mapfile -t toplevels < <(jq -r '.[].outputs.out' "$seed/toplevels.json")
nix copy --no-check-sigs --to "local?root=$root" "${toplevels[@]}"
for toplevel in "${toplevels[@]}"; do
    role=${toplevel##*-nixos-system-}
    printf '%s' "$toplevel" >"$seed/toplevels/${role%%-*}"
done
nix path-info --store "local?root=$root" "${toplevels[@]}" >/dev/null
umount "$root"
rmdir "$root"
