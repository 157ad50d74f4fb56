# Opens what was closed: a port, password logins, a set-uid program, and a service that runs as root.
{ config, ... }: {
  firewall.tcp = config.firewall.tcp ++ [ 5432 ];
  sshd.passwords = true;
  setuidPrograms = config.setuidPrograms ++ [ "ping" ];
  units."indexer.service" = {
    Unit.Description = "A new service without a user and without walls";
    Service.ExecStart = "/usr/bin/sleep infinity";
    wantedBy = [ "multi-user.target" ];
  };
}
