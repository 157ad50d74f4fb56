#!/bin/bash
# The first copy of a closure of 1,500 paths to a host that has none of them, at
# round trips of 0, 20 and 100 ms: `nix copy` as a person types it, the same over a
# connection that stands, a stream of nix-store --export into nix-store --import
# over that connection, and the copy step of nix-deploy. Prints medians and ratios.
# Then a closure of much data in few paths over slow links: `nix copy`, the same with
# ssh's compression, and nix-deploy before and after it has seen how slow the link is.
#
# usage: benches/copy.sh NIX_DEPLOY [RUNS]
#
# Runs by itself as CASES=copy benches/run.sh; uses this machine's own Nix.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
nix_deploy=$(realpath "$1")
runs=${2:-3}
fleet=$checkout/tests/support/fleet.sh
work=$(mktemp -d "$("$fleet" scratch)/nix-deploy-bench-XXXXXX")

cleanup() {
    status=$?
    "$fleet" down --dir "$work/hosts" >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT

cp -rL "$checkout/demo" "$work/flake"
cd "$work/flake"
eval "export $("$fleet" env | sed "s/^NIX_CONFIG=\(.*\)$/NIX_CONFIG=$'\1'/")"
export NIX_DEPLOY_STATE=$work/state NO_COLOR=1
rm -f hosts/*.nix
# Some 32 MiB of programs and libraries, which compress as those of any store path do.
mkdir data
find /usr/lib/"$(uname -m)"-linux-gnu /usr/bin -maxdepth 1 -type f -size +256k -size -4M >"$work/files"
while read -r file; do
    (($(du -sk data | cut -f1) < 32768)) || break
    cp "$file" data/
done < <(sort "$work/files")
echo '{ ... }: { units."data.service".Service = { Type = "oneshot"; ExecStart = "/bin/true"; Environment = "DATA=${../data}"; }; }' \
    >variants/data.nix
echo '{ variant = "data"; }' >hosts/data.nix
# 1,460 packages beside the 40 paths of a system.
echo '{ variant = "unit-changed"; revision = 7; packages = 1460; }' >hosts/big.nix
printf 'ssh_config\nhosts.toml\n' >.gitignore
git init -q . && git config user.name bench && git config user.email bench@localhost
git add -A && git commit -qm closure
ln -s "$work/hosts/ssh_config" ssh_config
# build HOST: its system, in the variable of that name, and its closure, in a file.
build() {
    nix build --out-link "$work/result-$1" ".#nixosConfigurations.$1.config.system.build.toplevel" 2>/dev/null
    system=$(readlink "$work/result-$1")
    nix-store --query --requisites "$system" >"$work/closure"
}
build big

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# copy CONTESTANT HOST: copies, with the output in a file; the time is the caller's.
copy() {
    case $1 in
        typed) NIX_SSHOPTS="-F $PWD/ssh_config" nix copy --no-check-sigs --to "ssh-ng://root@$2" "$system" ;;
        compressed) NIX_SSHOPTS="-C -F $PWD/ssh_config" nix copy --no-check-sigs --to "ssh-ng://root@$2" "$system" ;;
        standing) NIX_SSHOPTS="${over[*]}" nix copy --no-check-sigs --to "ssh-ng://root@$2" "$system" ;;
        stream)
            ssh "${over[@]}" "root@$2" 'xargs nix-store --check-validity --print-invalid' <"$work/closure" >"$work/missing"
            # shellcheck disable=SC2046 # paths are words
            nix-store --export $(cat "$work/missing") | ssh "${over[@]}" "root@$2" nix-store --import ;;
    esac >"$work/copy.log" 2>&1
}

# time_of CONTESTANT MS_EACH_WAY [KIB_PER_SECOND]: milliseconds, on a fresh host.
time_of() {
    local host=fresh begun
    "$fleet" up --dir "$work/hosts" --owner $$ --fresh fresh=p620 >/dev/null
    if [ "$2" != 0 ]; then "$fleet" delay --dir "$work/hosts" fresh "$2" ${3:+"$3"} >/dev/null; host=fresh-delayed; fi
    if [[ $1 == ours* ]]; then
        printf 'version = 1\n[hosts.%s]\naddress = "%s"\nuser = "root"\nssh_config = "ssh_config"\n' "$closure" "$host" >hosts.toml
        # All that is known of the link goes with the state.
        [ "$1" = ours-again ] || rm -rf "$work/state"
        "$nix_deploy" "$closure" --yes --action dry-activate --output json 2>/dev/null |
            sed -n 's/.*"type":"step-finished".*"step":"copy".*"elapsed_ms":\([0-9]*\).*/\1/p'
    else
        over=(-F "$PWD/ssh_config" -o "ControlPath=$work/master")
        case $1 in typed | compressed) ;; *) ssh "${over[@]}" -o ControlPersist=yes -MNf "root@$host" ;; esac
        begun=$(now_ms)
        copy "$1" "$host"
        echo $(($(now_ms) - begun))
        case $1 in typed | compressed) ;; *) ssh "${over[@]}" -O exit "root@$host" 2>/dev/null || true ;; esac
    fi
    "$fleet" down --dir "$work/hosts" >/dev/null
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

closure=big
for each_way in 0 10 50; do
    for contestant in typed standing stream ours; do : >"$work/$each_way-$contestant"; done
    for ((i = 0; i < runs; i++)); do
        for contestant in typed standing stream ours; do time_of "$contestant" "$each_way" >>"$work/$each_way-$contestant"; done
    done
done

echo
echo "First copy of $(wc -l <"$work/closure") paths, medians of $runs runs in milliseconds; $(nproc) processors, $(nix --version), load $(cut -d' ' -f1 /proc/loadavg)"
echo
echo "| round trip | nix copy | over a standing connection | export, import | nix-deploy | ratio to nix copy |"
echo "|---|---|---|---|---|---|"
for each_way in 0 10 50; do
    for contestant in typed standing stream ours; do
        declare "$contestant=$(median <"$work/$each_way-$contestant")"
    done
    # shellcheck disable=SC2154 # declared above
    echo "| $((each_way * 2)) ms | $typed | $standing | $stream | $ours | $(ratio "$ours" "$typed") |"
done

closure=data
build data
# A slow link takes its time, and varies little.
((runs <= 3)) || runs=3
for rate in 2048 5120 20480; do
    for contestant in typed compressed ours ours-again; do : >"$work/slow-$rate-$contestant"; done
    for ((i = 0; i < runs; i++)); do
        # What `ours` sees of the link is what `ours-again` goes by.
        for contestant in typed compressed ours ours-again; do
            time_of "$contestant" 10 "$rate" >>"$work/slow-$rate-$contestant"
        done
    done
done

echo
echo "First copy of $(du -smL data | cut -f1) MiB in $(wc -l <"$work/closure") paths over slow links, round trip 20 ms, medians of $runs runs in milliseconds"
echo
echo "| MiB/s | nix copy | with ssh -C | nix-deploy, first time | the next time | ratio to nix copy |"
echo "|---|---|---|---|---|---|"
for rate in 2048 5120 20480; do
    for contestant in typed compressed ours ours-again; do
        declare "${contestant/-/_}=$(median <"$work/slow-$rate-$contestant")"
    done
    # shellcheck disable=SC2154 # declared above
    echo "| $((rate / 1024)) | $typed | $compressed | $ours | $ours_again | $(ratio "$ours_again" "$typed") |"
done
