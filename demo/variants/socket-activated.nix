# status.service changes, which its socket starts: the socket is stopped and started instead.
{ revision, ... }: {
  units."status.service".Service.Environment = "REVISION=${toString revision}";
}
