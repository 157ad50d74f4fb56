//! Whether a program moves bytes: what the kernel counts of its reads and writes.

/// How often the bytes of a program are looked at within its stall time.
pub(super) const IO_LOOKS_PER_STALL: u32 = 8;

/// The bytes a process has read and written, files and pipes alike
/// (`rchar` and `wchar` of /proc/PID/io).
pub(super) struct IoCount {
    pid: Option<u32>,
    seen: u64,
}

impl IoCount {
    pub(super) fn new(pid: Option<u32>) -> Self {
        Self { pid, seen: 0 }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.pid.is_some()
    }

    /// Whether more was read or written since the last look.
    pub(super) fn has_grown(&mut self) -> bool {
        let Some(pid) = self.pid else { return false };
        let now = std::fs::read_to_string(format!("/proc/{pid}/io")).map_or(0, |text| io_bytes(&text));
        let grown = now > self.seen;
        self.seen = self.seen.max(now);
        grown
    }
}

/// The sum of `rchar` and `wchar` (proc_pid_io(5)).
fn io_bytes(text: &str) -> u64 {
    let values = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        if matches!(name, "rchar" | "wchar") { value.trim().parse::<u64>().ok() } else { None }
    });
    values.sum()
}
