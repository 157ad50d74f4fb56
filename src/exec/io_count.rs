//! Whether a program moves bytes: what the kernel counts of its reads and writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often the bytes of a program are looked at within its stall time.
const LOOKS_PER_STALL: u32 = 8;
/// How long to wait between looks when somebody wants to see the bytes.
const SHOWN_EVERY: Duration = Duration::from_millis(500);

/// The bytes a process has read and written, files and pipes alike
/// (`rchar` and `wchar` of /proc/PID/io).
pub(super) struct IoCount {
    pid: Option<u32>,
    seen: u64,
    written: Option<Arc<AtomicU64>>,
}

impl IoCount {
    /// Watches a process; what it has written is kept up to date in `written`.
    pub(super) fn new(pid: Option<u32>, written: Option<Arc<AtomicU64>>) -> Self {
        Self { pid, seen: 0, written }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.pid.is_some()
    }

    /// How long to wait between two looks.
    pub(super) fn pause(&self, stall: Duration) -> Duration {
        let pause = stall / LOOKS_PER_STALL;
        if self.written.is_some() { pause.min(SHOWN_EVERY) } else { pause }
    }

    /// Whether more was read or written since the last look.
    pub(super) fn has_grown(&mut self) -> bool {
        let Some(pid) = self.pid else { return false };
        let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        let (read, wrote) = (io_bytes(&text, "rchar"), io_bytes(&text, "wchar"));
        if let Some(written) = &self.written {
            written.fetch_max(wrote, Ordering::Relaxed);
        }
        let grown = read + wrote > self.seen;
        self.seen = self.seen.max(read + wrote);
        grown
    }
}

/// One of the counters (proc_pid_io(5)); 0 when it is not there.
fn io_bytes(text: &str, counter: &str) -> u64 {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| *name == counter)
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}
