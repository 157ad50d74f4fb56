# worker.service comes to a good end as soon as it is started: not running, not failed, exit code 0.
{ ... }: {
  units."worker.service".Service.ExecStart = "/usr/bin/true";
}
