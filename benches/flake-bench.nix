# The demo flake's hosts once more, for deploy-rs: it deploys a profile that
# brings its own activation program, which the benchmark puts on the hosts.
{ nixosConfigurations }:
{
  nodes = builtins.mapAttrs (name: configuration:
    let
      toplevel = configuration.config.system.build.toplevel;
      profile = derivation {
        name = "deploy-rs-profile-${name}";
        system = toplevel.system;
        builder = "/bin/sh";
        inherit toplevel;
        PATH = "/usr/bin:/bin";
        args = [
          "-c"
          ''
            mkdir -p $out
            for part in $toplevel/*; do ln -s $part $out/; done
            printf '#!/bin/sh\nexec /usr/local/bin/activate-rs "$@"\n' >$out/activate-rs
            printf '#!/bin/sh\nexport PATH=/run/current-system/sw/bin:/usr/bin:/bin\ncd /tmp\nexec %s/bin/switch-to-configuration switch\n' $toplevel >$out/deploy-rs-activate
            chmod +x $out/activate-rs $out/deploy-rs-activate
          ''
        ];
      };
    in
    {
      hostname = name;
      sshUser = "root";
      profiles.system = { user = "root"; path = profile; };
    }) nixosConfigurations;
}
