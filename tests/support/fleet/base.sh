# The base image: Debian trixie made to look like the ground that NixOS stands on.
# shellcheck shell=bash

# What debootstrap can resolve by itself …
BASE_FIRST=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,opendoas,polkitd,iproute2,nftables,procps,curl,ca-certificates,busybox-static
# … and what only apt can: nix-bin depends on a virtual package.
BASE_THEN=(nix-bin nix-setup-systemd git)

base_key() {
    [[ -n ${BASE_KEY:-} ]] || BASE_KEY=$(
        cd "$FLEET_LIB" && { uname -m; cat base.sh base-inside.sh image/*; } | sha256sum | cut -c1-16
    )
    printf '%s' "$BASE_KEY"
}

base_dir() { printf '%s/base-%s' "$FLEET_CACHE" "$(base_key)"; }

base_ensure() {
    BASE=$(base_dir)
    [[ -d $BASE ]] || with_lock "$FLEET_CACHE/base.lock" base_build
    touch -c "$BASE"
}

# The mirror that this machine is configured for, in either syntax of apt.
base_mirror() {
    local mirror
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n1 | tr -d ' ' || true)
    printf '%s' "${mirror:-http://deb.debian.org/debian}"
}

base_build() {
    [[ -d $BASE ]] && return
    command -v debootstrap >/dev/null || die "debootstrap is missing: run tests/support/install.sh"
    local tmp=$BASE.tmp log=$FLEET_CACHE/base.log mirror
    mirror=$(base_mirror)
    say "base image: building Debian trixie from $mirror (about a minute, log in $log)"
    # The lock is ours, so a folder of that name is what an interrupted build left.
    rm -rf --one-file-system "$tmp"
    mkdir -p "$tmp"
    # A private mount namespace: an interruption leaves no mounts behind.
    unshare --mount --propagation private bash "$FLEET_LIB/base-inside.sh" "$tmp" "$mirror" "$BASE_FIRST" "${BASE_THEN[@]}" \
        >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "base image: not built, see $log"; }
    mv -T "$tmp" "$BASE"
    say "base image: ready ($(du -sm "$BASE" | cut -f1) MB)"
}

cmd_base() {
    base_ensure
    printf '%s\n' "$BASE"
}
