# A service that uses most of the memory it may, and one that logs a burst of errors.
# The first revision also takes the default route away.
{ revision, ... }: {
  units."greedy.service" = {
    Unit.Description = "Uses most of its MemoryMax";
    Service.ExecStart = "/usr/bin/perl -e '$$size = 54e6; $$text = \"x\" x $$size; sleep'";
    Service.MemoryMax = "64M";
    wantedBy = [ "multi-user.target" ];
  };
  units."noisy.service" = {
    Unit.Description = "Logs a burst of errors";
    Service.Type = "oneshot";
    Service.RemainAfterExit = true;
    Service.Environment = "REVISION=${toString revision}";
    Service.ExecStart = [
      "/bin/sh -c 'for block in $(seq 40); do echo \"<3>pool ${if revision == 1 then "alpha" else "beta"}: block $$block is bad\"; done'"
    ] ++ (if revision == 1 then [ "/bin/sh -c 'ip route del default'" ] else [ ]);
    wantedBy = [ "multi-user.target" ];
  };
}
