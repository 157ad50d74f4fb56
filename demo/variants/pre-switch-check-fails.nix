# The pre-switch check says no: exit code 1, nothing is touched.
{ ... }: {
  preSwitchCheck = "echo 'pre-switch check: the database is older than this system expects' >&2; exit 1";
}
