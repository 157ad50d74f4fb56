# What a host runs, for the record, as key=value lines. Runs as the login user and
# starts next to nothing: every host is asked every few minutes.
say() { printf '%s=%s\n' "$1" "$2"; }

# The first line of a file.
say_file() {
    line=
    [ ! -r "$2" ] || IFS= read -r line <"$2"
    say "$1" "$line"
}

main() {
    # A path that is not there resolves to itself, and is then no store path.
    say current_system "$(readlink -m /run/current-system 2>/dev/null)"
    say_file nixos_version /run/current-system/nixos-version
    say_file kernel /proc/sys/kernel/osrelease
    say_file uptime /proc/uptime
    say_file machine_id /etc/machine-id
    # ADDRESS PORT of the other side, then of this one.
    say connection "${SSH_CONNECTION:-}"
}
