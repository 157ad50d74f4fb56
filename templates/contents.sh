# What a system is made of, for comparing it with another one: its version, the
# parts that only a reboot brings in, every unit file with a digest of its text,
# which units are wanted, what is installed by name, and the closure with sizes.
# Input: SYSTEM
main() {
    PATH=/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    [ -x "$SYSTEM/bin/switch-to-configuration" ] || { echo missing=1; return 0; }
    version=
    [ ! -r "$SYSTEM/nixos-version" ] || IFS= read -r version <"$SYSTEM/nixos-version"
    printf 'version=%s\n' "$version"
    for part in kernel initrd kernel-modules; do
        printf 'part=%s\t%s\n' "$part" "$(readlink -m "$SYSTEM/$part")"
    done
    [ ! -r "$SYSTEM/kernel-params" ] || printf 'part=kernel-params\t%s\n' "$(cat "$SYSTEM/kernel-params")"
    if cd "$SYSTEM/etc/systemd/system/" 2>/dev/null; then
        # A masked unit is a link to /dev/null; its digest is that of nothing.
        find -L . \( -type f -o -type c \) ! -path '*.wants/*' ! -path '*.requires/*' -exec sha256sum {} + |
            sed -n 's/^\([0-9a-f]*\)  *\.\//unit=\1 /p'
        find . \( -path './*.wants/*' -o -path './*.requires/*' \) -printf 'wanted=%f %h\n' | sed 's/ \.\// /'
        cd /
    fi
    if [ -e "$SYSTEM/sw" ]; then
        nix-store -q --references "$(readlink -f "$SYSTEM/sw")" | sed 's/^/selected=/'
    fi
    nix --extra-experimental-features nix-command path-info -r -s "$SYSTEM"
}
