# Things that go wrong with a host, on demand.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # a host's settings are variables

cmd_kill() {
    take_dir "$@"
    host_load "${REST[0]}"
    host_kill
}

cmd_boot() {
    take_dir "$@"
    host_load "${REST[0]}"
    ! host_running "$STATE" || die "$name is running"
    net_create "$lease"
    host_start
    host_wait
}

cmd_link() {
    take_dir "$@"
    host_load "${REST[0]}"
    ip link set "ndt$lease" "${REST[1]}"
}

cmd_pause() {
    take_dir "$@"
    host_load "${REST[0]}"
    echo 1 >"$CGROUP/cgroup.freeze"
}

cmd_resume() {
    take_dir "$@"
    host_load "${REST[0]}"
    echo 0 >"$CGROUP/cgroup.freeze"
}

# Takes room on the host's disk until only so much is free.
cmd_fill() {
    take_dir "$@"
    host_load "${REST[0]}"
    [[ -n $store_size ]] || die "$name has the whole machine's disk: start it with up --store-size MIB"
    # shellcheck disable=SC2016 # expanded inside of the host
    cmd_exec --dir "$FLEET_DIR" "$name" -- sh -euc '
        rm -f "$1/.fill"
        free=$(df --output=avail -B1 "$1" | tail -n1)
        size=$((free - $2 * 1048576))
        if [ "$size" -gt 0 ]; then fallocate -l "$size" "$1/.fill"; fi
        df --output=avail -BM "$1" | tail -n1' fill "${REST[1]}" "${REST[2]}"
}

cmd_delay() {
    take_dir "$@"
    host_load "${REST[0]}"
    delay_stop
    # The forwarder writes its port when it listens, and ends with the host's folder.
    setsid python3 "$FLEET_LIB/delay.py" "$address" 22 "${REST[1]:-20}" "$STATE" ${REST[2]:+"${REST[2]}"} </dev/null >"$STATE/delay.log" 2>&1 &
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        [[ ! -e $STATE/delay.port ]] || break
        sleep 0.02
    done
    [[ -e $STATE/delay.port ]] || { cat "$STATE/delay.log" >&2; die "$name: the forwarder did not start"; }
    with_lock "$FLEET_DIR/lock" dir_write
    cat "$STATE/delay.port"
}

delay_stop() {
    local pid start
    if [[ -e $STATE/delay.pid ]]; then
        read -r pid start <"$STATE/delay.pid"
        [[ $(process_start "$pid" || true) != "$start" ]] || kill "$pid"
        rm -f "$STATE/delay.pid" "$STATE/delay.port"
    fi
}
