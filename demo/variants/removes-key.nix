# No key of root or deploy is authorised any more.
{ ... }: {
  authorizedUsers = [ ];
}
