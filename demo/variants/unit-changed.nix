# worker.service changes; the host file's `revision` makes as many different ones as wanted.
{ revision, ... }: {
  units."worker.service".Service.Environment = "REVISION=${toString revision}";
}
