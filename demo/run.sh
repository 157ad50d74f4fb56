#!/bin/bash
# Shows nix-deploy at work: two throw-away hosts, a deploy, a bad change that is
# taken back, and the state of the fleet. Exits with 0 when all of it happened.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
nix_deploy=$(realpath "$1")
fleet=$checkout/tests/support/fleet.sh
work=$(mktemp -d /tmp/nix-deploy-demo-XXXXXX)

say() { printf '\n\033[1m== %s\033[0m\n' "$*" | if [ -n "${NO_COLOR:-}" ] || [ ! -t 1 ]; then sed 's/\x1b\[[0-9;]*m//g'; else cat; fi; }

finish() {
    status=$?
    if [ "${KEEP:-0}" = 1 ]; then
        say "The hosts still run. Log in: ssh -F $work/hosts/ssh_config p620"
        echo "Remove them: $fleet down --dir $work/hosts"
    else
        "$fleet" down --dir "$work/hosts" >/dev/null 2>&1 || true
        rm -rf "$work"
    fi
    exit "$status"
}
trap finish EXIT

expect() { # expect CODE COMMAND…: runs it, shows it, and insists on its exit code
    local wanted=$1 code=0
    shift
    printf '$ nix-deploy %s\n' "${*:2}"
    "$@" || code=$?
    echo "(exit code $code)"
    if [ "$code" != "$wanted" ]; then
        echo "The demo expected exit code $wanted: this should not happen, please report it." >&2
        exit 1
    fi
}

say "Two hosts are started: real systemd, sshd and Nix in containers (the first time an image is built)"
"$fleet" up --dir "$work/hosts" --owner $$ p620 p510

say "A configuration for them: a flake in a git repository, and hosts.toml"
cp -rL "$checkout/demo" "$work/flake"
cd "$work/flake"
ln -s "$work/hosts/ssh_config" ssh_config
git init -q . && git config user.name demo && git config user.email demo@localhost
address=$(awk '$2 == "p620" { print $1 }' "$work/hosts/addresses")
cat >hosts.toml <<END
version = 1
flake = "."

[defaults]
user = "root"
ssh_config = "ssh_config"
critical_services = ["sshd.service"]

[hosts.p620]
tags = ["server"]
[[hosts.p620.checks]]
name = "health page"
http = "http://$address:8080/health"

[hosts.p510]
tags = ["server"]
END
echo ssh_config >.gitignore
git add -A && git commit -qm "the fleet as it is"
cat hosts.toml

# The hosts' systems are plain derivations, built without a sandbox.
eval "export $("$fleet" env | sed "s/^NIX_CONFIG=\(.*\)$/NIX_CONFIG=$'\1'/")"
export NIX_DEPLOY_STATE=$work/state

say "Nothing has changed yet, and nix-deploy says so"
expect 0 "$nix_deploy" @server --yes

say "A good change on both hosts: a newer nginx, one more package, one less"
for host in p620 p510; do
    echo '{ variant = "package-update"; }' >"hosts/$host.nix"
done
git commit -qam "update nginx"
expect 0 "$nix_deploy" @server --yes

say "A bad change on p620: its new service crashes as soon as it starts"
echo '{ variant = [ "package-update" "crash-at-start" ]; }' >hosts/p620.nix
git commit -qam "a service that cannot work"
expect 6 "$nix_deploy" p620 --yes

say "The fleet afterwards: p620 is back on the system from before the bad change"
for host in p620 p510; do
    echo "$host: $(ssh -F ssh_config "$host" 'readlink /nix/var/nix/profiles/system; readlink -f /run/current-system; systemctl is-system-running' | paste -sd ' ')"
done
expect 0 "$nix_deploy" doctor @server

say "What the fleet database says of it: what runs where, and how each deploy went"
expect 0 "$nix_deploy" fleet status
expect 0 "$nix_deploy" fleet history
say "Done: one deploy and one rollback, on real hosts"
