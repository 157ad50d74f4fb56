# Makes this system the current one, as NixOS' activation script does: a step that fails is
# reported, the others still run, and the script fails at its end.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
status=0

step_etc() {
    # Everything in /etc that follows the system goes through /etc/static …
    if [ "$(readlink /etc/static)" = "$etc" ]; then return 0; fi
    ln -sfn "$etc" /etc/.static.new && mv -T /etc/.static.new /etc/static || return
    # … but for files that have to be real ones.
    mkdir -p /etc/sudoers.d /etc/polkit-1/rules.d
    cmp -s "$etc/copied/sudoers" /etc/sudoers.d/fleet || install -m 0440 "$etc/copied/sudoers" /etc/sudoers.d/fleet
    cmp -s "$etc/copied/polkit.rules" /etc/polkit-1/rules.d/10-fleet.rules ||
        install -m 0644 "$etc/copied/polkit.rules" /etc/polkit-1/rules.d/10-fleet.rules
}

step_network() {
    address=@interfaceAddress@
    if [ -z "$address" ]; then read -r address </etc/fleet/address; fi
    case $(ip -o -4 addr show dev eth0) in
        *" $address "*) ;;
        *) ip addr flush dev eth0 && ip addr add "$address" brd + dev eth0 || return ;;
    esac
    ip link set eth0 @interfaceState@
}

@functions@

for step in etc network @steps@; do
    step_$step || { status=$?; echo "Activation script snippet '$step' failed ($status)" >&2; }
done
ln -sfn "$systemConfig" /run/current-system
if [ "$status" -ne 0 ]; then exit 1; fi
exit 0
