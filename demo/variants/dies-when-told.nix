# A new service is well until /run/die is there; then it dies and stays dead.
{ ... }: {
  units."mayfly.service" = {
    Unit.Description = "Dies when it is told to";
    Service.ExecStart = "/bin/sh -c 'until test -e /run/die; do sleep 0.1; done; echo mayfly: done with it; exit 1'";
    wantedBy = [ "multi-user.target" ];
  };
}
