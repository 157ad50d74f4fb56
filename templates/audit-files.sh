# The files of a system that the audit reads, each line behind its path below etc;
# of the running system also its set-uid programs and the rules of its firewall,
# which no file below etc names.
# Input: SYSTEM
main() {
    PATH=/run/current-system/sw/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    cd "$SYSTEM/etc" || return 1
    # A pattern that matches nothing is a file that is not there; so is a masked unit.
    grep -s -H '' systemd/system/*.service systemd/system/*.service.d/*.conf ssh/sshd_config
    [ "$(readlink -f /run/current-system)" = "$(readlink -f "$SYSTEM")" ] || return 0
    if [ -d /run/wrappers/bin ]; then
        echo setuid:
        for program in /run/wrappers/bin/*; do
            if [ -u "$program" ]; then echo "setuid:${program##*/}"; fi
        done
    fi
    echo filter:
    for unit in firewall nftables; do
        grep -s '^ExecStart=' "systemd/system/$unit.service" | grep -o '/nix/store/[^ "]*' | while read -r script; do
            echo "filter:unit $unit"
            grep -s -h -E 'nixos-fw|dport|iifname|chain|}' "$script" | sed 's/^/filter:/'
        done
    done
    return 0
}
