#!/bin/bash
# Measures the issue check and the closure diff: matching, a cold and a warm
# fetch over a server with latency, and the closure diff beside Nix' own.
# usage: benches/issues.sh FOLDER   with nix-deploy and the examples, built for release
set -euo pipefail

binaries=$(cd "$1" && pwd -P)
issues=6000 packages=1250 latency=80 paths=3000
# As in src/issues/github/pages.rs: a hundred issues a page, so many requests at a time.
pages=$((issues / 100)) at_a_time=30
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

# Median of the numbers on standard input.
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
# Runs a command so many times and prints the median of the milliseconds.
timed() {
    local runs=$1 begun
    shift
    for _ in $(seq "$runs"); do
        begun=$(milliseconds)
        "$@" >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; return 1; }
        echo $(($(milliseconds) - begun))
    done | median
}
ratio() { awk -v one="$1" -v other="$2" 'BEGIN { printf "%.2f", one / other }'; }

matching=$("$binaries/examples/bench_issues" match $issues $packages)
echo "match $issues issues with $packages packages: $matching ms (at most 50)"

# A host that is this machine, with a Nix that lists a small closure at once.
mkdir -p "$work/bin" "$work/cache"
printf '{ outputs = _: { }; }\n' >"$work/flake.nix"
cat >"$work/bin/nix" <<'END'
#!/bin/sh
echo "/nix/store/00000000000000000000000000000000-firefox-126.0 100"
END
# Which system it runs: a path that the store does not know.
cat >"$work/bin/readlink" <<'END'
#!/bin/sh
echo "/nix/store/00000000000000000000000000000000-nixos-system-desk-25.05"
END
chmod +x "$work/bin/nix" "$work/bin/readlink"
port=$((20000 + RANDOM % 20000))
"$binaries/examples/local_github" 127.0.0.1:$port $issues $latency 2>"$work/server" &
server=$!
until grep -q serving "$work/server"; do kill -0 $server; done
printf 'version = 1\n[issues]\napi_url = "http://127.0.0.1:%s"\n[hosts.desk]\naddress = "local"\n' $port >"$work/hosts.toml"
check() {
    env -C "$work" PATH="$work/bin:$PATH" HOME="$work" XDG_CACHE_HOME="$work/cache" GITHUB_TOKEN=t0ken \
        "$binaries/nix-deploy" issues desk
}
cold() { rm -rf "$work/cache"; check; }
# The first page says how many there are; the rest comes so many at a time.
rounds=$((1 + (pages - 1 + at_a_time - 1) / at_a_time))
chain=$((rounds * latency))
cold=$(timed 9 cold)
warm=$(timed 15 check)
fetch=$((cold - warm))
echo "warm: $warm ms (at most 150)"
echo "cold: $cold ms, of which the fetch of $pages pages over a server with $latency ms: $fetch ms"
echo "  chain of requests that wait for each other: the first page, then $((pages - 1)), $at_a_time at a time: $rounds x $latency = $chain ms; ratio $(ratio "$fetch" $chain) (at most 1.3)"

cat >"$work/closure.nix" <<'END'
{ version, count }:
let
  # Every third package moves with the version; the others stay.
  moves = n: n - 3 * (n / 3) == 0;
  name = n: "package-${toString n}-1.${if moves n then version else "0"}";
  leaf = n: builtins.toFile (name n) (name n);
in
builtins.toFile "system-path-${version}" (builtins.concatStringsSep "\n" (builtins.genList leaf count))
END
# Nothing is built: files that the evaluation writes are paths with references.
export NIX_CONFIG="${NIX_CONFIG:-}
substituters =
experimental-features = nix-command"
closure() { nix-instantiate --eval --read-write-mode "$work/closure.nix" --argstr version "$1" --arg count $paths 2>/dev/null | tr -d '"'; }
old=$(closure 1) new=$(closure 2)
read_both() { nix path-info -r -s "$old" >"$work/old" & nix path-info -r -s "$new" >"$work/new"; wait $!; }
theirs=$(timed 7 nix store diff-closures "$old" "$new")
reading=$(timed 7 read_both)
ours=$("$binaries/examples/bench_issues" diff "$work/old" "$work/new")
echo "closure diff of $paths paths, listings there: $ours ms (at most 200); nix store diff-closures: $theirs ms; ratio $(ratio "$ours" "$theirs") (at most 0.5)"
echo "  reading both listings from the local store at the same time: $reading ms"
