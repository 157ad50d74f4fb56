# The generations of the system profile, one per line, fields separated by tabs:
# number, when it was made, toplevel, NixOS version, kernel. What was removed from
# the store under a generation has no version.
# Input: PROFILE, SYSTEM (a toplevel to look for, may be empty)
main() {
    PATH=/run/current-system/sw/bin:$PATH:/usr/local/bin:/usr/bin:/bin
    for link in "$PROFILE"-*-link; do
        [ -L "$link" ] || continue
        number=${link#"$PROFILE-"}
        number=${number%-link}
        { read -r made; read -r system; } <<LINK
$(stat -c %Y "$link"; readlink -m "$link")
LINK
        version=
        [ ! -r "$system/nixos-version" ] || IFS= read -r version <"$system/nixos-version"
        printf 'generation=%s\t%s\t%s\t%s\t%s\n' "$number" "$made" "$system" "$version" \
            "$(readlink -m "$system/kernel")"
    done
    [ -z "$SYSTEM" ] || [ ! -x "$SYSTEM/bin/switch-to-configuration" ] || echo there=1
}
