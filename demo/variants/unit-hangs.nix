# A new oneshot's start never ends, so that switch-to-configuration waits for ever.
{ ... }: {
  units."hang.service" = {
    Unit.Description = "Starts for ever";
    Service = { Type = "oneshot"; ExecStart = "/usr/bin/sleep infinity"; TimeoutStartSec = "infinity"; };
    wantedBy = [ "multi-user.target" ];
  };
}
