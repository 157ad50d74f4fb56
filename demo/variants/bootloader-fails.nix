# The boot loader cannot be installed: switch and boot exit with 1, test works.
{ ... }: {
  bootLoader = "echo 'Failed to copy to /boot/EFI: No space left on device' >&2; exit 1";
}
