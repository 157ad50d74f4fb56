# Asks for time as hold-lib.sh says.
main() {
    PATH=/run/current-system/sw/bin:/run/wrappers/bin:$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    ask_for_time
}
