# A critical component changes: check, switch and test are refused with exit code 1, boot is not.
{ ... }: {
  preSwitchCheck = ''
    case $2 in boot) exit 0 ;; esac
    cat >&2 <<END
    There are changes to critical components of the system:

    dbus-implementation : dbus -> broker

    Switching into this system is not recommended.
    You probably want to run 'nixos-rebuild boot' and reboot your system instead.

    If you really want to switch into this configuration directly, then
    you can set NIXOS_NO_CHECK=1 to ignore these pre-switch checks.

    WARNING: doing so might cause the switch to fail or your system to become unstable.

    END
    exit 1
  '';
}
