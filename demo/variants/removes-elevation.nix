# deploy may not use sudo, doas or run0 any more.
{ ... }: {
  sudoRule = "# nobody";
  doasRule = "# nobody";
  run0Users = [ ];
}
