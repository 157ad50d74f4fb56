#!/bin/bash
# One run of one contestant, timed: prints milliseconds. Called by run.sh, in
# the environment of the operator.
#
# usage: contestants.sh WORK PEERS NIX_DEPLOY CONTESTANT [HOST]...
set -euo pipefail
work=$1 peers=$2 nix_deploy=$3
shift 3
cd "$work/flake"

master() { # master HOST: one multiplexed connection, as ControlMaster auto makes
    mkdir -p "$work/masters"
    ssh -F ssh_config -o ControlPath="$work/masters/%n" -o ControlPersist=yes -MNf "$1"
}
close_master() { ssh -F ssh_config -o ControlPath="$work/masters/%n" -O exit "$1" 2>/dev/null; }
over() { local host=$1; shift; ssh -F ssh_config -o ControlPath="$work/masters/%n" "$host" "$@"; }

# all COMMAND [HOST]...: runs it for every host at once; fails when it fails for one.
all() {
    local command=$1 host failed=0 started=()
    shift
    for host in "$@"; do
        "$command" "$host" &
        started+=($!)
    done
    for host in "${started[@]}"; do wait "$host" || failed=1; done
    return "$failed"
}

# --- the contestants: each deploys the hosts it is given ---------------------

bare_one() { # what a person types
    local host=$1 attribute=${1%-delayed} system
    master "$host"
    nix build --out-link "$work/result-$host" ".#nixosConfigurations.$attribute.config.system.build.toplevel"
    system=$(readlink "$work/result-$host")
    NIX_SSHOPTS="-F $PWD/ssh_config -o ControlPath=$work/masters/%n" \
        nix copy --no-check-sigs --to "ssh-ng://root@$host" "$system"
    over "$host" "nix-env -p /nix/var/nix/profiles/system --set $system"
    over "$host" "$system/bin/switch-to-configuration switch"
    close_master "$host"
}
bare() { all bare_one "$@"; }

# The floor: the work that nobody can leave out, in as few processes as do it. One Nix
# process builds for all hosts while the connections are made; then each host gets its copy
# and one command. It asks nothing, proves nothing and takes nothing back.
floor_of() { # floor_of COMMAND [HOST]...: COMMAND is given the host
    local look_or_bring=$1 host installables=() suffix= index=0
    shift
    for host in "$@"; do
        installables+=(".#nixosConfigurations.${host%-delayed}.config.system.build.toplevel")
    done
    all master "$@" &
    nix build --out-link "$work/floor" "${installables[@]}"
    wait "$!"
    for host in "$@"; do
        ln -sfn "$(readlink "$work/floor$suffix")" "$work/floor-of-$host"
        index=$((index + 1))
        suffix=-$index
    done
    all floor_one "$@"
}
floor_one() {
    "$look_or_bring" "$1" "$(readlink "$work/floor-of-$1")"
    close_master "$1"
}
bring() {
    NIX_SSHOPTS="-F $PWD/ssh_config -o ControlPath=$work/masters/%n" \
        nix copy --no-check-sigs --to "ssh-ng://root@$1" "$2"
    over "$1" "nix-env -p /nix/var/nix/profiles/system --set $2 && $2/bin/switch-to-configuration switch"
}
look() { over "$1" "readlink -f /run/current-system /nix/var/nix/profiles/system"; }
floor_changed() { floor_of bring "$@"; }
floor_unchanged() { floor_of look "$@"; }

deploy_rs() {
    local targets=() host
    for host in "$@"; do targets+=(".#$host"); done
    "$peers/bin/deploy" --skip-checks --no-progress --ssh-opts "-F $PWD/ssh_config" --targets "${targets[@]}"
}
deploy_rs_far() { "$peers/bin/deploy" --skip-checks --no-progress --ssh-opts "-F $PWD/ssh_config" --hostname b1-delayed --targets .#b1; }

nh_one() {
    local attribute=${1%-delayed}
    NIX_SSHOPTS="-F $PWD/ssh_config" "$peers/bin/nh" os switch . -H "$attribute" --target-host "root@$1" \
        --bypass-root-check --no-nom --diff never --elevation-strategy none
}
nh_all() { all nh_one "$@"; }

ours() { "$nix_deploy" "$@" --yes --output quiet; }

# What the first copy of a closure takes: Nix alone, and the copy step of ours.
copy_nix() {
    NIX_SSHOPTS="-F $PWD/ssh_config" nix copy --no-check-sigs --to "ssh-ng://root@$1" "$(readlink "$work/result-b1")"
}
copy_ours() {
    "$nix_deploy" "$1" --yes --output json 2>/dev/null |
        sed -n 's/.*"type":"step-finished".*"step":"copy".*"elapsed_ms":\([0-9]*\).*/\1/p' >"$work/copy-ours"
}
build_b1() { nix build --out-link "$work/result-b1" .#nixosConfigurations.b1.config.system.build.toplevel; }

now_ms() { echo $(($(date +%s%N) / 1000000)); }

begun=$(now_ms)
# In the background, since the shell goes on after errors in what a condition runs.
"$@" >"$work/last.log" 2>&1 &
if ! wait "$!"; then
    echo "failed: $*" >&2
    tail -n 20 "$work/last.log" >&2
    exit 1
fi
echo $(($(now_ms) - begun))
