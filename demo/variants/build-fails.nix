# A package prints thirty lines and does not build.
{ ... }: {
  packageBuild.nginx = ''
    line=1
    while [ $line -le 30 ]; do echo "checking for feature $line... yes"; line=$((line + 1)); done
    echo "error: pcre.h: No such file or directory" >&2
    exit 1
  '';
}
