#!/bin/bash
# Enters the operator's chroot; runs in a mount namespace of its own and leaves nothing mounted.
# usage: operator-inside.sh BASE OPERATOR REPO CACHE CWD CMD...
set -euo pipefail
base=$1 operator=$2 repo=$3 cache=$4 cwd=$5
shift 5

# The image is shared and stays as it is; all that a call writes outside of the bound folders is forgotten.
# The call's own folder is hidden by the bind of /tmp, so its place is a tmpfs that only this namespace has.
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$base,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
bind() {
    [[ ! -e $1 ]] || { mkdir -p "/mnt/root$1"; mount --rbind "$1" "/mnt/root$1"; }
}
for dir in /proc /sys /dev /tmp /run "$HOME" "$repo" "$cache"; do bind "$dir"; done
# Folders elsewhere that the caller stands in or names by these variables.
for dir in "$cwd" "${TMPDIR:-}" "${CARGO_TARGET_DIR:-}" "${FLEET_BIND:-}"; do
    [[ -z $dir || -e /mnt/root$dir ]] || bind "$dir"
done
mount --bind "$operator/nix" /mnt/root/nix
mkdir -p /mnt/root/etc/nix
for file in hosts resolv.conf; do cat "/etc/$file" >"/mnt/root/etc/$file" 2>/dev/null || true; done
rm -f /mnt/root/etc/nix/nix.conf

# shellcheck disable=SC2016 # expanded inside
exec chroot /mnt/root /usr/bin/env PATH="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:$PATH" \
    /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$cwd" "$@"
