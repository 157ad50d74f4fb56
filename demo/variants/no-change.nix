# Only this comment differs from the base: the same system comes out.
{ ... }: { }
