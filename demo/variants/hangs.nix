# The activation script never ends.
{ ... }: {
  activation.hang = "sleep infinity";
}
