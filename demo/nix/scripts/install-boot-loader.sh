# Writes boot entries the way NixOS does for systemd-boot: one per generation of the profile; the
# default is the generation that IS the given system, and stays as it was when there is none.
# usage: install-boot-loader TOPLEVEL
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
set -eu
toplevel=$1
@bootLoader@
entries=/boot/loader/entries
default=
kept=' '
set -- /nix/var/nix/profiles/system-*-link
for target in $(readlink "$@"); do
    number=${1#*/system-} number=${number%-link}
    shift
    entry=$entries/nixos-generation-$number.conf
    kept="$kept$entry "
    wanted="options init=$target/init"
    found=
    if [ -e "$entry" ]; then
        while read -r line; do case $line in options*) found=$line ;; esac; done <"$entry"
    fi
    if [ "$found" != "$wanted" ]; then
        # The file system of the boot loader is small: kernels are shared by the generations.
        kernel=$(readlink "$target/kernel")
        kernel=/boot/EFI/nixos/$(basename "${kernel%/*}").efi
        [ -e "$kernel" ] || { cp "$target/kernel" "$kernel.tmp" && mv "$kernel.tmp" "$kernel"; }
        printf 'title NixOS\nversion Generation %s\nlinux %s\n%s\n' "$number" "${kernel#/boot}" "$wanted" >"$entry.tmp"
        mv "$entry.tmp" "$entry"
    fi
    if [ "$target" = "$toplevel" ]; then default=nixos-generation-$number.conf; fi
done
for entry in "$entries"/nixos-generation-*.conf; do
    case $kept in *" $entry "*) ;; *) rm -f "$entry" ;; esac
done
if [ -n "$default" ]; then
    printf 'timeout 5\ndefault %s\n' "$default" >/boot/loader/loader.conf.tmp
    mv /boot/loader/loader.conf.tmp /boot/loader/loader.conf
fi
