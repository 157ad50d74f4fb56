# The activation takes the interface down; the old system's brings it up again.
{ ... }: {
  interface.up = false;
}
