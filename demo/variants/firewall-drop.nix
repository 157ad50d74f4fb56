# The new firewall drops everything that comes in; the old system's rules replace it.
{ ... }: {
  firewallRules = ''
    flush ruleset
    table inet fixture {
      chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
      }
    }
  '';
}
