# The bridge, and leases: one number stands for an address, a MAC, a veth and a network namespace.
# shellcheck shell=bash

# Numbers of the default fleet's hosts, so that their addresses are known beforehand.
FLEET_FIXED=([11]=p620 [12]=p510 [13]=razer [14]=samsung)
FLEET_FIRST_LEASE=100

net_address() { printf '%s.%d.%d' "$FLEET_NET" $(($1 >> 8)) $(($1 & 255)); }
net_mac() { printf '02:6e:64:00:%02x:%02x' $(($1 >> 8)) $(($1 & 255)); }

# With an address of its own, a bridge does not take that of one of its ports: when that
# port's host was removed, every other host kept sending to an address that was gone, and
# what it said came up to a quarter of a minute late.
FLEET_BRIDGE_MAC=02:6e:64:ff:00:01

net_bridge() {
    if [[ -d /sys/class/net/$FLEET_BRIDGE ]]; then
        # 3: it was set, and stays.
        [[ $(</sys/class/net/$FLEET_BRIDGE/addr_assign_type) == 3 ]] ||
            ip link set "$FLEET_BRIDGE" address "$FLEET_BRIDGE_MAC"
        return
    fi
    ip link add "$FLEET_BRIDGE" address "$FLEET_BRIDGE_MAC" type bridge
    ip -batch - <<END
address add $FLEET_NET.0.1/16 dev $FLEET_BRIDGE
link set $FLEET_BRIDGE up
END
}

# Takes a free number for NAME of the fleet in DIR; its file holds: state folder, owner, owner's start.
net_lease() { # STATE NAME OWNER → LEASE
    with_lock "$FLEET_RUN/lock" net_lease_locked "$@"
}

net_lease_locked() {
    local state=$1 name=$2 owner=$3 number
    mkdir -p "$FLEET_RUN/leases"
    net_bridge
    # A machine with many hosts needs many inotify instances, or systemd hangs at boot.
    local instances
    read -r instances </proc/sys/fs/inotify/max_user_instances
    [[ $instances -ge 8192 ]] || echo 8192 >/proc/sys/fs/inotify/max_user_instances
    LEASE=
    if [[ ${state%/hosts/*} == "$FLEET_CACHE/fleet" ]]; then
        for number in "${!FLEET_FIXED[@]}"; do
            [[ ${FLEET_FIXED[number]} != "$name" || -e $FLEET_RUN/leases/$number ]] || LEASE=$number
        done
    fi
    for ((number = FLEET_FIRST_LEASE; ${#LEASE} == 0; number++)); do
        ((number < 65000)) || die "no free address in $FLEET_NET.0.0/16: run fleet.sh gc"
        ((number % 256 != 0 && number % 256 != 255)) || continue
        [[ -e $FLEET_RUN/leases/$number ]] || LEASE=$number
    done
    printf '%s\n%s\n%s\n' "$state" "$owner" "$([[ -z $owner ]] || process_start "$owner")" >"$FLEET_RUN/leases/$LEASE"
}

net_create() { # NUMBER
    net_remove "$1"
    ip netns add "ndt-$1"
    ip link add "ndt$1" type veth peer name eth0 address "$(net_mac "$1")" netns "ndt-$1"
    ip link set "ndt$1" master "$FLEET_BRIDGE" up
}

net_remove() {
    [[ ! -e /run/netns/ndt-$1 ]] || ip netns delete "ndt-$1" 2>/dev/null || true
    # The pair goes with the namespace, but only when the kernel comes to it.
    [[ ! -d /sys/class/net/ndt$1 ]] || ip link delete "ndt$1" 2>/dev/null || true
}
