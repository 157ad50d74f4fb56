# A host's configuration: the base, with its variants laid over it in order.
{ lib, name, settings }:
let
  arguments = { inherit lib name settings; revision = settings.revision or 1; };
  step = previous: variant:
    lib.merge previous (import (../variants + "/${variant}.nix") (arguments // { config = previous; }));
  options = lib.foldl' step (import ./base.nix arguments) (lib.toList (settings.variant or "baseline"));
  toplevel = import ./toplevel.nix { inherit lib; config = options; };
in
{
  config = import ./config.nix { inherit lib options toplevel; };
  inherit options;
}
