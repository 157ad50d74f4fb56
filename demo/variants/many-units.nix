# Twelve units appear, and several old ones change in every way a unit can.
{ revision, ... }:
let
  changed.Service.Environment = "REVISION=${toString revision}";
  names = builtins.genList (index: "job-${toString (index + 1)}.service") 12;
in
{
  units = builtins.listToAttrs (map
    (name: {
      inherit name;
      value = {
        Unit.Description = "One of many";
        Service = { ExecStart = "/usr/bin/sleep infinity"; Environment = "REVISION=${toString revision}"; };
        wantedBy = [ "multi-user.target" ];
      };
    })
    names) // {
    "worker.service" = changed;
    "cache.service" = changed;
    "monitor.service" = changed;
    "reloader.service" = changed;
    "keeper.service" = changed;
  };
}
