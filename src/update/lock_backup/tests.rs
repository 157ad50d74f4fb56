//! flake.lock is kept, put back and never lost.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::*;

const OLD: &str = "{ \"version\": 7, \"old\": true }\n";
const NEW: &str = "{ \"version\": 7, \"new\": true }\n";
const OLDER: &str = "{ \"version\": 7, \"older\": true }\n";
const POINTS: [Point; 9] = [
    Point::Marked,
    Point::OlderAside,
    Point::BackedUp,
    Point::Written,
    Point::Replaced,
    Point::OldWritten,
    Point::PutBack,
    Point::OlderBack,
    Point::Ended,
];

/// A flake's folder, with an old lock file and an older backup or without both.
fn folder(is_first: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if !is_first {
        let lock = folder.path().join("flake.lock");
        fs::write(&lock, OLD).unwrap();
        fs::set_permissions(&lock, fs::Permissions::from_mode(0o640)).unwrap();
        let changed = system_time(1_600_000_000, 123_456_789).unwrap();
        File::open(&lock).unwrap().set_times(FileTimes::new().set_modified(changed)).unwrap();
        fs::write(folder.path().join("flake.lock.backup"), OLDER).unwrap();
    }
    folder
}

/// Name, content, mode and age of every file; what was updated is not `age`d.
fn look(folder: &Path) -> Vec<(String, String, u32, i64, i64)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let found = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (name, text, found.mode(), found.mtime(), found.mtime_nsec())
        })
        .collect();
    files.sort();
    files
}

fn names(folder: &Path) -> Vec<String> {
    look(folder).into_iter().map(|(name, ..)| name).collect()
}

fn replace(folder: &Path) -> LockUpdate {
    FlakeLock::of(folder).replace(NEW, &RunId::generate(), "anna@laptop").unwrap()
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_kept_update_leaves_the_new_lock_file_and_one_backup() {
    let folder = folder(false);
    replace(folder.path()).keep().unwrap();
    assert_eq!(names(folder.path()), ["flake.lock", "flake.lock.backup"]);
    assert_eq!(text(folder.path(), "flake.lock"), NEW);
    assert_eq!(text(folder.path(), "flake.lock.backup"), OLD);
    let mode = fs::metadata(folder.path().join("flake.lock")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(FlakeLock::of(folder.path()).read_backup().unwrap().as_deref(), Some(OLD));
}

#[test]
fn a_restored_and_a_dropped_update_leave_nothing_behind() {
    for is_first in [false, true] {
        let folder = folder(is_first);
        let before = look(folder.path());
        replace(folder.path()).restore().unwrap();
        assert_eq!(look(folder.path()), before);
        drop(replace(folder.path()));
        assert_eq!(look(folder.path()), before);
    }
}

#[test]
fn a_flake_without_a_lock_file_goes_back_to_having_none() {
    let folder = folder(true);
    let update = replace(folder.path());
    assert_eq!(text(folder.path(), "flake.lock"), NEW);
    update.keep().unwrap();
    assert_eq!(FlakeLock::of(folder.path()).read_backup().unwrap(), None);
}

#[test]
fn a_lock_file_that_somebody_else_changed_is_left_alone_with_its_backup() {
    let folder = folder(false);
    let update = replace(folder.path());
    fs::write(folder.path().join("flake.lock"), "theirs").unwrap();
    assert!(matches!(update.restore(), Err(TransactionError::Foreign { .. })));
    assert_eq!(text(folder.path(), "flake.lock"), "theirs");
    assert_eq!(text(folder.path(), "flake.lock.backup"), OLD);
    assert_eq!(names(folder.path()), ["flake.lock", "flake.lock.backup"]);
}

#[test]
fn what_a_killed_program_left_goes_and_what_a_person_keeps_stays() {
    let folder = folder(false);
    let left = format!("flake.lock.backup.{}", RunId::generate());
    for name in [&left, "flake.lock.backup.2024-05-01", "flake.lock.old.mine"] {
        fs::write(folder.path().join(name), "text").unwrap();
    }
    replace(folder.path()).keep().unwrap();
    let expected = ["flake.lock", "flake.lock.backup", "flake.lock.backup.2024-05-01", "flake.lock.old.mine"];
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn two_updates_of_one_flake_do_not_meet() {
    let folder = folder(false);
    let update = replace(folder.path());
    let error = FlakeLock::of(folder.path()).unfinished().unwrap_err();
    assert!(error.to_string().contains("of anna@laptop, process "), "{error}");
    let files = FlakeLock::of(folder.path());
    assert!(matches!(files.replace("x", &RunId::generate(), "bob"), Err(TransactionError::Busy { .. })));
    assert_eq!(text(folder.path(), "flake.lock"), NEW);
    update.restore().unwrap();
    assert_eq!(text(folder.path(), "flake.lock"), OLD);
    assert!(files.unfinished().unwrap().is_none());
}

#[test]
fn a_linked_lock_file_is_replaced_where_it_is() {
    let (folder, other) = (folder(true), folder(false));
    std::os::unix::fs::symlink(other.path().join("flake.lock"), folder.path().join("flake.lock")).unwrap();
    replace(folder.path()).keep().unwrap();
    assert!(folder.path().join("flake.lock").is_symlink());
    assert_eq!(text(other.path(), "flake.lock"), NEW);
}

#[test]
fn a_marker_that_says_nothing_is_named() {
    let folder = folder(false);
    fs::write(folder.path().join("flake.lock.updating"), "{").unwrap();
    let error = FlakeLock::of(folder.path()).unfinished().unwrap_err();
    assert!(error.to_string().contains("flake.lock.updating cannot be understood"), "{error}");
    assert_eq!(text(folder.path(), "flake.lock"), OLD);
}

const CHILD_FOLDER: &str = "ND_TEST_FOLDER";
const CHILD_POINT: &str = "ND_TEST_POINT";

#[expect(clippy::disallowed_methods, reason = "the test tells its child by the environment what to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says where it is and stays there until it is killed.
fn stop_at_point(point: Point) {
    if told(CHILD_POINT).is_some_and(|told| told == format!("{point:?}")) {
        println!("arrived");
        loop {
            std::thread::park();
        }
    }
}

/// The program that is killed: it is started by the test below, and does
/// nothing when it is run by itself.
#[test]
fn an_update_that_can_be_killed() {
    let Some(folder) = told(CHILD_FOLDER) else { return };
    let files = FlakeLock { watch: stop_at_point, ..FlakeLock::of(Path::new(&folder)) };
    let update = files.replace(NEW, &RunId::generate(), "child").unwrap();
    let keeps = told(CHILD_POINT).is_some_and(|point| point == "Ended");
    if keeps {
        update.keep().unwrap()
    } else {
        update.restore().unwrap()
    }
    panic!("this point was never reached");
}

#[expect(clippy::disallowed_methods, reason = "a program is killed, and has to be one of its own")]
fn kill_at(point: Point, folder: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "update::lock_backup::tests::an_update_that_can_be_killed"])
        .env(CHILD_FOLDER, folder)
        .env(CHILD_POINT, format!("{point:?}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.ends_with("arrived")), "never came to {point:?}");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn after_a_kill_at_any_point_the_next_program_finds_what_was_and_puts_it_back() {
    for is_first in [false, true] {
        for point in POINTS {
            if is_first && point == Point::OldWritten {
                // There is nothing to write: the new file is removed.
                continue;
            }
            let folder = folder(is_first);
            let before = look(folder.path());
            kill_at(point, folder.path());
            let files = FlakeLock::of(folder.path());
            let unfinished = files.unfinished().unwrap();
            if point == Point::Ended {
                // Removing the marker is what ends an update: this one was kept.
                assert!(unfinished.is_none());
                assert_eq!(text(folder.path(), "flake.lock"), NEW);
                replace(folder.path()).keep().unwrap();
                assert_eq!(names(folder.path()), ["flake.lock", "flake.lock.backup"]);
                continue;
            }
            let recovered = unfinished.expect("an unfinished update").put_back().unwrap();
            let is_new = matches!(point, Point::Replaced | Point::OldWritten);
            let found = if is_new { Found::Updated } else { Found::Untouched };
            assert_eq!((recovered.found, recovered.actor.as_str()), (found, "child"), "{point:?}");
            assert_eq!(look(folder.path()), before, "{point:?}");
            assert!(files.unfinished().unwrap().is_none());
        }
    }
}

#[test]
fn a_program_killed_while_it_puts_back_can_be_followed_by_another() {
    let folder = folder(false);
    let before = look(folder.path());
    for point in [Point::Replaced, Point::OldWritten, Point::PutBack, Point::OlderBack] {
        kill_at(point, folder.path());
        FlakeLock::of(folder.path()).unfinished().unwrap().unwrap().put_back().unwrap();
        assert_eq!(look(folder.path()), before, "{point:?}");
    }
}
