# systemctl has no answer for four seconds of the activation, as while systemd re-executes itself.
{ ... }: {
  activation.silence = ''
    mv /usr/bin/systemctl /usr/bin/systemctl.away
    printf '#!/bin/sh\necho "Failed to connect to bus" >&2\nexit 1\n' >/usr/bin/systemctl
    chmod +x /usr/bin/systemctl
    sleep 4
    mv /usr/bin/systemctl.away /usr/bin/systemctl
  '';
}
