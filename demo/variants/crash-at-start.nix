# A new service fails as soon as it starts: switch-to-configuration exits with 4.
{ ... }: {
  units."crash.service" = {
    Unit.Description = "Fails at once";
    Service.ExecStart = "/bin/sh -c 'echo crash: cannot open database; exit 1'";
    wantedBy = [ "multi-user.target" ];
  };
}
