# The activation script dies half way: /etc is the new one, /run/current-system the old one; exit code 2.
{ ... }: {
  activation.abort = "echo 'activate: unbound variable' >&2; exit 1";
}
