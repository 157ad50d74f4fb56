# sshd moves to port 2222.
{ ... }: {
  sshd.port = 2222;
}
