# A new service dies after three seconds, again and again; switch-to-configuration exits with 0.
{ ... }: {
  units."loop.service" = {
    Unit = { Description = "Dies after three seconds, for ever"; StartLimitIntervalSec = 0; };
    Service = {
      Type = "exec";
      ExecStart = "/bin/sh -c 'sleep 3; echo loop: lost its mind; exit 1'";
      Restart = "always";
      RestartSec = "100ms";
    };
    wantedBy = [ "multi-user.target" ];
  };
}
