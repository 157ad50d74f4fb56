# switch-to-configuration dies in the middle with exit code 101: activated, units not switched.
{ ... }: {
  beforeSwitch = ''
    run "$systemConfig/activate" "$systemConfig"
    echo "thread 'main' panicked at src/main.rs:1234:5: index out of bounds" >&2
    exit 101
  '';
}
