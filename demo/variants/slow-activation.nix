# The activation script takes `seconds` (5) from the host's file.
{ settings, ... }: {
  activation.slow = "sleep ${toString (settings.seconds or 5)}";
}
