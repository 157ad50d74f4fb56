# A step of the activation script fails; the others run, the system counts as current, exit code 2.
{ ... }: {
  activation.users = "echo 'cannot create user: no space left' >&2; return 1";
}
