#!/bin/bash
# Proves the fleet and the demo flake by doing by hand what a deployer does.
# usage: selftest.sh [PART...]     parts: see the end; all without arguments
set -euo pipefail
shopt -s extglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
repo=$(cd "$here/../../.." && pwd -P)
# shellcheck source=/dev/null
. "$here/env.sh"
fleet=$repo/tests/support/fleet.sh
work=$(mktemp -d)
dir=$work/fleet
profile=/nix/var/nix/profiles/system
failures=0
trap 'finish' EXIT

finish() {
    "$fleet" down --dir "$dir" || true
    rm -rf "$work"
}

ok() { printf 'ok    %s\n' "$1"; }
bad() {
    printf 'FAIL  %s\n' "$1"
    shift
    (($# == 0)) || printf '      %s\n' "$@"
    failures=$((failures + 1))
}
check() { # NAME CMD...: it succeeds
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then ok "$name"; else bad "$name" "$(tail -n 5 "$work/out")"; fi
}
refuse() { # NAME CMD...: it fails
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then bad "$name" "succeeded"; else ok "$name"; fi
}
same() { # NAME EXPECTED ACTUAL
    if [[ $2 == "$3" ]]; then ok "$1"; else bad "$1" "expected: $2" "actual:   $3"; fi
}
matches() { # NAME PATTERN ACTUAL
    # shellcheck disable=SC2053 # a pattern
    if [[ $3 == $2 ]]; then ok "$1"; else bad "$1" "expected: $2" "actual:   $3"; fi
}
differ() { # NAME ONE OTHER
    if [[ $2 != "$3" ]]; then ok "$1"; else bad "$1" "both: $2"; fi
}
now() { date +%s%N; }
since() { echo $((($(now) - $1) / 1000000)); }

up() { "$fleet" up --dir "$dir" --owner $$ "$@" >/dev/null; }
on() { # HOST CMD: over the shared connection
    local host=$1
    shift
    ssh -F "$dir/ssh_config" -o ControlMaster=auto -o ControlPath="$work/%C" -o ControlPersist=120 -o BatchMode=yes -o ConnectTimeout=3 "$host" "$@" </dev/null
}
afresh() { # HOST CMD: over a connection of its own
    local host=$1
    shift
    ssh -F "$dir/ssh_config" -o ControlMaster=no -o ControlPath=none -o BatchMode=yes -o ConnectTimeout=2 "$host" "$@" </dev/null
}
inside() { "$fleet" exec --dir "$dir" "$1" -- "${@:2}"; }
variant() { printf '{ variant = %s; %s }\n' "$2" "${3:-}" >"$work/flake/hosts/$1.nix"; }
toplevel() { nix build --no-link --json "git+file://$work/flake#nixosConfigurations.$1.config.system.build.toplevel" 2>"$work/build.log" | jq -r '.[].outputs.out'; }
copy() { NIX_SSHOPTS="-F $dir/ssh_config -o ControlPath=$work/%C" nix copy --no-check-sigs --to "ssh-ng://root@$1" "$2" 2>"$work/copy.log"; }
address() { awk -v name="$1" '$2 == name { print $1 }' "$dir/addresses"; }
current() { inside "$1" readlink /run/current-system; }

# Builds a variant for a host and copies it there: NEW.
prepare() {
    variant "$@"
    NEW=$(toplevel "$1")
    copy "$1" "$NEW"
}
# Runs an action of NEW; its output in OUTPUT, its exit code in STATUS.
stc() { # HOST ACTION
    STATUS=0
    OUTPUT=$(on "$1" "$NEW/bin/switch-to-configuration" "$2" 2>&1) || STATUS=$?
}
# Back to the baseline, from inside, whatever the host looks like.
restore() {
    inside "$1" env NIXOS_NO_CHECK=1 "$OLD/bin/switch-to-configuration" test >/dev/null 2>&1 || true
    inside "$1" systemctl reset-failed
}
unit() { inside "$1" systemctl show --value --property="$3" "$2"; }

boot_part() {
    same "hosts say their names" "p620 p510" "$(on p620 hostname) $(on p510 hostname)"
    OLD=$(current p620)
    same "profile, current and booted system are the baseline" "$OLD $OLD $OLD" \
        "$(on p620 "readlink -f $profile; readlink /run/current-system /run/booted-system" | xargs)"
    same "generation is 1" system-1-link "$(on p620 readlink $profile)"
    same "nothing has failed" running "$(on p620 systemctl is-system-running)"
    differ "machine ids differ" "$(on p620 cat /etc/machine-id)" "$(on p510 cat /etc/machine-id)"
    check "the health page answers" curl -sf --max-time 5 "http://$(address p620):8080/health"
    check "socket activation answers" curl -sf --max-time 5 "http://$(address p620):8081/health"
    check "deploy logs in and uses sudo" afresh deploy@p620 sudo -n true
    check "deploy uses doas" afresh deploy@p620 doas -n true
    check "deploy uses run0" afresh deploy@p620 run0 --no-ask-password true
    matches "deploy is trusted by Nix" '*Trusted: 1*' "$(afresh deploy@p620 nix store info --store daemon 2>&1)"
    check "every variant is in the README's table" bash -c "cd '$repo/demo' && for file in variants/*.nix; do name=\${file#*/}; grep -q \"^| .\${name%.nix}. |\" README.md; done"
}

bare_part() {
    local started times='' generation
    OLD=$(current p620)
    for revision in 1 2 3 4 5; do
        variant p620 '"unit-changed"' "revision = $revision;"
        started=$(now)
        NEW=$(toplevel p620)
        copy p620 "$NEW"
        on p620 nix-env -p $profile --set "$NEW"
        stc p620 switch
        times+=" $(since "$started")"
        # The first login after an upload is the slow one; the rest is what a deployer sees.
    done
    same "the bare sequence works" 0 "$STATUS"
    printf '      bare sequence (build, copy, profile, switch), ms:%s\n' "$times"
    generation=$(on p620 readlink $profile)
    same "five generations were made" system-6-link "$generation"
    same "the new system is the current one" "$NEW" "$(current p620)"
    same "the unit was restarted with its new definition" "REVISION=5" "$(unit p620 worker.service Environment)"
    same "the boot default is the generation" "default nixos-generation-6.conf" "$(on p620 grep default /boot/loader/loader.conf)"
    same "a unit's change makes four new paths" 4 "$(variant p620 '"unit-changed"' 'revision = 6;'; NEW=$(toplevel p620); copy p620 "$NEW"; grep -c '^copying path ' "$work/copy.log")"
    started=$(now)
    toplevel p620 >/dev/null
    printf '      build with nothing to do: %s ms\n' "$(since "$started")"

    # From here on the baseline is the boot default again.
    NEW=$OLD
    on p620 nix-env -p $profile --set "$NEW"
    stc p620 switch
    same "and back again" 0 "$STATUS"
}

wording_part() {
    local keeper monitor reloader jobs
    OLD=$(current p620)
    jobs='job-10.service, job-11.service, job-12.service, job-1.service, job-2.service, job-3.service, job-4.service, job-5.service, job-6.service, job-7.service, job-8.service, job-9.service'
    prepare p620 '"many-units"'
    stc p620 dry-activate
    same "dry-activate says what it would do" "0: would stop the following units: cache.service, worker.service
would NOT stop the following changed units: keeper.service
would activate the configuration...
would reload the following units: reloader.service
would restart the following units: monitor.service
would start the following units: cache.service, worker.service" "$STATUS: $OUTPUT"
    same "dry-activate changes nothing" "$OLD" "$(current p620)"
    keeper=$(unit p620 keeper MainPID) monitor=$(unit p620 monitor MainPID) reloader=$(unit p620 reloader MainPID)
    stc p620 test
    jobs=$(tr , '\n' <<<"$jobs" | sed 's/^ //' | LC_ALL=C sort | paste -sd, | sed 's/,/, /g')
    same "a switch says what it does" "0: stopping the following units: cache.service, worker.service
NOT restarting the following changed units: keeper.service
activating the configuration...
reloading the following units: reloader.service
restarting the following units: monitor.service
starting the following units: cache.service, worker.service
the following new units were started: $jobs" "$STATUS: $OUTPUT"
    same "a kept unit and a reloaded one keep their processes" "$keeper $reloader" "$(unit p620 keeper MainPID) $(unit p620 reloader MainPID)"
    differ "a restarted one does not" "$monitor" "$(unit p620 monitor MainPID)"
    same "test touches neither profile nor boot default" "$OLD nixos-generation" "$(on p620 "readlink -f $profile; sed -n 's/default \(nixos-generation\).*/\1/p' /boot/loader/loader.conf" | xargs)"
    same "lists are gone afterwards" "" "$(on p620 'ls /run/nixos | grep list')"
    restore p620
    same "units of the new system are gone after going back" inactive "$(unit p620 job-1.service ActiveState)"

    prepare p620 '"socket-activated"'
    curl -s --max-time 5 "http://$(address p620):8081/health" >/dev/null
    stc p620 dry-activate
    matches "a socket-activated service is stopped with its socket, which is started" '*would stop the following units: status.service, status.socket*would start the following units: status.socket' "$OUTPUT"

    prepare p620 '"removes-unit"'
    stc p620 test
    matches "a removed unit is stopped" '0: stopping the following units: cache.service*' "$STATUS: $OUTPUT"
    restore p620
    prepare p620 '"package-update"'
    stc p620 test
    same "a package update touches no unit" "0: activating the configuration..." "$STATUS: $(grep -v 'new units' <<<"$OUTPUT")"
    matches "and changes the closure" '*nginx-1.26.1*' "$(on p620 nix-store -q --requisites "$NEW" | xargs)"
    restore p620
}

codes_part() {
    local pid
    OLD=$(current p620)
    prepare p620 '"crash-at-start"'
    stc p620 test
    same "a crash at start is 4" 4 "$STATUS"
    matches "and names the unit" '*warning: the following units failed: crash.service*cannot open database*' "$OUTPUT"
    restore p620
    prepare p620 '"failing-before"'
    stc p620 test
    same "a unit that always fails is 4" 4 "$STATUS"
    prepare p620 '"failing-before-changed"'
    stc p620 test
    same "and 4 again in a later system" 4 "$STATUS"
    restore p620

    prepare p620 '"crash-loop"'
    stc p620 test
    same "a crash loop is 0" 0 "$STATUS"
    prepare p510 '"dies-later"'
    check "a service that dies later is 0" on p510 "$NEW/bin/switch-to-configuration" test
    sleep 3.6
    matches "the crash loop restarts" '[1-9]*' "$(unit p620 loop.service NRestarts)"
    same "the mayfly is dead" failed "$(unit p510 mayfly.service ActiveState)"
    restore p620
    restore_p510

    prepare p620 '"activation-fails"'
    stc p620 test
    same "a failing activation is 2" 2 "$STATUS"
    matches "and names its step" "*Activation script snippet 'users' failed (1)*" "$OUTPUT"
    same "and the system counts as current" "$NEW" "$(current p620)"
    restore p620
    prepare p620 '"activation-aborts"'
    stc p620 test
    same "an aborted activation is 2" 2 "$STATUS"
    same "and the old system counts as current" "$OLD" "$(current p620)"
    restore p620
    prepare p620 '"panics"'
    stc p620 test
    same "a panic is 101" 101 "$STATUS"
    restore p620

    prepare p620 '"unit-changed"'
    on p620 'flock --no-fork /run/nixos/switch-to-configuration.lock sleep 3' &
    pid=$!
    sleep 0.3
    stc p620 test
    same "a held lock is 11" "11: Could not acquire lock" "$STATUS: $OUTPUT"
    wait "$pid"

    prepare p620 '"pre-switch-check-fails"'
    stc p620 check
    same "a failing pre-switch check is 1" 1 "$STATUS"
    stc p620 switch
    same "also in a switch, which changes nothing" "1 $OLD" "$STATUS $(current p620)"
    prepare p620 '"switch-inhibitor"'
    stc p620 switch
    matches "an inhibitor is 1" '1: There are changes to critical components*NIXOS_NO_CHECK=1*' "$STATUS: $OUTPUT"
    prepare p620 '"bootloader-fails"'
    stc p620 boot
    same "a failing boot loader is 1" 1 "$STATUS"
    stc p620 test
    same "but test works" 0 "$STATUS"
    restore p620
    prepare p620 '"old-tool"'
    stc p620 check
    matches "an old tool answers check with its usage" '1: Usage: *' "$STATUS: $OUTPUT"
    prepare p620 '"needs-reboot"'
    stc p620 test
    same "another init interface is 100" 100 "$STATUS"
    prepare p620 '"kernel-change"'
    matches "a kernel change changes the kernel alone" "*-linux-6.6.69/bzImage $(on p620 readlink "$OLD/etc")" "$(on p620 readlink "$NEW/kernel" "$NEW/etc" | xargs)"

    prepare p620 '"hangs"'
    STATUS=0
    on p620 timeout 2 "$NEW/bin/switch-to-configuration" test >/dev/null 2>&1 || STATUS=$?
    same "a hanging activation hangs" 124 "$STATUS"
    restore p620
    prepare p620 '"unit-hangs"'
    STATUS=0
    on p620 timeout 2 "$NEW/bin/switch-to-configuration" test >/dev/null 2>&1 || STATUS=$?
    same "a hanging unit hangs" 124 "$STATUS"
    matches "and leaves its list for the next run" '*multi-user.target*' "$(inside p620 cat /run/nixos/start-list | xargs)"
    restore p620
    same "which takes it away" "" "$(inside p620 sh -c 'ls /run/nixos | grep list')"
    same "all is well again" running "$(inside p620 systemctl is-system-running)"
}
restore_p510() {
    local kept=$OLD
    OLD=$(inside p510 readlink -f $profile)
    restore p510
    OLD=$kept
}

health_part() {
    local page
    OLD=$(current p620)
    page=http://$(address p620):8080/health
    prepare p620 '"critical-stops"'
    stc p620 test
    same "a critical service that does not start is 0" "0 inactive" "$STATUS $(unit p620 web.service ActiveState)"
    restore p620
    prepare p620 '"health-fails"'
    stc p620 test
    same "a sick page: the unit is active" "0 active" "$STATUS $(unit p620 web.service ActiveState)"
    same "and the page is 404" 404 "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$page")"
    restore p620
    same "and is well after going back" 200 "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$page")"
}

boots_part() {
    local before after
    OLD=$(current p620)
    prepare p620 '"unit-changed"' 'revision = 50;'
    stc p620 test
    same "activated without commit" "$NEW" "$(current p620)"
    "$fleet" kill --dir "$dir" p620
    refuse "after a power cut nobody answers" afresh p620 true
    "$fleet" boot --dir "$dir" p620
    same "a power cut before the commit boots the old system" "$OLD $OLD" "$(afresh p620 readlink /run/current-system /run/booted-system | xargs)"
    before=$(afresh p620 cat /proc/sys/kernel/random/boot_id)
    afresh p620 "nix-env -p $profile --set $NEW && $NEW/bin/switch-to-configuration boot"
    same "boot does not activate" "$OLD" "$(current p620)"
    local started
    started=$(now)
    afresh p620 systemctl reboot 2>/dev/null || true
    until after=$(afresh p620 cat /proc/sys/kernel/random/boot_id 2>/dev/null) && [[ $after != "$before" ]]; do
        (($(since "$started") < 30000)) || break
        sleep 0.1
    done
    printf '      reboot until ssh answers: %s ms\n' "$(since "$started")"
    same "a reboot enters the boot default" "$NEW $NEW" "$(afresh p620 readlink /run/current-system /run/booted-system | xargs)"
    OLD=$(afresh p620 readlink $profile-1-link)
    NEW=$OLD
    afresh p620 "nix-env -p $profile --set $OLD && $OLD/bin/switch-to-configuration switch" >/dev/null 2>&1
}

# The host becomes unreachable by itself, and comes back when the old system is activated from inside.
unreachable() { # VARIANT WHAT
    prepare p620 "\"$1\""
    inside p620 systemd-run --quiet --collect --unit="cut-$1" --service-type=exec --property=KillMode=mixed "$NEW/bin/switch-to-configuration" test
    for _ in $(seq 50); do
        inside p620 systemctl is-active --quiet "cut-$1.service" || break
        sleep 0.1
    done
    same "$2: activated" "$NEW" "$(current p620)"
    refuse "$2: no login" afresh p620 true
    rm -f "$work"/????????????????????????????????????????
    restore p620
    check "$2: the old system brings it back" afresh p620 true
}
network_part() {
    OLD=$(current p620)
    unreachable network-down "interface down"
    unreachable address-changed "address changed"
    unreachable firewall-drop "firewall drops"
    unreachable sshd-stopped "sshd stopped"
    unreachable sshd-port-changed "sshd's port changed"
    unreachable removes-key "keys removed"
    "$fleet" link --dir "$dir" p620 down
    refuse "link down: no login" afresh p620 true
    "$fleet" link --dir "$dir" p620 up
    check "link up: login" afresh p620 true
    "$fleet" pause --dir "$dir" p620
    refuse "paused: silence" timeout 2 ssh -F "$dir/ssh_config" p620 true
    "$fleet" resume --dir "$dir" p620
    check "resumed: login" afresh p620 true
}

access_part() {
    OLD=$(current p620)
    prepare p620 '"removes-sudo"'
    stc p620 test
    refuse "sudo rule removed" afresh deploy@p620 sudo -n true
    check "doas still works" afresh deploy@p620 doas -n true
    prepare p620 '"removes-elevation"'
    stc p620 test
    refuse "sudo removed" afresh deploy@p620 sudo -n true
    refuse "doas removed" afresh deploy@p620 doas -n true
    refuse "run0 removed" afresh deploy@p620 run0 --no-ask-password true
    prepare p620 '"asks-password"'
    stc p620 test
    refuse "sudo asks for a password" afresh deploy@p620 sudo -n true
    check "sudo takes the password" afresh deploy@p620 'echo deploy | sudo -S -p "" true'
    prepare p620 '"untrusted"'
    stc p620 test
    matches "deploy is not trusted" '*Trusted: 0*' "$(afresh deploy@p620 nix store info --store daemon 2>&1)"
    restore p620
    check "sudo is back" afresh deploy@p620 sudo -n true
}

build_part() {
    local pid status=0
    variant p620 '"baseline"'
    OLD=$(toplevel p620)
    variant p620 '"no-change"'
    same "no change is the same system" "$OLD" "$(toplevel p620)"
    same "the seed's baseline is the flake's" "$OLD" "$(inside p620 readlink -f $profile)"
    variant p620 '"eval-fails"'
    same "evaluation fails" "" "$(toplevel p620)"
    matches "and says why" "*services.web.port*" "$(cat "$work/build.log")"
    variant p620 '"build-fails"'
    same "build fails" "" "$(toplevel p620)"
    matches "and says why" "*pcre.h: No such file*" "$(nix log "$(nix eval --raw "git+file://$work/flake#nixosConfigurations.p620.config.system.build.toplevel.drvPath" | xargs nix-store -q --requisites | grep nginx)" 2>&1; cat "$work/build.log")"
    variant p620 '"slow-build"' "revision = $$; waitFor = \"$work/go\";"
    toplevel p620 >"$work/slow" &
    pid=$!
    sleep 1
    same "a build waits for its file" "" "$(cat "$work/slow")"
    touch "$work/go"
    wait "$pid" || status=$?
    matches "and goes on" "0 /nix/store/*" "$status $(cat "$work/slow")"
    variant p620 '[ "package-update" "unit-changed" ]'
    matches "variants can be combined" "/nix/store/*" "$(toplevel p620)"
    variant p620 '"baseline"' 'packages = 372;'
    same "a large closure has 412 paths" 412 "$(nix path-info -r "$(toplevel p620)" | wc -l)"
    variant p620 '"unit-changed"' 'revision = 226;'
    NEW=$(cd "$work/flake" && "$fleet" operator226 sh -c "git config --global --add safe.directory '*' 2>/dev/null; nix build --no-link --print-out-paths .#nixosConfigurations.p620.config.system.build.toplevel" 2>"$work/out") || true
    same "Nix 2.26 builds the same system" "$(toplevel p620)" "$NEW"
    check "and copies it" env NIX_SSHOPTS="-F $dir/ssh_config" "$fleet" operator226 nix copy --no-check-sigs --to ssh-ng://root@p510 "$NEW"
    same "and it is there" "$NEW" "$(on p510 nix-store --check-validity "$NEW" && echo "$NEW")"
    variant p620 '"baseline"'
}

disk_part() {
    up small=razer --store-size 64
    matches "a small disk is small" '[2-6][0-9]' "$(inside small df --output=size -BM /nix | tail -n1 | tr -dc 0-9)"
    "$fleet" fill --dir "$dir" small /nix 2 >/dev/null
    variant razer '"baseline"' 'packages = 300;'
    NEW=$(toplevel razer)
    refuse "a full disk refuses the copy" copy small "$NEW"
    matches "and says so" '*@(No space left|disk is full)*' "$(tail -n 2 "$work/copy.log")"
    inside small rm /nix/.fill
    check "with room again the copy works" copy small "$NEW"
    "$fleet" kill --dir "$dir" small
    "$fleet" boot --dir "$dir" small
    check "a power cut keeps the disk" on small nix-store --check-validity "$NEW"
}

delay_part() {
    local port started direct
    port=$("$fleet" delay --dir "$dir" p510)
    matches "the forwarder has a port" '[0-9]*' "$port"
    on p510-delayed true
    started=$(now)
    on p510-delayed true
    direct=$(since "$started")
    check "a command takes a round trip ($direct ms)" test "$direct" -ge 40
    started=$(now)
    head -c 50000000 /dev/zero | ssh -F "$dir/ssh_config" -o ControlPath="$work/%C" p510-delayed 'cat >/dev/null'
    printf '      50 MB through the forwarder: %s ms\n' "$(since "$started")"
}

many_part() {
    local started names
    mapfile -t names < <(printf 'm%d=p510\n' 1 2 3 4 5 6 7 8)
    started=$(now)
    up "${names[0]}"
    printf '      one host up: %s ms\n' "$(since "$started")"
    "$fleet" down --dir "$dir" m1
    started=$(now)
    up "${names[@]}"
    printf '      eight hosts up: %s ms\n' "$(since "$started")"
    started=$(now)
    up "${names[@]}"
    printf '      up of eight that are up: %s ms\n' "$(since "$started")"
    started=$(now)
    "$fleet" down --dir "$dir" m{1..8}
    printf '      eight hosts down: %s ms\n' "$(since "$started")"
}

gc_part() {
    local owner other=$work/other
    sleep 60 &
    owner=$!
    "$fleet" up --dir "$other" --owner "$owner" orphan=p510 >/dev/null
    same "an owned host is up" "orphan up" "$("$fleet" list --dir "$other" | cut -d' ' -f1,4)"
    kill "$owner"
    wait "$owner" 2>/dev/null || true
    "$fleet" gc 2>/dev/null
    same "gc removes the host of a dead owner" "" "$("$fleet" list --dir "$other")"
    "$fleet" down --dir "$dir"
    same "down leaves no lease" "" "$(grep -rl "$work" /run/nix-deploy-test/leases || true)"
    same "and no mount" "" "$(grep "$work" /proc/mounts || true)"
}

parts=("$@")
((${#parts[@]})) || parts=(boot bare wording codes health boots network access build delay disk many gc)
cp -r "$repo/demo" "$work/flake"
git -C "$work/flake" init -q
git -C "$work/flake" add -A
up p620 p510
OLD=$(current p620)
for part in "${parts[@]}"; do
    printf -- '-- %s\n' "$part"
    "${part}_part"
done
if ((failures)); then
    printf '%d failed\n' "$failures"
    exit 1
fi
echo "all good"
