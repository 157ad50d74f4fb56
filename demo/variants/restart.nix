# monitor.service changes, which is restarted in place (X-StopIfChanged=false).
{ revision, ... }: {
  units."monitor.service".Service.Environment = "REVISION=${toString revision}";
}
