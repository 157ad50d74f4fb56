# Nix on the host does not trust deploy.
{ ... }: {
  trustedUsers = [ "root" ];
}
