# A NixOS module that keeps the fleet database of nix-deploy up to date: asks hosts what they run,
# evaluates new commits and builds them. Import it and set, for example:
#
#   services.nix-deploy = {
#     package = inputs.nix-deploy.packages.x86_64-linux.default;
#     hostsToml = "/srv/infra/hosts.toml";
#     environmentFile = "/run/secrets/nix-deploy";    # NIX_DEPLOY_DATABASE_URL=postgres://…
#     poll.enable = true;
#     evaluate.enable = true;
#     build = { enable = true; workers = 4; cache = "s3://cache"; };
#   };
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkIf mkMerge mkOption types;
  cfg = config.services.nix-deploy;
  folder = "/var/lib/nix-deploy";
  program = "${cfg.package}/bin/nix-deploy --config ${lib.escapeShellArg cfg.hostsToml} fleet";
  common = {
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
    path = [ config.nix.package pkgs.git pkgs.openssh ];
    environment = { HOME = folder; NIX_DEPLOY_STATE = folder; };
    serviceConfig = {
      User = cfg.user;
      Group = cfg.user;
      StateDirectory = "nix-deploy";
      StateDirectoryMode = "0700";
      NoNewPrivileges = true;
      PrivateTmp = true;
      ProtectSystem = "full";
    } // lib.optionalAttrs (cfg.environmentFile != null) { EnvironmentFile = cfg.environmentFile; };
  };
  merged = more: common // more // { serviceConfig = common.serviceConfig // more.serviceConfig; };
  every = interval: {
    wantedBy = [ "timers.target" ];
    timerConfig = { OnBootSec = "2min"; OnUnitInactiveSec = interval; RandomizedDelaySec = "20s"; };
  };
in
{
  options.services.nix-deploy = {
    package = mkOption { type = types.package; description = "The package with nix-deploy."; };
    hostsToml = mkOption { type = types.str; description = "The hosts.toml, in a clone of the configuration."; };
    user = mkOption {
      type = types.str;
      default = "nix-deploy";
      description = "The user; its key in ${folder}/.ssh has to be allowed to log in to the hosts.";
    };
    environmentFile = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "A file with secrets such as NIX_DEPLOY_DATABASE_URL; not in the Nix store.";
    };
    poll = {
      enable = mkEnableOption "asking hosts what they run";
      interval = mkOption { type = types.str; default = "5min"; description = "How often."; };
    };
    evaluate = {
      enable = mkEnableOption "evaluating new commits";
      interval = mkOption { type = types.str; default = "5min"; description = "How often."; };
      commits = mkOption { type = types.ints.positive; default = 1; description = "How many of the newest commits."; };
    };
    build = {
      enable = mkEnableOption "building what is in the queue";
      workers = mkOption { type = types.ints.positive; default = 1; description = "How many derivations at a time."; };
      cache = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The binary cache that gets what was built, as for `nix copy --to`.";
      };
    };
  };

  config = mkIf (cfg.poll.enable || cfg.evaluate.enable || cfg.build.enable) (mkMerge [
    {
      users.users.${cfg.user} = { isSystemUser = true; group = cfg.user; home = folder; };
      users.groups.${cfg.user} = { };
    }
    (mkIf cfg.poll.enable {
      systemd.services.nix-deploy-poll = merged {
        description = "Ask the hosts of nix-deploy what they run";
        serviceConfig = { Type = "oneshot"; ExecStart = "${program} poll"; };
      };
      systemd.timers.nix-deploy-poll = every cfg.poll.interval;
    })
    (mkIf cfg.evaluate.enable {
      systemd.services.nix-deploy-evaluate = merged {
        description = "Evaluate new commits for nix-deploy";
        serviceConfig = {
          Type = "oneshot";
          ExecStart = "${program} evaluate --commits ${toString cfg.evaluate.commits}";
        };
      };
      systemd.timers.nix-deploy-evaluate = every cfg.evaluate.interval;
    })
    (mkIf cfg.build.enable {
      systemd.services.nix-deploy-build = merged {
        description = "Build what is in the queue of nix-deploy";
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          ExecStart = "${program} build --workers ${toString cfg.build.workers}"
            + lib.optionalString (cfg.build.cache != null) " --cache ${lib.escapeShellArg cfg.build.cache}";
          Restart = "always";
          RestartSec = "10s";
          # It gives back what it was building and ends its own children.
          KillMode = "mixed";
          SuccessExitStatus = "130";
          TimeoutStopSec = "30s";
        };
      };
    })
  ]);
}
