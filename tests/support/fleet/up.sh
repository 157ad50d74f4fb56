# up, down, list, gc: whole fleets.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # a host's settings are variables

FLEET_DIR=$FLEET_CACHE/fleet

# Takes --dir out of the arguments; the rest is in REST.
take_dir() {
    REST=()
    while (($#)); do
        case $1 in
            --dir) FLEET_DIR=$(realpath -m "$2"); shift 2 ;;
            --) REST+=("$@"); break ;;
            *) REST+=("$1"); shift ;;
        esac
    done
    FLEET_CGROUPS=$(cgroup_root)
}

keys_ensure() {
    [[ -e $FLEET_CACHE/keys/id_ed25519 ]] && return
    mkdir -p "$FLEET_CACHE/keys"
    ssh-keygen -q -t ed25519 -N '' -C 'operator of the nix-deploy test fleet' -f "$FLEET_CACHE/keys/id_ed25519"
}

cmd_up() {
    local owner='' fresh='' store_size='' inodes='' name role pids=() failed='' hosts=() pid
    take_dir "$@"
    set -- "${REST[@]}"
    while (($#)); do
        case $1 in
            --owner) owner=$2; shift 2 ;;
            --fresh) fresh=yes; shift ;;
            --store-size) store_size=$2; shift 2 ;;
            --store-inodes) inodes=$2; shift 2 ;;
            -*) die "up: unknown option $1" ;;
            *) hosts+=("$1"); shift ;;
        esac
    done
    ((${#hosts[@]})) || hosts=("${FLEET_ROLES[@]}")
    seed_ensure
    with_lock "$FLEET_CACHE/keys.lock" keys_ensure
    mkdir -p "$FLEET_DIR/hosts"
    (gc_hosts) || true
    with_lock "$FLEET_DIR/lock" up_start
    for name in "${hosts[@]}"; do
        name=${name%%=*}
        up_finish "$name" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=yes; done
    for name in "${hosts[@]}"; do
        host_load "${name%%=*}"
        printf '%s %s\n' "$name" "$address"
    done
    [[ -z $failed ]] || die "not all hosts came up"
}

# Creates and starts what is missing, under the fleet's lock.
up_start() {
    local host wanted
    for host in "${hosts[@]}"; do
        name=${host%%=*} role=${host#*=}
        [[ $name =~ ^[a-z0-9][a-z0-9-]{0,40}$ ]] || die "not a host name: $name"
        [[ -e $SEED/toplevels/$role ]] || die "$name: no role $role: one of ${FLEET_ROLES[*]}"
        wanted="$SEED $role $store_size $inodes"
        STATE=$(host_state "$name")
        if [[ -e $STATE/settings ]]; then
            host_load "$name"
            if [[ -z $fresh && $(<"$STATE/wanted") == "$wanted" ]] && host_running "$STATE"; then continue; fi
            host_remove
        fi
        host_create "$name" "$role" "$owner" "$store_size" "$inodes"
        printf '%s\n' "$wanted" >"$STATE/wanted"
        host_start
    done
    dir_write
}

# Waits for one host; one that was kept but has been left unfit by somebody's test is made anew.
up_finish() {
    host_load "$1"
    if [[ -e $STATE/ready ]]; then
        ! host_answers || return 0
        say "$name: does not answer any more, making it anew"
        with_lock "$FLEET_DIR/lock" up_again
        host_load "$1"
    fi
    host_wait
}

up_again() {
    local kept wanted
    kept=$role wanted=$(<"$STATE/wanted")
    host_remove
    host_create "$name" "$kept" "$owner" "$store_size" "$inodes"
    printf '%s\n' "$wanted" >"$STATE/wanted"
    host_start
    dir_write
}

# Writes ssh_config, known_hosts, addresses and the key from the hosts that there are.
dir_write() {
    local state name lease address port key
    [[ -e $FLEET_DIR/id_ed25519 ]] || install -m 0600 "$FLEET_CACHE/keys/id_ed25519" "$FLEET_DIR/id_ed25519"
    cp "$FLEET_CACHE/keys/id_ed25519.pub" "$FLEET_DIR/id_ed25519.pub"
    : >"$FLEET_DIR/ssh_config.new"
    : >"$FLEET_DIR/known_hosts.new"
    : >"$FLEET_DIR/addresses.new"
    for state in "$FLEET_DIR"/hosts/*/; do
        [[ -e $state/settings ]] || continue
        # shellcheck source=/dev/null
        . "$state/settings"
        read -r _ key _ <"$state/provision/etc/ssh/ssh_host_ed25519_key.pub"
        printf '%s,%s ssh-ed25519 %s\n' "$name" "$address" "$key" >>"$FLEET_DIR/known_hosts.new"
        printf '%s %s\n' "$address" "$name" >>"$FLEET_DIR/addresses.new"
        dir_host "$name" "$address" >>"$FLEET_DIR/ssh_config.new"
        if [[ -e $state/delay.port ]]; then
            port=$(<"$state/delay.port")
            dir_host "$name-delayed" 127.0.0.1 "$port" "$name" >>"$FLEET_DIR/ssh_config.new"
        fi
    done
    for state in ssh_config known_hosts addresses; do mv "$FLEET_DIR/$state.new" "$FLEET_DIR/$state"; done
    give_to_caller "$FLEET_DIR" "$FLEET_DIR"/{ssh_config,known_hosts,addresses,id_ed25519,id_ed25519.pub}
}

dir_host() { # NAME ADDRESS [PORT ALIAS]
    cat <<END
Host $1
  HostName $2
${3:+  Port $3
  HostKeyAlias $4
}  User root
  IdentityFile $FLEET_DIR/id_ed25519
  IdentitiesOnly yes
  UserKnownHostsFile $FLEET_DIR/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes

END
}

cmd_down() {
    take_dir "$@"
    [[ -d $FLEET_DIR/hosts ]] || return 0
    with_lock "$FLEET_DIR/lock" down_locked "${REST[@]}"
}

down_locked() {
    local host hosts=("$@")
    ((${#hosts[@]})) || mapfile -t hosts < <(ls "$FLEET_DIR/hosts")
    for host in "${hosts[@]}"; do
        [[ -e $FLEET_DIR/hosts/$host/settings ]] || { rm -rf "${FLEET_DIR:?}/hosts/$host"; continue; }
        host_load "$host"
        host_remove
    done
    dir_write
}

cmd_list() {
    local state
    take_dir "$@"
    for state in "$FLEET_DIR"/hosts/*/; do
        [[ -e $state/settings ]] || continue
        # shellcheck source=/dev/null
        . "$state/settings"
        printf '%s %s %s %s\n' "$name" "$address" "$role" "$(host_running "$state" && echo up || echo off)"
    done
}

# Removes hosts whose owner is gone or whose folder was deleted; collects in `used` the images of the others.
gc_hosts() {
    local file state owner start
    for file in "$FLEET_RUN"/leases/*; do
        state='' owner='' start=''
        { read -r state && read -r owner && read -r start; } 2>/dev/null <"$file" || true
        [[ -n $state ]] || continue
        FLEET_DIR=${state%/hosts/*}
        if [[ ! -e $state/settings ]]; then
            # A lease is a little older than its host's settings.
            [[ -z $(find "$file" -newermt '-60 seconds' 2>/dev/null) ]] || continue
            say "gc: ${state##*/} of $FLEET_DIR: its folder is gone"
            lease=${file##*/} STATE=$state CGROUP=$FLEET_CGROUPS/nix-deploy-test/${file##*/}
            host_remove
        elif [[ -n $owner && $(process_start "$owner" || true) != "$start" ]]; then
            say "gc: ${state##*/} of $FLEET_DIR: its owner is gone"
            with_lock "$FLEET_DIR/lock" down_locked "${state##*/}"
        else
            # shellcheck source=/dev/null
            . "$state/settings"
            used+=" $seed $base "
        fi
    done
}

cmd_gc() {
    local image used=''
    take_dir "$@"
    gc_hosts
    used+=" $FLEET_CACHE/seed-$(seed_key) $(base_dir) "
    # Another checkout may be about to use one that was touched lately.
    while read -r image; do
        [[ $used != *" $image "* ]] || continue
        say "gc: $image has not been used for two days"
        rm -rf --one-file-system "$image"
    done < <(find "$FLEET_CACHE" -maxdepth 1 -type d \( -name 'seed-*' -o -name 'base-*' -o -name 'operator-*' \) -mtime +2)
}

cmd_exec() {
    take_dir "$@"
    local host=${REST[0]}
    [[ ${REST[1]:-} == -- ]] || die "usage: fleet.sh exec [--dir DIR] NAME -- CMD…"
    host_load "$host"
    host_leader || die "$host is not running"
    # Inside of the host's cgroup, so that a power cut takes the command as well.
    mkdir -p "$CGROUP/exec"
    echo $$ >"$CGROUP/exec/cgroup.procs"
    # A host that shuts down stops its processes before it ends them. An nsenter that
    # waits for one would stop itself then, for good; this shell stands outside of the
    # host's process numbers and waits on.
    exec nsenter --no-fork --target "$LEADER" --mount --uts --ipc --net --pid --cgroup --root \
        /bin/sh -c '"$@"; exit' sh \
        /usr/bin/env -i --chdir=/ PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "${REST[@]:2}"
}
