#!/bin/bash
# What a preview adds to the evaluation that it cannot do without: a real host whose
# inputs do not move, previewed by nix-deploy, beside the bare `nix eval` of the same
# derivation. Prints medians and the difference.
#
# usage: benches/preview.sh NIX_DEPLOY [RUNS]
#
# Runs by itself as CASES=preview benches/run.sh; uses this machine's own Nix.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
nix_deploy=$(realpath "$1")
runs=${2:-9}
fleet=$checkout/tests/support/fleet.sh
work=$(mktemp -d /tmp/nix-deploy-bench-XXXXXX)

cleanup() {
    status=$?
    "$fleet" down --dir "$work/hosts" >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT

"$fleet" up --dir "$work/hosts" --owner $$ b1=p620 >/dev/null
cp -rL "$checkout/demo" "$work/flake"
eval "export $("$fleet" env | sed "s/^NIX_CONFIG=\(.*\)$/NIX_CONFIG=$'\1'/")"
export NIX_DEPLOY_STATE=$work/state NO_COLOR=1

commit() { # commit FOLDER: everything in it
    git -C "$1" add -A
    git -C "$1" -c user.name=bench -c user.email=bench@localhost commit -qm bench
}
# The host comes from an input, so that there is one which could move.
mkdir "$work/versions"
git -C "$work/versions" init -q --initial-branch main
echo '{ variant = "unit-changed"; packages = 372; }' >"$work/versions/settings.nix"
commit "$work/versions"
cd "$work/flake"
rm -f hosts/*.nix
echo '{ }' >hosts/b1.nix
sed -i -e "s|outputs = { self }:|inputs.versions = { url = \"git+file://$work/versions?ref=main\"; flake = false; };\n  outputs = { self, versions }:|" \
    -e 's|settings = import (./hosts + "/${name}.nix");|settings = import (versions + "/settings.nix");|' flake.nix
grep -q 'versions + ' flake.nix
printf 'ssh_config\nhosts.toml\nflake.lock.*\n' >.gitignore
ln -s "$work/hosts/ssh_config" ssh_config
printf 'version = 1\n[hosts.b1]\nuser = "root"\nssh_config = "ssh_config"\n' >hosts.toml
git init -q .
commit .
nix --extra-experimental-features 'nix-command flakes' flake lock 2>/dev/null
commit .
"$nix_deploy" b1 --yes --output quiet

bare() {
    nix --extra-experimental-features 'nix-command flakes' eval --json --option eval-cache false \
        --apply 'hosts: let system = hosts.b1.config.system.build.toplevel; in { drv = system.drvPath; out = "${system}"; }' \
        .#nixosConfigurations
}
preview() { "$nix_deploy" b1 --preview --output json; }

preview >"$work/shown" 2>/dev/null
if ! grep -q '"inputs":\[\]' "$work/shown" || ! grep -q '"packages":\[\]' "$work/shown"; then
    echo "benches/preview.sh: something would change, so this is not an unchanged host:" >&2
    cat "$work/shown" >&2
    exit 1
fi

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for ((i = 0; i <= runs; i++)); do
    for contestant in bare preview; do
        begun=$(now_ms)
        "$contestant" >/dev/null 2>&1
        took=$(($(now_ms) - begun))
        # The first round warms up.
        [ "$i" = 0 ] || echo "$took" >>"$work/$contestant"
    done
done
bare=$(median <"$work/bare") preview=$(median <"$work/preview")
echo "preview of an unchanged host: $preview ms; nix eval of the same derivation: $bare ms; adds $((preview - bare)) ms (at most 500)"
echo "  medians of $runs runs; $(nproc) processors, $(nix --version), load $(cut -d' ' -f1 /proc/loadavg)"
