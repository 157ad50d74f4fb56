# The activation moves the host to another address, which nobody can reach.
{ ... }: {
  interface.address = "198.51.100.7/24";
}
