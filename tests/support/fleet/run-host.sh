#!/bin/bash
# Runs one host until it powers off. It lives in a mount namespace and a cgroup of its own: when
# the last process is gone nothing is left mounted.
# usage: run-host.sh STATE CGROUP_ROOT
# shellcheck disable=SC2154 # a host's settings are variables
set -euo pipefail
state=$1 cgroups=$2
# shellcheck source=/dev/null
. "$state/settings"

mkdir -p "$cgroups/nix-deploy-test/$lease"
echo $$ >"$cgroups/nix-deploy-test/$lease/cgroup.procs"

# systemd 257 refuses to boot beside cgroup v1.
if ! [[ -e /sys/fs/cgroup/cgroup.procs ]]; then
    umount -l /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
fi

store=$state/disk
if [[ -n $store_size ]]; then
    mount -o loop "$state/disk.img" "$store"
fi
if [[ ! -d $store/upper ]]; then
    mkdir -p "$store/work"
    cp -a "$state/provision" "$store/upper"
fi
mount -t overlay overlay -o "lowerdir=$seed/layer:$base,upperdir=$store/upper,workdir=$store/work" "$state/root"

# 133 asks for another boot: the container's system has rebooted.
status=133
while [[ $status -eq 133 ]]; do
    status=0
    systemd-nspawn --quiet --keep-unit --register=no --directory="$state/root" --machine="ndt-$lease" --hostname="$name" \
        --uuid="$machine_id" --network-namespace-path="/run/netns/ndt-$lease" --capability=CAP_NET_ADMIN \
        --resolv-conf=off --timezone=off --link-journal=no --kill-signal=SIGRTMIN+3 --console=read-only \
        /usr/sbin/fleet-init || status=$?
done
exit "$status"
