#!/bin/bash
# Compares nix-deploy side by side, in one run on the same hosts, with what a
# person would type by hand over one multiplexed connection, and with the peers
# that install from crates.io (deploy-rs, nh). Prints medians and ratios, and the floor:
# the work that nobody can leave out (contestants.sh).
#
# usage: benches/run.sh NIX_DEPLOY [RUNS]
#
# CASES names the cases to run, for example "one-changed"; "copy" is benches/copy.sh,
# "preview" is benches/preview.sh.
#
# The settle window of nix-deploy is set aside (0 s): the others have none.
#
# HOSTS says how many hosts there are (8), CASES which cases are measured; the case
# `growth` is one changed unit on each of 1, 4, 16 … of them: HOSTS=32 CASES=growth.
#
# What several hosts have to build is either theirs alone, and then no Nix process meets
# another, or the same for all, and then parallel processes wait for each other's locks.
# Both are cases of their own: which of the two happens is not left to chance.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
nix_deploy=$(realpath "$1")
runs=${2:-5}
fleet=$checkout/tests/support/fleet.sh
work=$(mktemp -d "$("$fleet" scratch)/nix-deploy-bench-XXXXXX")
peers=${NIX_DEPLOY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nix-deploy-test}/peers
hosts=()
for ((number = 1; number <= ${HOSTS:-8}; number++)); do hosts+=("b$number"); done
revision=0

if [ "${CASES:-}" = copy ] || [ "${CASES:-}" = preview ]; then
    rmdir "$work"
    exec "$checkout/benches/$CASES.sh" "$nix_deploy" "$runs"
fi

cleanup() {
    status=$?
    "$fleet" down --dir "$work/hosts" >/dev/null 2>&1 || true
    [ "${KEEP:-0}" = 1 ] || rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT

note() { printf '%s\n' "$*" >&2; }

# --- the peers -------------------------------------------------------------

if [ ! -x "$peers/bin/deploy" ] || [ ! -x "$peers/bin/nh" ]; then
    note "installing the peers deploy-rs and nh from crates.io (once, some minutes)"
    cargo install --quiet --locked --root "$peers" deploy-rs@1.0.0 nh@4.4.0
fi

# --- hosts and flake -------------------------------------------------------

note "starting ${#hosts[@]} hosts"
"$fleet" up --dir "$work/hosts" --owner $$ "${hosts[@]/%/=p620}" >/dev/null
cp -rL "$checkout/demo" "$work/flake"
cp "$checkout/benches/flake-bench.nix" "$work/flake/bench.nix"
cd "$work/flake"
sed -i 's|^    {$|    { deploy = import ./bench.nix { inherit (self) nixosConfigurations; };|' flake.nix
ln -s "$work/hosts/ssh_config" ssh_config
rm -f hosts/*.nix
cat >variants/shared-unit.nix <<'VARIANT'
# One unit changes, on every host to the same; what it needs takes a second to build.
{ settings, ... }:
let
  data = derivation {
    name = "shared-data";
    system = "x86_64-linux";
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [ "-c" "sleep 1; echo ${toString settings.shared} >$out" ];
  };
in
{ units."worker.service".Service.Environment = "DATA=${data}"; }
VARIANT
eval "export $("$fleet" env | sed "s/^NIX_CONFIG=\(.*\)$/NIX_CONFIG=$'\1'/")"
export NIX_DEPLOY_STATE=$work/state NH_NO_CHECKS=1 NO_COLOR=1

# Gives hosts a system of their own with a closure of 412 paths; each call changes one
# unit, and for every host to something else.
change() { renew unit-changed "$@"; }
# The same unit for all hosts.
change_shared() { renew shared-unit "$@"; }
renew() { # renew VARIANT HOST...
    local variant=$1 host settings
    shift
    revision=$((revision + 1))
    for host in "$@"; do
        settings="revision = $((revision * 100 + ${host#b})); shared = $revision; packages = 372;"
        echo "{ variant = \"$variant\"; $settings }" >"hosts/$host.nix"
    done
    git add -A && git commit -qm "revision $revision"
}
git init -q . && git config user.name bench && git config user.email bench@localhost
printf 'ssh_config\nhosts.toml\n' >.gitignore
change "${hosts[@]}"
{
    printf 'version = 1\nflake = "."\n[defaults]\nuser = "root"\nssh_config = "ssh_config"\n'
    printf 'critical_services = ["sshd.service"]\n[defaults.timeouts]\nsettle = "0s"\n'
    for host in "${hosts[@]}"; do printf '[hosts.%s]\n' "$host"; done
    printf '[hosts.far]\nattribute = "b1"\naddress = "b1-delayed"\n'
} >hosts.toml

# --- measuring ---------------------------------------------------------------

# The operator's Nix: the peers need a newer one than Debian 12 brings.
operator() { "$fleet" operator226 "$@"; }

# time_of CONTESTANT [HOST]...: milliseconds of one run.
time_of() { operator "$checkout/benches/contestants.sh" "$work" "$peers" "$nix_deploy" "$@"; }

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# When each step of the last run of ours began and how long it took, from its journal:
# HOST STEP BEGAN TOOK, in milliseconds.
steps_of_last_run() {
    local journals=("$work"/state/runs/*/events.jsonl)
    jq -rn '
        def ms: capture("T(?<h>..):(?<m>..):(?<s>[0-9.]+)Z")
            | ((.h | tonumber) * 3600 + (.m | tonumber) * 60 + (.s | tonumber)) * 1000;
        reduce inputs as $line ({};
            ($line.event) as $event
            | if $event.type == "run-started" then .zero = ($line.time | ms)
              elif $event.type == "step-started" then .began[$event.host + " " + $event.step] = ($line.time | ms)
              elif $event.type == "step-finished" then .rows += [[$event.host, $event.step,
                  (.began[$event.host + " " + $event.step] - .zero | round), $event.elapsed_ms]]
              else . end)
        | .rows[] | map(tostring) | join(" ")' "${journals[-1]}"
}

# The steps of a case as a table: medians over all runs and hosts.
steps_table() { # steps_table NAME
    sort -k2,2 -s "$work/$1-steps" | awk '
        function median(values, count,    i, j, v) {
            for (i = 2; i <= count; i++) { v = values[i]; for (j = i - 1; j > 0 && values[j] > v; j--) values[j + 1] = values[j]; values[j + 1] = v }
            return values[int((count + 1) / 2)]
        }
        function flush() { if (count) printf "%d | %s | %d | %d |\n", median(began, count), step, median(began, count), median(took, count); count = 0 }
        $2 != step { flush(); step = $2 }
        { count++; began[count] = $3 + 0; took[count] = $4 + 0 }
        END { flush() }' | sort -n | sed 's/^[0-9-]* //'
}

declare -A result
# measure NAME HOSTS KIND CONTESTANT…: medians of interleaved runs.
measure() {
    local name=$1 targets=$2 kind=$3 contestant i
    shift 3
    for contestant in "$@"; do : >"$work/$name-$contestant"; done
    for ((i = 0; i <= runs; i++)); do
        for contestant in "$@"; do
            # shellcheck disable=SC2086
            case $kind in
                changed) change ${targets//-delayed/} ;;
                shared) change_shared ${targets//-delayed/} ;;
            esac
            local arguments=$targets took
            [ "$contestant-$targets" != ours-b1-delayed ] || arguments=far
            # shellcheck disable=SC2086
            took=$(time_of "$contestant" $arguments) || took=
            # The first round warms up.
            [ "$i" != 0 ] && [ -n "$took" ] || continue
            echo "$took" >>"$work/$name-$contestant"
            [ "$contestant" != ours ] || steps_of_last_run >>"$work/$name-steps"
        done
        note "  $name: round $i of $runs"
    done
    for contestant in "$@"; do result[$name-$contestant]=$(median <"$work/$name-$contestant"); done
}

ratio() { # ratio OURS OTHER
    [ -n "${2:-}" ] && [ -n "${1:-}" ] || { echo "-"; return; }
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

row() { # row TITLE NAME [BAR]
    local title=$1 name=$2 rs=${result[$2-deploy_rs]:-${result[$2-deploy_rs_far]:-}}
    printf '| %-30s | %7s | %7s | %7s | %9s | %6s | %8s | %8s |\n' "$title" "${result[$name-ours]:-}" \
        "${result[$name-floor_changed]:-${result[$name-floor_unchanged]:--}}" \
        "${result[$name-bare]:-}" "${rs:--}" "${result[$name-nh_all]:--}" \
        "$(ratio "${result[$name-ours]:-}" "${result[$name-bare]:-}")" "$(ratio "${result[$name-ours]:-}" "$rs")"
}

# Everything is deployed once, so that every contestant starts from the same state.
for host in "${hosts[@]}"; do
    scp -q -F ssh_config "$peers/bin/activate" "$host:/usr/local/bin/activate-rs"
done
time_of ours "${hosts[@]}" >/dev/null
port=$("$fleet" delay --dir "$work/hosts" b1 20)
note "a forwarder on port $port adds 20 ms each way"

# With CASES only some of the cases, for example to look at one change of the program.
wanted() { [[ " ${CASES:-$1} " == *" $1 "* ]]; }
! wanted one-changed || measure one-changed b1 changed floor_changed bare deploy_rs nh_all ours
! wanted one-unchanged || measure one-unchanged b1 unchanged floor_unchanged bare deploy_rs nh_all ours
! wanted all-changed || measure all-changed "${hosts[*]}" changed floor_changed bare deploy_rs nh_all ours
! wanted all-shared || measure all-shared "${hosts[*]}" shared floor_changed bare deploy_rs nh_all ours
! wanted all-unchanged || measure all-unchanged "${hosts[*]}" unchanged floor_unchanged bare deploy_rs nh_all ours
! wanted far-changed || measure far-changed b1-delayed changed floor_changed bare deploy_rs_far ours

# How time grows with the number of hosts, and what a fleet costs that has nothing to do.
growth=()
if [[ " ${CASES:-} " == *" growth "* ]]; then
    for count in 1 4 16 32; do
        [ "$count" -le ${#hosts[@]} ] || break
        growth+=("$count")
        measure "grow-$count" "${hosts[*]:0:count}" changed floor_changed bare deploy_rs ours
    done
    measure fleet-unchanged "${hosts[*]}" unchanged ours
fi

# --- single figures ------------------------------------------------------------

logins() { "$fleet" exec --dir "$work/hosts" b1 -- /bin/sh -c "journalctl -q -o cat -t sshd -t sshd-session | grep -c '^Accepted' || true"; }
before=$(logins); time_of ours b1 >/dev/null; after=$(logins); logins_unchanged=$((after - before))
change b1
before=$(logins); time_of ours b1 >/dev/null; after=$(logins); logins_changed=$((after - before))
help_ms=$(for ((i = 0; i < runs * 4; i++)); do
    begun=$(date +%s%N); "$nix_deploy" --help >/dev/null; echo $((($(date +%s%N) - begun) / 100000))
done | median)
change "${hosts[@]}"
operator sh -c "cd '$work/flake' && exec '$nix_deploy' ${hosts[*]} --yes --output quiet" &
memory_kib=0
while kill -0 $! 2>/dev/null; do
    for pid in $(pgrep -x nix-deploy); do
        peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null || true)
        [ "${peak:-0}" -le "$memory_kib" ] || memory_kib=$peak
    done
    sleep 0.02
done

# The first copy of the whole closure over distance, on hosts that have none of it.
first_copy() { # first_copy CONTESTANT: milliseconds of the copy alone
    "$fleet" up --dir "$work/fresh" --owner $$ --fresh fresh=p620 >/dev/null
    "$fleet" delay --dir "$work/fresh" fresh 20 >/dev/null
    ln -sfn "$work/fresh/ssh_config" ssh_config
    printf '[hosts.fresh]\nattribute = "b1"\naddress = "fresh-delayed"\n' >>hosts.toml
    case $1 in
        nix) time_of copy_nix fresh-delayed ;;
        ours) time_of copy_ours fresh >/dev/null && cat "$work/copy-ours" ;;
    esac
    sed -i '/^\[hosts.fresh\]/,$d' hosts.toml
    "$fleet" down --dir "$work/fresh" >/dev/null
    ln -sfn "$work/hosts/ssh_config" ssh_config
}
time_of build_b1 >/dev/null
: >"$work/first-nix" >"$work/first-ours"
! wanted first-copy || for ((i = 0; i < runs; i++)); do
    first_copy nix >>"$work/first-nix"
    first_copy ours >>"$work/first-ours"
done
first_nix=$(median <"$work/first-nix")
first_ours=$(median <"$work/first-ours")

# --- the table -------------------------------------------------------------------

echo
echo "Medians of $runs runs in milliseconds, 412-path closure, settle window aside; $(nproc) processors, $(operator nix --version)"
echo
printf '| %-30s | %7s | %7s | %7s | %9s | %6s | %8s | %8s |\n' case ours floor bare deploy-rs nh ours/bare ours/d-rs
printf '|%s|%s|%s|%s|%s|%s|%s|%s|\n' -------------------------------- --------- --------- --------- ----------- -------- ---------- ----------
! wanted one-changed || row "1 host, one unit changed" one-changed
! wanted one-unchanged || row "1 host, unchanged" one-unchanged
! wanted all-changed || row "${#hosts[@]} hosts, one unit each" all-changed
! wanted all-shared || row "${#hosts[@]} hosts, one unit of all" all-shared
! wanted all-unchanged || row "${#hosts[@]} hosts, unchanged" all-unchanged
! wanted far-changed || row "1 host, changed, 40 ms away" far-changed
for count in "${growth[@]}"; do row "$count of ${#hosts[@]} hosts, changed" "grow-$count"; done
echo
if ((${#growth[@]})); then
    for contestant in ours bare deploy_rs; do
        line="Growth of $contestant, as a multiple of one host:"
        for count in "${growth[@]}"; do
            line+=" $count: $(ratio "${result[grow-$count-$contestant]:-}" "${result[grow-1-$contestant]:-}")"
        done
        echo "$line"
    done
    # Evaluation ends at the same moment for every host.
    evaluated=$(awk '$2 == "evaluate" { print $3 + $4 }' "$work/fleet-unchanged-steps" | median)
    echo "${#hosts[@]} hosts unchanged: ${result[fleet-unchanged-ours]} ms, of which until the end of the evaluation $evaluated ms"
    echo
fi
for name in one-changed far-changed ${growth:+"grow-${growth[-1]}"}; do
    [ -s "$work/$name-steps" ] || continue
    echo "Where the time goes, $name: step, began, took (ms)"
    steps_table "$name"
    echo
done
! wanted first-copy || echo "First copy of the closure, 40 ms away: ours $first_ours, nix copy $first_nix, ratio $(ratio "$first_ours" "$first_nix")"
echo "ssh logins of a deploy: $logins_changed changed, $logins_unchanged unchanged"
echo "nix-deploy --help: $((help_ms / 10)).$((help_ms % 10)) ms; memory with ${#hosts[@]} hosts: $((memory_kib / 1024)) MiB"
! wanted copy || "$checkout/benches/copy.sh" "$nix_deploy" "$runs"
