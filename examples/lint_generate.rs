//! Writes a fleet's worth of NixOS modules of realistic size (3.3 kB each on
//! average), the same for the same numbers: what the checks are measured on.
//!
//!     lint_generate FOLDER COUNT

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

use std::fmt::Write;
use std::path::PathBuf;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn word(&mut self) -> String {
        const FIRST: [&str; 12] = [
            "alpha", "media", "backup", "web", "cache", "mail", "metrics", "proxy", "store", "build", "chat",
            "home",
        ];
        const SECOND: [&str; 10] =
            ["server", "worker", "agent", "db", "sync", "gate", "node", "runner", "index", "feed"];
        format!("{}-{}{}", FIRST[self.below(12)], SECOND[self.below(10)], self.below(90) + 10)
    }
}

/// Sections of a module; `@` is a name, `%` a number.
const SECTIONS: &[&str] = &[
    r##"
  # Units for @, see the wiki page on how they are started.
  systemd.services.@ = {
    description = "The @ service";
    wantedBy = [ "multi-user.target" ];
    after = [ "network-online.target" ];
    wants = [ "network-online.target" ];
    environment = { PORT = toString %; HOME = "/var/lib/@"; };
    serviceConfig = {
      ExecStart = "${pkgs.@}/bin/@ --listen 127.0.0.1:% --data ${cfg.dataDir}";
      User = "@";
      Group = "@";
      Restart = "on-failure";
      RestartSec = 5;
      NoNewPrivileges = true;
      ProtectSystem = "strict";
      ReadWritePaths = [ cfg.dataDir ];
    };
  };
"##,
    r##"
  services.nginx.virtualHosts."@.example.org" = {
    forceSSL = true;
    enableACME = true;
    locations."/" = {
      proxyPass = "http://127.0.0.1:${toString %}";
      proxyWebsockets = true;
      extraConfig = ''
        proxy_read_timeout %s;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        add_header X-Host ${config.networking.hostName};
      '';
    };
  };
"##,
    r##"
  users.users.@ = {
    isSystemUser = true;
    group = "@";
    home = "/var/lib/@";
    createHome = true;
    extraGroups = lib.optionals config.virtualisation.docker.enable [ "docker" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0%0 @@host" ];
  };
  users.groups.@ = { };
"##,
    r##"
  environment.systemPackages = with pkgs; [
    git ripgrep fd jq htop tmux # tools for the shell
    (python3.withPackages (ps: with ps; [ requests numpy pyyaml ]))
    (writeShellScriptBin "@" ''
      set -euo pipefail
      for i in $(seq 1 %); do
        echo "''${i}: ${config.networking.hostName}"
        curl --fail --silent "http://localhost:%/health" || exit 1
      done
    '')
  ];
"##,
    r##"
  networking.firewall = lib.mkIf cfg.openFirewall {
    allowedTCPPorts = [ 80 443 % ];
    interfaces."tailscale0".allowedTCPPorts = [ % ];
  };
  services.prometheus.scrapeConfigs = [
    {
      job_name = "@";
      scrape_interval = "30s";
      static_configs = [ { targets = map (host: "${host}:${toString %}") cfg.hosts; } ];
    }
  ];
"##,
    r##"
  services.postgresql = {
    enable = true;
    ensureDatabases = [ "@" ];
    ensureUsers = [ { name = "@"; ensureDBOwnership = true; } ];
    settings = { max_connections = %; shared_buffers = "1GB"; log_min_duration_statement = %; };
  };
  systemd.timers.@ = { wantedBy = [ "timers.target" ]; timerConfig = { OnCalendar = "daily"; Persistent = true; }; };
  age.secrets.@ = { file = ../secrets/@.age; owner = "@"; mode = "0400"; };
"##,
    r##"
  programs.zsh = {
    enable = true;
    shellAliases = { ll = "ls -lah"; gs = "git status"; ".." = "cd .."; };
    interactiveShellInit = ''
      export EDITOR=${lib.getExe pkgs.neovim}
      bindkey -e; HISTSIZE=%
      [[ -f ~/.@ ]] && source ~/.@
    '';
  };
  assertions = [
    { assertion = cfg.enable -> cfg.port != 0; message = "@ needs a port, not ${toString cfg.port}"; }
    { assertion = builtins.length cfg.hosts < % || cfg.force; message = "too many hosts"; }
  ];
"##,
];

fn module(random: &mut Random) -> String {
    let name = random.word();
    let mut text = format!(
        "{{ config, lib, pkgs, inputs, ... }}:\n\nlet\n  inherit (lib) mkOption mkEnableOption mkForce types;\n  cfg = config.fleet.{name};\nin\n{{\n  options.fleet.{name} = {{\n"
    );
    let _ = writeln!(text, "    enable = mkEnableOption \"{name}\";");
    for option in ["port", "hosts", "dataDir", "openFirewall", "force"].iter().take(2 + random.below(4)) {
        let _ = writeln!(
            text,
            "    {option} = mkOption {{\n      type = types.{};\n      default = {};\n      description = \"The {option} of {name}.\";\n    }};",
            ["str", "port", "bool", "path"][random.below(4)],
            ["null", "8080", "true", "[ ]"][random.below(4)],
        );
    }
    text.push_str("  };\n\n  config = lib.mkIf cfg.enable (lib.mkMerge [ {\n");
    let first = random.below(SECTIONS.len());
    for index in 0..3 + random.below(4) {
        let name = random.word();
        for character in SECTIONS[(first + index) % SECTIONS.len()].chars() {
            match character {
                '@' => text.push_str(&name),
                '%' => {
                    let _ = write!(text, "{}", random.below(60_000) + 1);
                }
                other => text.push(other),
            }
        }
    }
    text.push_str("\n  } ]);\n}\n");
    text
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "generated".into()));
    let count = arguments.next().and_then(|count| count.to_str()?.parse().ok()).unwrap_or(500);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut bytes = 0;
    for index in 0..count {
        let below = folder.join(format!("part{}", index / 100));
        std::fs::create_dir_all(&below)?;
        let text = module(&mut random);
        bytes += text.len();
        std::fs::write(below.join(format!("module{index}.nix")), text)?;
    }
    println!("{count} files, {bytes} bytes");
    Ok(())
}
