#!/bin/bash
# Manager of the test fleet: real hosts (Debian's systemd, sshd and Nix under a
# NixOS-like system) in containers on a bridge of their own.
set -euo pipefail

FLEET_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
FLEET_LIB=$FLEET_REPO/tests/support/fleet
for part in env common base seed net host up faults operator; do
    # shellcheck source=/dev/null
    . "$FLEET_LIB/$part.sh"
done

usage() {
    cat <<'END'
usage: fleet.sh COMMAND

images
  base                         build the Debian image (about a minute, once)
  seed                         build the demo hosts' baseline systems into a layer above it
  env                          print the environment for Nix on the operator's side
hosts (--dir DIR names another fleet; default: the cache's)
  up [--dir DIR] [--owner PID] [--fresh] [--store-size MIB] [--store-inodes N] NAME[=ROLE]...
                               start hosts, wait until ssh works, print NAME IP;
                               roles: p620 p510 razer samsung
  down [--dir DIR] [NAME...]   remove hosts (all of the fleet)
  list [--dir DIR]             print NAME IP ROLE up|off
  scratch                      print the folder where the files of short-lived hosts belong
  gc                           remove hosts whose owner is gone, and unused images
  exec [--dir DIR] NAME -- CMD…    run inside the host as root, without ssh
faults
  kill|boot NAME               power cut; power on again
  link NAME down|up            pull the cable, plug it in
  pause|resume NAME            the host goes silent; wakes up
  fill NAME PATH FREE_MIB      leave so much room on a host started with --store-size
  delay NAME [MS [KIB]]        forwarder with MS (20) each way, KIB a second at most; adds NAME-delayed to
                               ssh_config, prints its port
operator
  operator226 CMD…             run with the image's Nix 2.26 in this machine's network
END
}

command=${1:-help}
case $command in
    help | -h | --help) usage; exit ;;
    env) fleet_print_env; exit ;;
    scratch) fleet_scratch; exit ;;
    base | seed | up | down | list | gc | exec | kill | boot | link | pause | resume | fill | delay | operator226) ;;
    *) usage >&2; exit 2 ;;
esac
need_root "$@"
shift
"cmd_$command" "$@"
