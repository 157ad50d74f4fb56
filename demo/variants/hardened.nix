# worker.service is walled in, as far as that works in a container.
{ ... }: {
  units."worker.service".Service = { NoNewPrivileges = true; RestrictSUIDSGID = true; };
}
