//! Running real programs: deadlines, stalls, output, secrets.

use super::*;

fn shell(script: &str) -> Command {
    Command::new("/bin/sh").arg("-c").arg(script)
}

#[tokio::test]
async fn output_and_exit_code_are_collected() {
    let output = shell("cat; echo problem >&2; exit 3").stdin("hello").output().await.unwrap();
    assert_eq!(output.stdout_text(), "hello");
    assert_eq!(output.code, Some(3));
    assert_eq!(output.stderr_tail, ["problem"]);
    assert!(matches!(output.checked("sh"), Err(ExecError::Failed { code: Some(3), .. })));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = Command::new("no-such-program-here").output().await.unwrap_err();
    assert_eq!(error.to_string(), "no-such-program-here is not installed or not on PATH");
}

#[tokio::test]
async fn the_deadline_kills_grandchildren_too() {
    let directory = tempfile::tempdir().unwrap();
    let pid_file = directory.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; echo begun >&2; wait", pid_file.display());
    let error = shell(&script).deadline(Duration::from_secs(3)).output().await.unwrap_err();
    assert!(matches!(&error, ExecError::Deadline { stderr_tail, .. } if stderr_tail == &["begun"]));
    let pid: i32 = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    let started = Instant::now();
    while is_running(pid) {
        assert!(started.elapsed() < Duration::from_secs(10), "the grandchild survived");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_running(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_silent_command_is_given_up_and_idle_lines_are_silence() {
    let chatty = "while :; do echo idle; sleep 0.05; done";
    let error =
        shell(chatty).stall(Duration::from_millis(300)).output_with(|_, _| Activity::Idle).await.unwrap_err();
    assert!(matches!(error, ExecError::Stalled { .. }));
}

#[tokio::test]
async fn moving_bytes_without_a_word_is_no_silence_when_asked_for() {
    let silent = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo $i > /dev/null; sleep 0.1; done";
    let stalling = || shell(silent).stall(Duration::from_millis(1500));
    assert!(matches!(stalling().output().await, Err(ExecError::Stalled { .. })));
    assert!(stalling().stall_counts_io().output().await.unwrap().success());
    let stuck = shell("sleep 60").stall(Duration::from_millis(300)).stall_counts_io();
    assert!(matches!(stuck.output().await, Err(ExecError::Stalled { .. })));
}

#[tokio::test]
async fn the_log_file_gets_everything_and_the_tail_only_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let output = shell("seq 100 >&2").log_file(&log).output().await.unwrap();
    assert_eq!(output.stderr_tail.len(), TAIL_LINES);
    assert_eq!(output.stderr_tail.last().unwrap(), "100");
    assert_eq!(std::fs::read_to_string(log).unwrap().lines().count(), 100);
}
