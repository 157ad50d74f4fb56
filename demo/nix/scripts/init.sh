# Second stage of a boot: enter this system, then become systemd.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
ln -sfn "$systemConfig" /run/booted-system
"$systemConfig/activate"
exec /usr/lib/systemd/systemd
