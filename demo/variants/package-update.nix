# nginx is updated, jq is added, htop is removed.
{ ... }: {
  packages = { nginx = "1.26.1"; jq = "1.7.1"; htop = null; };
}
