# A package's build takes `seconds` (10), or lasts until the file `waitFor` exists; both in the host's file.
{ settings, revision, ... }: {
  packageBuild.nginx =
    "echo 'building revision ${toString revision}'; "
    + (if settings ? waitFor
    then "until [ -e ${settings.waitFor} ]; do sleep 0.1; done"
    else "sleep ${toString (settings.seconds or 10)}");
}
