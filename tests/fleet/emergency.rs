//! Changes that take a host to emergency mode, where nothing of it runs any more: neither
//! sshd nor what would start it again.

use super::fleet::Fleet;

/// What NixOS has: the system cannot be without the mounts of this target.
const LOCAL_FILE_SYSTEMS: &str = "Description = \"Local File Systems\"; DefaultDependencies = false; \
                                  After = \"local-fs-pre.target\"; Conflicts = \"shutdown.target\"; \
                                  OnFailure = \"emergency.target\"; OnFailureJobMode = \"replace-irreversibly\";";
const BAD_MOUNT: &str = "units.\"mnt-data.mount\" = { \
                         Unit = { DefaultDependencies = false; Before = \"local-fs.target\"; }; \
                         Mount = { What = \"/dev/disk/nonexistent\"; Where = \"/mnt/data\"; Type = \"ext4\"; }; };";

fn write(fleet: &Fleet, name: &str, requires: &str, more: &str) {
    let target = format!("units.\"local-fs.target\".Unit = {{ {LOCAL_FILE_SYSTEMS} {requires} }};");
    std::fs::write(
        fleet.flake().join(format!("variants/{name}.nix")),
        format!("{{ ... }}: {{ {target} {more} }}"),
    )
    .unwrap();
}

#[test]
fn a_mount_that_fails_and_that_the_system_needs_is_taken_back() {
    let fleet = Fleet::start(&["p620"]);
    // What takes its time to stop holds up the way there, and the way back.
    let slow = "units.\"worker.service\".Service.ExecStop = \"/usr/bin/sleep 2\";";
    write(&fleet, "mounts", "", slow);
    fleet.accepted(&[], "mounts");
    write(&fleet, "bad-mount", "Requires = \"mnt-data.mount\";", &format!("{slow} {BAD_MOUNT}"));
    fleet.taken_back_to("bad-mount", 2, &["entered emergency mode", "mnt-data.mount"]);
    assert_eq!(fleet.unit("p620", "emergency.target"), "inactive");
}

#[test]
fn a_host_whose_old_system_cannot_do_without_either_stays_within_reach() {
    let fleet = Fleet::start(&["p620"]);
    // A disk that is there for now.
    let disk = "units.\"disk.service\" = { Unit.DefaultDependencies = false; \
                Service = { Type = \"oneshot\"; ExecStart = \"/usr/bin/test -e /root/disk\"; }; }; \
                units.\"mnt-data.mount\" = { \
                Unit = { DefaultDependencies = false; Before = \"local-fs.target\"; \
                Requires = \"disk.service\"; After = \"disk.service\"; }; \
                Mount = { What = \"tmpfs\"; Where = \"/mnt/data\"; Type = \"tmpfs\"; }; };";
    let requires = "Requires = \"mnt-data.mount\";";
    fleet.on("p620", "touch /root/disk");
    write(&fleet, "disk", requires, disk);
    fleet.accepted(&[], "disk");
    let crash = "units.\"crash.service\" = { Service = { Type = \"oneshot\"; ExecStart = \"/usr/bin/false\"; }; \
                 wantedBy = [ \"multi-user.target\" ]; };";
    for (requires, more) in [(requires, format!("{disk} {crash}")), ("", crash.to_owned())] {
        fleet.on("p620", "touch /root/disk; systemctl start mnt-data.mount; rm /root/disk; umount /mnt/data");
        let before = fleet.look("p620");
        write(&fleet, "bad", requires, &more);
        fleet.variant_with("p620", "bad", &format!("revision = {};", more.len()));
        let run = fleet.deploy(&["p620"]);
        run.expect("p620", 7, "unknown");
        run.assert_failure("p620", &["units that were well before are not: disk.service"]);
        assert_eq!(fleet.look("p620"), before);
        assert_eq!(fleet.unit("p620", "emergency.target"), "inactive");
        assert_eq!(fleet.unit("p620", "sshd.service"), "active");
        assert_eq!(fleet.unit("p620", "worker.service"), "active");
        assert_eq!(fleet.on("p620", "systemctl show -P LoadState emergency.target"), "loaded\n");
    }
}
