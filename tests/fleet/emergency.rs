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
