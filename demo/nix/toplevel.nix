# Builds a system of the same store graph as NixOS':
#   packages → system-path, unit-* → system-units → etc, all → nixos-system-HOST-VERSION
# with builders that are plain shell and fork as little as they can.
{ lib, config }:
let
  inherit (lib) attrNames concatMap concatStringsSep mapAttrs present;

  build = name: environment: script: derivation ({
    inherit name;
    inherit (config) system;
    builder = "/bin/sh";
    args = [ "-euc" script ];
    PATH = "/usr/bin:/bin:/run/current-system/sw/bin";
    preferLocalBuild = true;
    allowSubstitutes = false;
  } // environment);

  packages = mapAttrs
    (name: version: build "${name}-${version}" { inherit version; pname = name; package = name; } ''
      ${config.packageBuild.${name} or ""}
      mkdir -p $out/bin $out/share/$package
      printf '#!/bin/sh\necho %s %s\n' "$package" "$version" >$out/bin/$package
      chmod +x $out/bin/$package
      printf '%s %s %12000s\n' "$package" "$version" . >$out/share/$package/data
    '')
    (present config.packages);

  # The image's own programs under the names that NixOS has for them.
  systemPath = build "system-path" { packages = map (name: packages.${name}) (attrNames packages); } ''
    mkdir -p $out/bin
    set --
    for package in $packages; do set -- "$@" $package/bin/*; done
    for program in bash sh env cat ls readlink sleep sudo systemctl systemd-run journalctl nix nix-env nix-store nix-daemon ssh; do
      [ -e $out/bin/$program ] || set -- "$@" /usr/bin/$program
    done
    ln -sf "$@" $out/bin/
  '';

  linux = build "linux-${config.kernel}" { inherit (config) kernel; } ''
    mkdir $out; printf 'kernel %s %20000s\n' "$kernel" . >$out/bzImage
  '';
  initrd = build "initrd-linux-${config.kernel}" { inherit (config) kernel; } ''
    mkdir $out; printf 'initrd %s %20000s\n' "$kernel" . >$out/initrd
  '';
  kernelModules = build "linux-${config.kernel}-modules" { inherit (config) kernel; } ''
    mkdir -p $out/lib/modules/$kernel; : >$out/lib/modules/$kernel/modules.dep
  '';
  systemd = build "systemd-257.5" { } ''
    mkdir -p $out/lib/systemd; ln -s /usr/lib/systemd/systemd $out/lib/systemd/systemd; ln -s /usr/bin $out/bin
  '';
  web = build "web" { health = if config.health == null then "" else config.health; } ''
    mkdir $out; [ -z "$health" ] || printf '%s\n' "$health" >$out/health
  '';

  firewallRules = builtins.toFile "firewall.nft" (if config.firewallRules != null then config.firewallRules else ''
    flush ruleset
    table inet nixos-fw {
      chain input {
        type filter hook input priority 0; policy accept;
        iifname { "lo" } accept comment "trusted interfaces"
        ct state new jump input-allow
      }
      chain input-allow {
        tcp dport { ${concatStringsSep ", " (map toString config.firewall.tcp)} } accept
      }
    }
  '');
  sshdConfig = builtins.toFile "sshd_config" ''
    Port ${toString config.sshd.port}
    HostKey /etc/ssh/ssh_host_ed25519_key
    AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u
    PermitRootLogin prohibit-password
    PasswordAuthentication ${if config.sshd.passwords then "yes" else "no"}
    KbdInteractiveAuthentication no
    UsePAM yes
    PrintMotd no
    PrintLastLog no
    Subsystem sftp internal-sftp
  '';
  nixConf = builtins.toFile "nix.conf" ''
    experimental-features = nix-command flakes
    sandbox = false
    substituters =
    trusted-users = ${concatStringsSep " " config.trustedUsers}
  '';

  # A builder's PATH in a text would be the operator's: units name the image's programs in full.
  unitText = unit: builtins.replaceStrings
    [ "@firewallRules@" "@sshdConfig@" "@nixConf@" "@web@" ]
    [ "${firewallRules}" "${sshdConfig}" "${nixConf}" "${web}" ]
    (lib.unitText unit);
  units = present config.units;
  unit = name: build "unit-${builtins.replaceStrings [ "@" ] [ "-" ] name}" { unit = name; text = unitText units.${name}; } ''
    mkdir $out; printf '%s' "$text" >$out/$unit
  '';
  wants = concatMap (name: map (target: "${target}.wants/${name}") (units.${name}.wantedBy or [ ])) (attrNames units);
  systemUnits = build "system-units" { units = map unit (attrNames units); inherit wants; } ''
    set --
    for unit in $units; do set -- "$@" $unit/*; done
    mkdir $out
    cd $out
    ln -s "$@" .
    ln -s multi-user.target default.target
    mkdir -p ${concatStringsSep " " (map dirOf wants)} none.wants
    rmdir none.wants
    for want in $wants; do echo ../''${want#*/} $want; done | xargs -r -n2 ln -s
  '';

  etc = build "etc"
    {
      inherit systemUnits sshdConfig nixConf;
      inherit (config) version sudoRule doasRule;
      polkit = concatStringsSep "" (map
        (user: ''
          polkit.addRule(function (action, subject) {
            if (subject.user == "${user}" && action.id.indexOf("org.freedesktop.systemd1.") == 0) return polkit.Result.YES;
          });
        '')
        config.run0Users);
      authorized = config.authorizedUsers;
    } ''
    cd_out() { mkdir -p $out/etc/systemd $out/etc/ssh/authorized_keys.d $out/etc/nix $out/etc/copied; cd $out/etc; }
    cd_out
    ln -s $systemUnits systemd/system
    ln -s $sshdConfig ssh/sshd_config
    ln -s $nixConf nix/nix.conf
    for user in $authorized; do ln -s /etc/fleet/operator.pub ssh/authorized_keys.d/$user; done
    printf '%s\n' "$doasRule" >doas.conf
    printf '%s\n' "$sudoRule" >copied/sudoers
    printf '%s' "$polkit" >copied/polkit.rules
    printf 'ID=nixos\nNAME=NixOS\nPRETTY_NAME="NixOS %s"\nVERSION_ID="%s"\n' "$version" "''${version%%.2*}" >os-release
  '';

  script = file: builtins.readFile (./scripts + "/${file}.sh");
  steps = attrNames config.activation;
in
build "nixos-system-${config.hostName}-${config.version}"
{
  inherit systemPath etc linux initrd kernelModules systemd;
  inherit (config) hostName version platform kernelParams initInterfaceVersion;
  switchScript = builtins.replaceStrings
    [ "@actions@" "@beforeSwitch@" "@initInterfaceVersion@" ]
    [ (concatStringsSep "|" config.switchActions) config.beforeSwitch (toString config.initInterfaceVersion) ]
    (script "switch-to-configuration");
  activateScript = builtins.replaceStrings
    [ "@interfaceState@" "@interfaceAddress@" "@functions@" "@steps@" ]
    [
      (if config.interface.up then "up" else "down")
      (if config.interface.address == null then "" else config.interface.address)
      (concatStringsSep "\n" (map (name: "step_${name}() {\n${config.activation.${name}}\n}") steps))
      (concatStringsSep " " steps)
    ]
    (script "activate");
  checkScript = config.preSwitchCheck;
  bootLoaderScript = builtins.replaceStrings [ "@bootLoader@" ] [ config.bootLoader ] (script "install-boot-loader");
  initScript = script "init";
} ''
  mkdir -p $out/bin $out/specialisation
  cd $out
  head="#!/bin/sh
  systemConfig=$out
  etc=$etc/etc"
  printf '%s\n%s' "$head" "$switchScript" >bin/switch-to-configuration
  printf '%s\n%s' "$head" "$activateScript" >activate
  printf '#!/bin/sh\n%s' "$checkScript" >pre-switch-check
  printf '%s\n%s' "$head" "$bootLoaderScript" >install-boot-loader
  printf '%s\n%s' "$head" "$initScript" >init
  chmod +x bin/switch-to-configuration activate pre-switch-check install-boot-loader init
  ln -s $etc/etc etc
  ln -s $systemPath sw
  ln -s $linux/bzImage kernel
  ln -s $initrd/initrd initrd
  ln -s $kernelModules kernel-modules
  ln -s $systemd systemd
  printf '%s' "$version" >nixos-version
  printf '%s' "$platform" >system
  printf '%s' "$kernelParams" >kernel-params
  printf '%s' "$initInterfaceVersion" >init-interface-version
''
