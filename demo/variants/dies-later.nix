# A new service dies two seconds after its start and stays dead; switch-to-configuration exits with 0.
{ ... }: {
  units."mayfly.service" = {
    Unit.Description = "Dies after two seconds";
    Service.ExecStart = "/bin/sh -c 'sleep 2; echo mayfly: done with it; exit 1'";
    wantedBy = [ "multi-user.target" ];
  };
}
