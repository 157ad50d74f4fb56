# sudo asks deploy for the password, which is `deploy`.
{ ... }: {
  sudoRule = "deploy ALL=(ALL:ALL) PASSWD: ALL";
}
