# The base with foo.service, which always fails: for a host where something is broken already.
{ ... }: {
  units."foo.service" = {
    Unit.Description = "Has been broken for ages";
    Service.ExecStart = "/usr/bin/false";
    wantedBy = [ "multi-user.target" ];
  };
}
