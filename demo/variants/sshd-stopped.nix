# The new system has no sshd: its service is stopped, sessions live on, nobody can log in.
{ ... }: {
  units."sshd.service" = null;
}
