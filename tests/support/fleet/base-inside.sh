#!/bin/bash
# Fills the base image; runs in a mount namespace of its own.
# usage: base-inside.sh ROOT MIRROR FIRST-PACKAGES PACKAGE...
set -euo pipefail
root=$1 mirror=$2 first=$3
shift 3
here=${BASH_SOURCE[0]%/*}
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

debootstrap --variant=minbase --include="$first" trixie "$root" "$mirror"

mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
cat >"$root/etc/dpkg/dpkg.cfg.d/small" <<'END'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
END
chroot "$root" apt-get update -q
chroot "$root" apt-get install -q -y --no-install-recommends "$@"
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/* "$root/usr/sbin/policy-rc.d"
rm -f "$root/etc/resolv.conf" "$root"/etc/ssh/ssh_host_* "$root/etc/hostname"
: >"$root/etc/resolv.conf"

# Root's password is locked, deploy's is known: tests of sudo with a password use it.
chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash deploy
printf 'deploy:deploy\n' | chroot "$root" chpasswd

# Units: /etc/systemd/system belongs to the deployed system, as on NixOS, so what Debian
# enabled there and is still wanted moves to /usr/lib. sshd and nix-daemon come from the toplevel.
units=$root/usr/lib/systemd/system
rm -rf "$root/etc/systemd/system"
ln -s /etc/static/systemd/system "$root/etc/systemd/system"
rm -f "$units"/ssh.service "$units"/ssh.socket "$units"/ssh@.service "$units"/sshd*.service "$units"/nix-daemon.*
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer motd-news.timer \
    getty.target console-getty.service systemd-homed.service systemd-networkd.service systemd-resolved.service \
    systemd-timesyncd.service systemd-pcrlock.socket systemd-udev-trigger.service systemd-binfmt.service sshd-keygen.service \
    systemd-journal-catalog-update.service ldconfig.service systemd-update-done.service systemd-hwdb-update.service \
    systemd-firstboot.service systemd-sysusers.service systemd-boot-random-seed.service; do
    ln -sf /dev/null "$units/$unit"
done
# Generators run at every daemon-reload; those whose subject a container does not have are left out.
rm -f "$root"/etc/init.d/*
mkdir -p "$root/etc/systemd/system-generators"
for generator in systemd-ssh-generator systemd-sysv-generator systemd-rc-local-generator systemd-gpt-auto-generator \
    systemd-cryptsetup-generator systemd-integritysetup-generator systemd-veritysetup-generator systemd-hibernate-resume-generator \
    systemd-fstab-generator systemd-tpm2-generator systemd-bless-boot-generator systemd-system-update-generator; do
    ln -s /dev/null "$root/etc/systemd/system-generators/$generator"
done
rm -f "$units"/*.wants/systemd-ask-password* "$units"/*.wants/getty.target

# The parts of NixOS' world that are outside of the toplevel.
: >"$root/etc/NIXOS"
mkdir -p "$root/boot/loader/entries" "$root/boot/EFI/nixos" "$root/etc/fleet" "$root/var/empty" "$root/run/sshd" \
    "$root/etc/ssh" "$root/nix/store" "$root/nix/var/nix/daemon-socket" "$root/nix/var/nix/profiles" "$root/nix/var/nix/gcroots"
for name in ssh/sshd_config ssh/authorized_keys.d os-release nix/nix.conf doas.conf; do
    rm -rf "$root/etc/${name:?}"
    ln -s "/etc/static/$name" "$root/etc/$name"
done
install -m 0755 "$here/image/fleet-init" "$root/usr/sbin/fleet-init"
install -m 0440 "$here/image/sudoers" "$root/etc/sudoers"
install -D -m 0644 "$here/image/journald.conf" "$root/etc/systemd/journald.conf.d/fleet.conf"
install -D -m 0644 "$here/image/system.conf" "$root/etc/systemd/system.conf.d/fleet.conf"
mkdir -p "$root/var/log/journal"
: >"$root/etc/default/locale"
# Whoever logs in may talk to the Nix daemon, as on NixOS; Debian wants a group for it.
sed -i 's/^d .*daemon-socket .*/d \/nix\/var\/nix\/daemon-socket 0755 root root/' "$root/usr/lib/tmpfiles.d/nix-daemon.conf"
chown root:root "$root/nix/var/nix/daemon-socket"
chmod 0755 "$root/nix/var/nix/daemon-socket"
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
# /etc/nix/nix.conf is not there until a system is activated; the database is made without it.
NIX_CONF_DIR=/nonexistent chroot "$root" nix-store --init
# NixOS' roots of the garbage collector.
ln -s /run/current-system /run/booted-system "$root/nix/var/nix/gcroots/"
