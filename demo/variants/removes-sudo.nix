# deploy may not use sudo any more (doas and run0 still work).
{ ... }: {
  sudoRule = "# nobody";
}
