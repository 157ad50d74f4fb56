# reloader.service changes, which is reloaded and not restarted.
{ revision, ... }: {
  units."reloader.service".Service.Environment = "REVISION=${toString revision}";
}
