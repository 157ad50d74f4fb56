# Evaluation throws.
{ ... }: {
  units."web.service".Service.ExecStart = throw "The option `services.web.port' is used but not defined.";
}
