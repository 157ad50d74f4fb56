# keeper.service changes, which a switch leaves running as it is (X-RestartIfChanged=false).
{ revision, ... }: {
  units."keeper.service".Service.Environment = "REVISION=${toString revision}";
}
