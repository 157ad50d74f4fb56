#!/bin/bash
# How fast builders drain the queue of the fleet database, beside the same builds
# without any database: COUNT trivial derivations, WORKERS at a time, in stores of
# their own, on SQLite and on a throw-away PostgreSQL.
# usage: queue.sh NIX_DEPLOY [COUNT [WORKERS]]
# Ends with 1 when a drain is slower than 0.9 times the builds alone.
set -euo pipefail

nix_deploy=$(realpath "$1")
count=${2:-500}
workers=${3:-8}
work=$(mktemp -d /tmp/nix-deploy-queue-XXXXXX)
chmod 755 "$work"
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)

finish() {
    status=$?
    [[ ! -e $work/pg/data/postmaster.pid ]] || as_server "$postgres/pg_ctl" -D "$work/pg/data" -m immediate -s stop
    chmod -R u+w "$work"
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

# PostgreSQL refuses to run as root.
as_server() {
    if [[ $EUID -eq 0 ]]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

mkdir "$work/fleet"
cd "$work/fleet"
export HOME=$work NIX_CONFIG=$'build-users-group =\nsubstituters =\nsandbox-paths = /bin /lib /lib64 /usr\nexperimental-features = nix-command flakes'
cat >flake.nix <<END
{
  outputs = { self }: let
    package = name: needs: derivation { inherit name needs; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > \$out" ]; };
    packages = builtins.genList (index: package "package-\${toString index}" [ ]) $count;
  in { nixosConfigurations.host.config.system.build.toplevel = package "nixos-system-host-1" packages; };
}
END
printf 'version = 1\n[hosts.host]\n' >hosts.toml
git init --quiet
git add flake.nix
git -c user.name=bench -c user.email=bench@localhost commit --quiet --message bench

seconds() { # seconds COMMAND…: how long it takes
    local begun=$EPOCHREALTIME
    "$@" >"$work/out" 2>"$work/err" || { cat "$work/out" "$work/err" >&2; return 1; }
    awk -v begun="$begun" -v ended="$EPOCHREALTIME" 'BEGIN { printf "%.2f", ended - begun }'
}

# The builds alone: as many processes at a time, in the words of the builders.
export NIX_REMOTE="local?root=$work/store-alone"
system=$(nix eval --raw ".#nixosConfigurations.host.config.system.build.toplevel.drvPath")
nix-store --query --requisites "$system" | grep -F .drv | grep -vF "$system" >"$work/drvs"
realise=(nix-store --realise --keep-going --log-format internal-json --option build-poll-interval 1
    --option narinfo-cache-negative-ttl 0)
alone=$(seconds xargs -a "$work/drvs" -P "$workers" -n 1 "${realise[@]}")
printf '%-28s %8s s  %6s builds a second\n' "the builds alone" "$alone" "$(awk -v c="$count" -v s="$alone" 'BEGIN { printf "%.1f", c / s }')"

slow=0
drain() { # drain NAME URL
    export NIX_DEPLOY_DATABASE_URL=$2 NIX_DEPLOY_STATE=$work/state-$1 NIX_REMOTE="local?root=$work/store-$1"
    "$nix_deploy" fleet migrate --quiet
    "$nix_deploy" fleet evaluate --quiet >/dev/null
    local took rate
    took=$(seconds "$nix_deploy" fleet build --once --workers "$workers" --json)
    [[ $(grep -c '"outcome":"built"' "$work/out") = $((count + 1)) ]] || { echo "not everything was built" >&2; exit 1; }
    rate=$(awk -v a="$alone" -v t="$took" 'BEGIN { printf "%.2f", a / t }')
    printf '%-28s %8s s  %6s builds a second  %s of the builds alone\n' "the queue on $1" "$took" \
        "$(awk -v c="$count" -v s="$took" 'BEGIN { printf "%.1f", c / s }')" "$rate"
    awk -v rate="$rate" 'BEGIN { exit !(rate >= 0.9) }' || slow=1
}

drain sqlite "sqlite:$work/fleet.db"
if [[ -n $postgres ]]; then
    mkdir "$work/pg"
    [[ $EUID -ne 0 ]] || chown postgres "$work/pg"
    as_server "$postgres/initdb" -D "$work/pg/data" --auth=trust --no-sync --username=fleet --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    as_server "$postgres/pg_ctl" -D "$work/pg/data" -w -s -l "$work/pg/log" -o "-k $work/pg -c listen_addresses= -c fsync=off" start
    drain postgresql "postgres://fleet@${work//\//%2F}%2Fpg/postgres"
else
    echo "PostgreSQL is not installed: not measured"
fi
exit "$slow"
