{
  description = "A fleet of NixOS-like hosts that needs no nixpkgs and no binary cache";

  outputs = { self }:
    let
      lib = import ./nix/lib.nix;
      hosts = builtins.filter (name: name != null) (map (lib.removeSuffix ".nix") (builtins.attrNames (builtins.readDir ./hosts)));
    in
    {
      # Every file in hosts/ is a host; it says which variant of the base system the host gets.
      nixosConfigurations = builtins.listToAttrs (map
        (name: { inherit name; value = import ./nix/host.nix { inherit lib name; settings = import (./hosts + "/${name}.nix"); }; })
        hosts);
    };
}
