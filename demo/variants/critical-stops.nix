# web.service is there but its condition fails: not running, not failed, exit code 0.
{ ... }: {
  units."web.service".Unit.ConditionPathExists = "/var/lib/web/ready";
}
