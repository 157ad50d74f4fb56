# One host: its state folder, starting, stopping, looking inside.
#
# DIR/hosts/NAME/ holds `settings` (sourced), `provision/` (what the host is born with), `disk/`
# (upper and work folder of the overlay), `root/` (mount point), `pid` (run-host.sh), `console.log`.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # a host's settings are variables

host_state() { printf '%s/hosts/%s' "$FLEET_DIR" "$1"; }

# Reads a host's settings into name, role, lease, address, seed, base, store_size, machine_id.
host_load() {
    STATE=$(host_state "$1")
    [[ -e $STATE/settings ]] || die "no host called $1 in $FLEET_DIR"
    # shellcheck source=/dev/null
    . "$STATE/settings"
    CGROUP=$FLEET_CGROUPS/nix-deploy-test/$lease
}

host_running() { # STATE
    local pid start
    { read -r pid start <"$1/pid"; } 2>/dev/null && [[ -n $start && $(process_start "$pid" || true) == "$start" ]]
}

# The process that is PID 1 in the container, a grandchild of run-host.sh; every reboot changes it.
host_leader() {
    local generation
    LEADER=
    { read -r LEADER _ <"$STATE/pid"; } 2>/dev/null || return 1
    for generation in nspawn init; do
        # The kernel ends the line without a newline, so that read fails though it has read.
        { read -r LEADER _ <"/proc/$LEADER/task/$LEADER/children"; } 2>/dev/null || [[ -n $LEADER ]] || return 1
    done
    [[ $generation == init && -n $LEADER ]]
}

host_create() { # NAME ROLE OWNER STORE_SIZE STORE_INODES
    local name=$1 role=$2 owner=$3 store_size=$4 inodes=$5 born toplevel
    STATE=$(host_state "$name")
    rm -rf --one-file-system "$STATE"
    mkdir -p "$STATE/disk" "$STATE/root" "$STATE/provision"
    net_lease "$STATE" "$name" "$owner"
    net_create "$LEASE"
    toplevel=$(seed_toplevel "$role")
    cat >"$STATE/settings" <<END
name=$name role=$role lease=$LEASE address=$(net_address "$LEASE") store_size=$store_size
base=${BASE@Q} seed=${SEED@Q} toplevel=$toplevel
machine_id=$(printf 'nix-deploy test host %s' "$name" | md5sum | cut -d' ' -f1)
END
    # shellcheck source=/dev/null
    . "$STATE/settings"
    if [[ -n $store_size ]]; then
        truncate -s "${store_size}M" "$STATE/disk.img"
        # shellcheck disable=SC2086 # two words or none
        mkfs.ext4 -q -m 0 -O ^has_journal ${inodes:+-N $inodes} "$STATE/disk.img"
    fi

    born=$STATE/provision
    mkdir -p "$born/etc/fleet" "$born/etc/ssh" "$born/boot/loader/entries" "$born/nix/var/nix/profiles"
    printf '%s/16\n' "$address" >"$born/etc/fleet/address"
    printf '%s\n' "$machine_id" >"$born/etc/machine-id"
    printf '%s\n' "$name" >"$born/etc/hostname"
    printf '127.0.0.1 localhost %s\n' "$name" >"$born/etc/hosts"
    cp "$FLEET_CACHE/keys/id_ed25519.pub" "$born/etc/fleet/operator.pub"
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$born/etc/ssh/ssh_host_ed25519_key"
    ln -s "$toplevel" "$born/nix/var/nix/profiles/system-1-link"
    ln -s system-1-link "$born/nix/var/nix/profiles/system"
    printf 'timeout 5\ndefault nixos-generation-1.conf\n' >"$born/boot/loader/loader.conf"
    printf 'title NixOS\nversion Generation 1\noptions init=%s/init\n' "$toplevel" \
        >"$born/boot/loader/entries/nixos-generation-1.conf"
}

# Starts the container of the loaded host; it outlives the caller and holds none of its descriptors.
host_start() {
    local pid fd
    rm -f "$STATE/pid"
    # shellcheck disable=SC2094
    (
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            ((fd < 3)) || eval "exec $fd>&-" 2>/dev/null || true
        done
        exec setsid unshare --mount --propagation private bash "$FLEET_LIB/run-host.sh" "$STATE" "$FLEET_CGROUPS"
    ) </dev/null >>"$STATE/console.log" 2>&1 &
    pid=$!
    printf '%s %s\n' "$pid" "$(process_start "$pid")" >"$STATE/pid"
}

# Waits until sshd listens (seen from outside of ssh: a probe that does not log in is penalised),
# then logs in once and lets the boot come to its end.
host_wait() {
    local deadline=$((SECONDS + FLEET_DEADLINE)) line listening=
    until [[ -n $listening ]]; do
        host_running "$STATE" || host_failed "did not start"
        ((SECONDS < deadline)) || host_failed "sshd does not listen after $FLEET_DEADLINE s"
        if host_leader; then
            while read -r _ line _ state _; do
                [[ $line != *:0016 || $state != 0A ]] || listening=yes
            done < <(cat "/proc/$LEADER/net/tcp" 2>/dev/null)
        fi
        [[ -n $listening ]] || sleep 0.05
    done
    until ssh -F "$FLEET_DIR/ssh_config" -o ConnectTimeout=5 -o BatchMode=yes "$name" \
        'timeout 30 systemctl is-system-running --wait >/dev/null; true' 2>"$STATE/ssh.log" </dev/null; do
        ((SECONDS < deadline)) || { cat "$STATE/ssh.log" >&2; host_failed "no login by ssh after $FLEET_DEADLINE s"; }
        sleep 0.2
    done
    : >"$STATE/ready"
}

host_failed() {
    say "$name: $1; end of its console:"
    tail -n 20 "$STATE/console.log" >&2
    exit 1
}

# Whether a host that was up is still fit for use: one login, at once.
host_answers() {
    ssh -F "$FLEET_DIR/ssh_config" -o ConnectTimeout=3 -o BatchMode=yes "$name" true 2>"$STATE/ssh.log" </dev/null
}

# A power cut: everything in the container dies at once, nothing is told.
host_kill() {
    local events deadline=$((SECONDS + 20))
    rm -f "$STATE/ready"
    if [[ -e $CGROUP/cgroup.kill ]]; then
        echo 0 >"$CGROUP/cgroup.freeze"
        echo 1 >"$CGROUP/cgroup.kill"
        until events=$(<"$CGROUP/cgroup.events") && [[ $events == *"populated 0"* ]]; do
            ((SECONDS < deadline)) || die "lease $lease: its processes do not die"
            sleep 0.02
        done
        find "$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || true
    fi
    rm -f "$STATE/pid"
}

host_remove() {
    delay_stop
    host_kill
    net_remove "$lease"
    rm -rf --one-file-system "$STATE" || { sleep 0.2; rm -rf --one-file-system "$STATE"; }
    rm -f "$FLEET_RUN/leases/$lease"
}
