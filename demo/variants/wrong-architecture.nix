# The system claims to be one for aarch64.
{ ... }: {
  platform = "aarch64-linux";
}
