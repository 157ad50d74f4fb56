# Names, folders, locks and messages that every part of the fleet manager uses.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # used by the parts that fleet.sh sources beside this one

FLEET_ROLES=(p620 p510 razer samsung)
FLEET_CACHE=${NIX_DEPLOY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nix-deploy-test}
# Leases and names in the kernel (bridge, veth, netns, cgroup) are per machine, not per cache.
FLEET_RUN=/run/nix-deploy-test
FLEET_BRIDGE=ndtbr
FLEET_NET=${NIX_DEPLOY_TEST_NET:-10.213}
FLEET_DEADLINE=${NIX_DEPLOY_TEST_BOOT_DEADLINE:-90}
FLEET_DEMO=$FLEET_REPO/demo

say() { printf 'fleet: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a function under an exclusive lock. The descriptor is closed for good
# afterwards: a host that inherited it would hold the lock as long as it runs.
with_lock() {
    local file=$1 fd status=0
    shift
    mkdir -p "${file%/*}"
    exec {fd}>>"$file"
    flock "$fd"
    "$@" || status=$?
    exec {fd}>&-
    return "$status"
}

# Hosts run as root; a person without root goes through sudo once, at the start.
need_root() {
    [[ $EUID -eq 0 ]] && return
    command -v sudo >/dev/null || die "needs root: run as root, or install sudo"
    exec sudo --preserve-env=HOME,XDG_CACHE_HOME,NIX_DEPLOY_TEST_OPERATOR,NIX_DEPLOY_TEST_CACHE,NIX_DEPLOY_TEST_NET,NIX_DEPLOY_TEST_BOOT_DEADLINE \
        "$FLEET_REPO/tests/support/fleet.sh" "$@"
}

# The caller's user owns what he has to read when root made it through sudo.
give_to_caller() {
    [[ -z ${SUDO_UID:-} ]] || chown -h "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
}

# One line per process that cannot be mistaken after its pid has been reused.
process_start() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086 # fields are wanted
    set -- $stat
    printf '%s' "${20}"
}

# Where the kernel's one cgroup2 tree is mounted; it is mounted privately when the machine shows none.
cgroup_root() {
    local type dir
    while read -r _ dir type _; do
        if [[ $type == cgroup2 && -w $dir/cgroup.procs ]]; then
            printf '%s' "$dir"
            return
        fi
    done </proc/mounts
    mkdir -p "$FLEET_RUN/cgroup"
    mount -t cgroup2 none "$FLEET_RUN/cgroup"
    printf '%s' "$FLEET_RUN/cgroup"
}

# Memory, where there is enough of it: on ext4 the files of one host are made slowly for minutes
# after those of another were removed (it looks for inodes that were not in use of late).
fleet_scratch() {
    local available
    available=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
    if [[ $(stat -f -c %T /dev/shm 2>/dev/null) == tmpfs && -w /dev/shm && $available -ge $((6 << 20)) ]] &&
        [[ $(df -k --output=avail /dev/shm | tail -n 1) -ge $((6 << 20)) ]]; then
        echo /dev/shm
    else
        echo /tmp
    fi
}
