# What a host's configuration opens to others, for the audit: one function from
# nixosConfigurations.HOST to plain values. It runs inside the evaluation that
# gives the toplevel. A value that is missing or throws is null; no secret and
# no password leaves it, only whether one is empty. Works in Nix 2.8 and newer.
configuration:
let
  inherit (configuration) config;
  attempt = value:
    let tried = builtins.tryEval (builtins.deepSeq value value);
    in if tried.success then tried.value else null;
  plain = value: if value == null then null else builtins.unsafeDiscardStringContext (toString value);
  any = test: list: builtins.filter test list != [ ];
  range = { from, to, ... }: [ from to ];
  # Nix catches what throws, and not what is missing: each is asked for with a default.
  firewall = config.networking.firewall or null;
  openssh = config.services.openssh or null;
  sudo = config.security.sudo or null;
  wrappers = config.security.wrappers or null;
  users = config.users.users or null;
  known = value: result: if value == null then null else result;
  # Before release 22.11 two options stood beside `settings`.
  sshSetting = name: old: openssh.settings.${name} or openssh.${old} or null;
  isOpenCommand = command:
    builtins.isAttrs command && command.command or "" == "ALL" && builtins.elem "NOPASSWD" (command.options or [ ]);
in
{
  firewall = attempt (known firewall {
    enable = firewall.enable or null;
    tcp = firewall.allowedTCPPorts or [ ];
    udp = firewall.allowedUDPPorts or [ ];
    tcpRanges = map range (firewall.allowedTCPPortRanges or [ ]);
    udpRanges = map range (firewall.allowedUDPPortRanges or [ ]);
    trusted = map plain (firewall.trustedInterfaces or [ ]);
  });
  openssh = attempt (known openssh {
    enable = openssh.enable or null;
    rootLogin = plain (sshSetting "PermitRootLogin" "permitRootLogin");
    passwords = sshSetting "PasswordAuthentication" "passwordAuthentication";
  });
  sudo = attempt (known sudo {
    enable = sudo.enable or null;
    wheelNeedsPassword = sudo.wheelNeedsPassword or null;
    openRules = any (rule: any isOpenCommand (rule.commands or [ ])) (sudo.extraRules or [ ]);
  });
  setuid = attempt (known wrappers (builtins.filter
    (name: wrappers.${name}.setuid or false && wrappers.${name}.enable or true)
    (builtins.attrNames wrappers)));
  openUsers = attempt (known users (builtins.filter
    (name: any (key: users.${name}.${key} or null == "") [ "password" "hashedPassword" "initialPassword" "initialHashedPassword" ])
    (builtins.attrNames users)));
  # Priority 1500 is that of an option's default (lib.mkOptionDefault).
  stateVersion = attempt (
    if configuration ? options.system.stateVersion.highestPrio
    then configuration.options.system.stateVersion.highestPrio < 1500
    else null
  );
  collectsGarbage = attempt (
    if config ? nix.gc.automatic
    then config.nix.gc.automatic || config.programs.nh.clean.enable or false || config ? nix.settings.min-free
    else null
  );
}
