# web.service runs, but http://HOST:8080/health is 404.
{ ... }: {
  health = null;
}
