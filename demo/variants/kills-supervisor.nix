# A new service fails, and the first time it kills what supervises the deploy, too.
{ ... }: {
  units."crash.service" = {
    Unit.Description = "Fails, and takes the supervisor along";
    Service.ExecStart = "/bin/sh -c '[ -e /run/killed ] || { : >/run/killed; systemctl kill --signal=KILL \"nix-deploy-*.service\"; }; exit 1'";
    wantedBy = [ "multi-user.target" ];
  };
}
