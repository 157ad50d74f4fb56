# The base system as it is.
{ ... }: { }
