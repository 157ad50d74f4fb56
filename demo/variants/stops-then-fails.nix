# switch-to-configuration stops units, then systemd fails it: exit code 1, nothing is activated.
{ revision, ... }: {
  units."worker.service".Service.Environment = "REVISION=${toString revision}";
  beforeSwitch = ''
    tell "stopping the following units" "$stop"
    run systemctl stop -- $stop
    echo "Error: Failed to process dbus messages" >&2
    exit 1
  '';
}
