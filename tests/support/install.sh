#!/bin/bash
# Installs what building and testing need on Debian or Ubuntu; a second run does nothing.
# usage: install.sh        for building and for the test fleet
#        install.sh test   cargo-nextest and PostgreSQL too
set -euo pipefail

# package=program: a program that is there already, from wherever, is good enough.
needs=(
    nix-bin=nix debootstrap=debootstrap systemd-container=systemd-nspawn iproute2=ip nftables=nft openssh-client=ssh
    git=git jq=jq sudo=sudo pkg-config=pkg-config gcc=gcc libc6-dev= tmux=tmux util-linux=unshare e2fsprogs=mkfs.ext4
    python3=python3 curl=curl procps=ps ca-certificates=
)
# The fleet database is tested on a real server, which tests start and end by themselves.
[[ ${1:-} != test ]] || needs+=(postgresql=)

say() { printf 'install: %s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

if [[ ! -e /etc/debian_version ]] || ! command -v dpkg-query >/dev/null; then
    fail "this is not Debian or a relative of it; install by hand: ${needs[*]%%=*}"
fi

PATH=$PATH:/usr/sbin:/sbin
installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "${needs[@]%%=*}" 2>/dev/null || true)"
missing=()
for need in "${needs[@]}"; do
    package=${need%%=*} program=${need#*=}
    [[ $installed == *" installed:$package "* ]] || { [[ -n $program ]] && command -v "$program" >/dev/null; } || missing+=("$package")
done

# On a machine with systemd and a person without root, Nix needs its daemon.
if [[ $EUID -ne 0 && -d /run/systemd/system && ! -S /nix/var/nix/daemon-socket/socket && ! -w /nix ]]; then
    missing+=(nix-setup-systemd)
fi

if ((${#missing[@]})); then
    as_root=()
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || fail "missing: ${missing[*]}; needs root or sudo to install them"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        # Only the programs are needed: no server of this machine's own.
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" ||
        fail "apt cannot install all of: ${missing[*]}"
fi

[[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]] && PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
command -v cargo >/dev/null ||
    fail "Rust is missing and does not come from apt; see https://rustup.rs, or: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"

if [[ ${1:-} == test ]] && ! command -v cargo-nextest >/dev/null; then
    say "installing cargo-nextest (some minutes)"
    cargo install --locked cargo-nextest || fail "cargo-nextest cannot be installed; cargo test works as well"
fi
say "all there"
