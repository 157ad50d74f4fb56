# A system from before `check` existed: it answers with its usage text and exit code 1.
{ ... }: {
  switchActions = [ "switch" "boot" "test" "dry-activate" ];
}
