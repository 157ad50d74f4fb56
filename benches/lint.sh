#!/usr/bin/env bash
# How fast a configuration is checked: 500 and 10,000 generated files, cold and
# with the cache, beside deadnix and one batch of nix-instantiate --parse.
#   lint.sh FOLDER_OF_EXAMPLES [RUNS]
set -euo pipefail

examples=$(realpath "$1")
runs=${2:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NIX_CONFIG='build-users-group ='

# The best of several runs from start to exit, in milliseconds: what the
# machine does besides only adds.
best() {
  local best='' start end taken
  for _ in $(seq "$1"); do
    start=$(date +%s%N)
    "${@:2}" >/dev/null 2>&1 || true
    end=$(date +%s%N)
    taken=$(( (end - start) / 10000 ))
    if [[ -z $best || $taken -lt $best ]]; then best=$taken; fi
  done
  printf '%d.%02d' $(( best / 100 )) $(( best % 100 ))
}

"$examples/lint_generate" "$work/small" 500
"$examples/lint_generate" "$work/large" 10000

printf '\n| files | program | best of %s, ms |\n|---|---|---|\n' "$runs"
for size in small large; do
  cd "$work/$size"
  count=$(find . -name '*.nix' | wc -l)
  rounds=$runs
  [[ $size == large ]] && rounds=3
  printf '| %s | nix-deploy, all rules | %s |\n' "$count" "$(best "$rounds" "$examples/lint_files" .)"
  "$examples/lint_files" --cache "$work/cache-$size" . >/dev/null
  one_changed() {
    echo "# $RANDOM$RANDOM" >>part0/module0.nix
    "$examples/lint_files" --cache "$work/cache-$size" .
  }
  printf '| %s | nix-deploy, cache, one file changed | %s |\n' "$count" "$(best "$rounds" one_changed)"
  if command -v deadnix >/dev/null; then
    printf '| %s | deadnix | %s |\n' "$count" "$(best "$rounds" deadnix .)"
  fi
  if [[ $size == small ]]; then
    mapfile -t files < <(find . -name '*.nix')
    printf '| %s | nix-instantiate --parse, one batch | %s |\n' "$count" "$(best 3 nix-instantiate --parse "${files[@]}")"
  fi
done
cd "$work/large"
if [[ -x /usr/bin/time ]]; then
  /usr/bin/time -f '%M' "$examples/lint_files" . 2>&1 >/dev/null | awk '{ printf "\nmemory at 10,000 files: %.0f MiB\n", $1 / 1024 }'
fi
