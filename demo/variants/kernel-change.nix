# Another kernel, initrd and modules, and nothing else.
{ ... }: {
  kernel = "6.6.69";
}
