# cache.service is gone and has to be stopped.
{ ... }: {
  units."cache.service" = null;
}
