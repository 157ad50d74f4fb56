# What a deployer or a person may ask of nixosConfigurations.HOST.config.
{ lib, options, toplevel }:
{
  system = {
    build.toplevel = toplevel;
    name = options.hostName;
    stateVersion = "24.11";
    nixos = { inherit (options) version; release = "24.11"; label = options.version; };
  };
  nixpkgs = { system = options.platform; hostPlatform.system = options.platform; };
  networking = {
    inherit (options) hostName;
    fqdn = options.hostName;
    firewall = {
      inherit (options.firewall) enable;
      allowedTCPPorts = options.firewall.tcp;
      allowedUDPPorts = options.firewall.udp;
    };
  };
  services.openssh = {
    enable = (lib.present options.units) ? "sshd.service";
    ports = [ options.sshd.port ];
    settings = { PermitRootLogin = "prohibit-password"; PasswordAuthentication = options.sshd.passwords; };
  };
  users.users = builtins.listToAttrs (map
    (name: { inherit name; value = { inherit name; isNormalUser = name != "root"; openssh.authorizedKeys.keys = [ ]; }; })
    options.authorizedUsers);
  security.sudo = { enable = true; wheelNeedsPassword = true; extraRules = [ ]; };
  security.wrappers = builtins.listToAttrs (map (name: { inherit name; value = { enable = true; setuid = true; }; }) options.setuidPrograms);
  nix.gc.automatic = true;
  nix.settings.trusted-users = options.trustedUsers;
  boot.kernelPackages.kernel.version = options.kernel;
  systemd.services = builtins.listToAttrs (map
    (name: { name = lib.removeSuffix ".service" name; value = { enable = true; }; })
    (lib.filter (name: lib.removeSuffix ".service" name != null) (lib.attrNames (lib.present options.units))));
}
