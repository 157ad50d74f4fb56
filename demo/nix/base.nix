# The base system of every host, as plain options. Variants change it; toplevel.nix builds it.
{ lib, name, settings, ... }:
let
  sleeper = description: {
    Unit.Description = description;
    Service.ExecStart = "/usr/bin/sleep infinity";
    wantedBy = [ "multi-user.target" ];
  };
in
{
  hostName = name;
  version = "24.11.20250101.fixture";
  system = "x86_64-linux"; # of the builders
  platform = "x86_64-linux"; # what the toplevel claims to be
  kernel = "6.6.68";
  initInterfaceVersion = 2;

  # name = version; each is a package in the system path. `packages = N` in the
  # host's file adds enough of them for a closure of that order.
  packages = {
    bash = "5.2p37";
    coreutils = "9.5";
    curl = "8.11.0";
    htop = "3.3.0";
    nginx = "1.24.0";
    openssl = "3.3.2";
    redis = "7.2.6";
    vim = "9.1.0905";
  } // builtins.listToAttrs (builtins.genList
    (index: { name = "filler-${toString index}"; value = "1.${toString index}"; })
    (settings.packages or 0));
  # Shell lines that a package's builder runs first, by package name.
  packageBuild = { };

  # Interface and access.
  interface = { up = true; address = null; }; # null: the address that the fleet gave
  sshd = { port = 22; passwords = false; };
  authorizedUsers = [ "root" "deploy" ];
  sudoRule = "deploy ALL=(ALL:ALL) NOPASSWD: ALL";
  doasRule = "permit nopass keepenv deploy";
  run0Users = [ "deploy" ];
  trustedUsers = [ "root" "deploy" ];
  firewallRules = null; # null: those of `firewall`, in NixOS' words, but for a policy that lets all in
  # What `config` says of the outside, for the audit.
  firewall = { enable = true; tcp = [ 22 8080 8081 ]; udp = [ ]; };
  setuidPrograms = [ "sudo" ];
  health = "ok";

  # Steps of the activation script, in the order of their names; each is a function body.
  activation = { };
  # Shell lines of the pre-switch check, of the boot loader's installer, and of
  # switch-to-configuration once its planning is done.
  preSwitchCheck = "";
  bootLoader = "";
  beforeSwitch = "";
  # What the toplevel offers; older NixOS has no `check`.
  switchActions = [ "check" "switch" "boot" "test" "dry-activate" ];
  # Files in the toplevel that are no part of the running system.
  kernelParams = "loglevel=4";

  units = {
    "multi-user.target" = {
      Unit = { Description = "Multi-User System"; Requires = "basic.target"; After = "basic.target rescue.target"; AllowIsolate = true; };
    };
    "sockets.target".Unit.Description = "Socket Units";
    "timers.target".Unit = { Description = "Timer Units"; DefaultDependencies = false; Conflicts = "shutdown.target"; };

    "sshd.service" = {
      Unit = { Description = "SSH Daemon"; After = "network.target"; };
      Service = {
        RuntimeDirectory = "sshd";
        RuntimeDirectoryPreserve = true;
        ExecStart = "/usr/sbin/sshd -D -e";
        KillMode = "process";
        Restart = "always";
        Type = "notify-reload";
        X-StopIfChanged = false;
        X-Restart-Triggers = "@sshdConfig@";
      };
      wantedBy = [ "multi-user.target" ];
    };
    "nix-daemon.socket" = {
      Unit = { Description = "Nix Daemon Socket"; Before = "multi-user.target"; };
      Socket.ListenStream = "/nix/var/nix/daemon-socket/socket";
      wantedBy = [ "sockets.target" ];
    };
    "nix-daemon.service" = {
      Unit.Description = "Nix Daemon";
      Service = {
        ExecStart = "@/usr/bin/nix-daemon nix-daemon --daemon";
        KillMode = "process";
        LimitNOFILE = 1048576;
        Delegate = true;
        X-StopIfChanged = false;
        X-Restart-Triggers = "@nixConf@";
      };
      wantedBy = [ "multi-user.target" ];
    };
    "firewall.service" = {
      Unit = { Description = "Firewall"; Before = "network-pre.target"; Wants = "network-pre.target"; };
      Service = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "/usr/sbin/nft -f @firewallRules@";
        ExecReload = "/usr/sbin/nft -f @firewallRules@";
        X-ReloadIfChanged = true;
      };
      wantedBy = [ "multi-user.target" ];
    };

    # Answers http://HOST:8080/health.
    "web.service" = {
      Unit.Description = "Web server with a health page";
      Service = { ExecStart = "/usr/bin/busybox httpd -f -p 8080 -h @web@"; Restart = "on-failure"; };
      wantedBy = [ "multi-user.target" ];
    };
    # Started by the first connection to port 8081.
    "status.socket" = {
      Unit.Description = "Status socket";
      Socket = { ListenStream = 8081; };
      wantedBy = [ "sockets.target" ];
    };
    "status.service" = {
      Unit = { Description = "Status forwarder"; Requires = "status.socket"; After = "status.socket"; };
      Service.ExecStart = "/usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080";
    };
    # Instances of a template: echo@N.service per connection.
    "echo.socket" = {
      Unit.Description = "Echo socket";
      Socket = { ListenStream = "/run/echo.sock"; Accept = true; };
      wantedBy = [ "sockets.target" ];
    };
    "echo@.service" = {
      Unit.Description = "Echo";
      Service = { ExecStart = "/usr/bin/cat"; StandardInput = "socket"; };
    };
    "backup.timer" = {
      Unit.Description = "Backup timer";
      Timer = { OnCalendar = "*-01-01 03:00:00"; Unit = "backup.service"; };
      wantedBy = [ "timers.target" ];
    };
    "backup.service" = {
      Unit.Description = "Backup";
      Service = { Type = "oneshot"; ExecStart = "/usr/bin/true"; };
    };
    "motd.service" = {
      Unit.Description = "Oneshot that is inactive after success";
      Service = { Type = "oneshot"; ExecStart = "/usr/bin/true"; };
      wantedBy = [ "multi-user.target" ];
    };

    "worker.service" = sleeper "Worker";
    "cache.service" = sleeper "Cache";
    "monitor.service" = lib.merge (sleeper "Restarted in place when it changes") { Service.X-StopIfChanged = false; };
    "reloader.service" = lib.merge (sleeper "Reloaded when it changes") {
      Service = { ExecReload = "/usr/bin/true"; X-ReloadIfChanged = true; };
    };
    "keeper.service" = lib.merge (sleeper "Never restarted by a switch") { Service.X-RestartIfChanged = false; };
    "manual.service" = {
      Unit = { Description = "Started by hand only"; X-OnlyManualStart = true; };
      Service.ExecStart = "/usr/bin/sleep infinity";
    };
  };
}
