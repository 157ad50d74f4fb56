# Makes room in the store. Nothing that a root refers to goes: the running and
# the booted system, generations, and what this run needs.
#
# What this run has brought so far has no root of its own yet. Nix counts what
# stands in the environment of a process as in use (manual, "Garbage collector
# roots"), which needs no room on a disk that is full.
#
# With OLD_GENERATIONS=1 system generations go first, except the current one, the
# one before it, newer ones, and those that run or were booted.
# Input: KEEP (store paths, one per line), OLD_GENERATIONS, PROFILE
# Output: removed=NUMBER per generation, free=BYTES and said=TEXT at the end
keep() {
    # One variable may hold 128 KiB.
    number=0
    part=
    count=0
    while IFS= read -r path; do
        part="$part $path"
        count=$((count + 1))
        [ "$count" -lt 500 ] || { export "NIX_DEPLOY_KEEP_$number=$part"; number=$((number + 1)); part=; count=0; }
    done
    export "NIX_DEPLOY_KEEP_$number=$part"
    nix-store --gc 2>&1
}

remove_generations() {
    # system-42-link
    current=$(readlink "$PROFILE")
    current=${current%-link}
    current=${current##*-}
    case $current in '' | *[!0-9]*) return ;; esac
    running=$(readlink -f /run/current-system)
    booted=$(readlink -f /run/booted-system)
    previous=0
    for link in "$PROFILE"-*-link; do
        number=${link#"$PROFILE"-}
        number=${number%-link}
        case $number in '' | *[!0-9]*) continue ;; esac
        [ "$number" -ge "$current" ] || [ "$number" -le "$previous" ] || previous=$number
    done
    for link in "$PROFILE"-*-link; do
        number=${link#"$PROFILE"-}
        number=${number%-link}
        case $number in '' | *[!0-9]*) continue ;; esac
        [ "$number" -lt "$current" ] && [ "$number" != "$previous" ] || continue
        system=$(readlink -f "$link")
        [ "$system" != "$running" ] && [ "$system" != "$booted" ] || continue
        nix-env -p "$PROFILE" --delete-generations "$number" >&2 && printf 'removed=%s\n' "$number"
    done
}

main() {
    PATH=/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    [ "${OLD_GENERATIONS:-0}" != 1 ] || remove_generations
    said=$(printf '%s\n' "$KEEP" | keep)
    code=$?
    said=$(printf '%s\n' "$said" | tail -n 1)
    printf 'said=%s\n' "$said"
    [ "$code" = 0 ] || { printf '%s\n' "$said" >&2; return "$code"; }
    printf 'store=%s\n' "$(stat -f -c '%a %S %d %c' /nix/store 2>/dev/null)"
}
