# Another init interface: only a reboot can enter it, exit code 100.
{ ... }: {
  initInterfaceVersion = 3;
}
