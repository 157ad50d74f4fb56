//! How many hosts are evaluated at once.
//!
//! Hosts of one process share what they have in common but not much more: a
//! NixOS host takes about 1.5 GiB, and an evaluator that is killed for memory
//! takes all its hosts with it. So never more hosts at once than fit into
//! three quarters of the free memory. Up to [`FEW`] hosts are one process; more
//! are cut into chunks of at most `FEW` hosts, as many at a time as there are
//! processors and memory.

use std::thread::available_parallelism;

/// Hosts that one process evaluates without a second thought.
const FEW: usize = 8;
/// Memory that one host's evaluation is assumed to take, in bytes.
const HOST_MEMORY: u64 = 3 << 29;

/// What the machine can bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkPolicy {
    /// Free memory in bytes.
    pub(crate) available_memory: u64,
    /// How many processors there are.
    pub(crate) processors: usize,
}

/// How many hosts in a process, and how many processes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkPlan {
    pub(super) size: usize,
    pub(super) concurrent: usize,
}

impl ChunkPolicy {
    /// Reads what this machine has; where that cannot be read, the policy is
    /// one host at a time.
    pub(crate) fn of_this_machine() -> Self {
        let available_memory =
            std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text)).unwrap_or(0);
        Self { available_memory, processors: available_parallelism().map_or(1, usize::from) }
    }

    /// How many hosts may be in memory at once, at least one.
    fn budget(self) -> usize {
        let hosts = self.available_memory / 4 * 3 / HOST_MEMORY;
        usize::try_from(hosts).unwrap_or(usize::MAX).max(1)
    }

    pub(super) fn plan(self, hosts: usize) -> ChunkPlan {
        let size = self.budget().min(FEW).min(hosts.max(1));
        let concurrent = (self.budget() / size).min(self.processors).max(1);
        ChunkPlan { size, concurrent }
    }

    /// How many processes of one host each at a time.
    pub(super) fn plan_singly(self, hosts: usize) -> usize {
        self.budget().min(self.processors).min(hosts).max(1)
    }

    /// Whether there are enough hosts to try nix-eval-jobs.
    pub(super) fn is_worth_jobs(self, hosts: usize) -> bool {
        hosts > FEW
    }

    /// Workers of nix-eval-jobs, and the memory in MiB at which one is renewed.
    pub(super) fn workers(self, hosts: usize) -> (usize, u64) {
        let workers = self.plan_singly(hosts);
        (workers, (HOST_MEMORY >> 20) * 2)
    }
}

/// `MemAvailable` of /proc/meminfo, in bytes.
fn mem_available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(gibibytes: u64, processors: usize, hosts: usize) -> (usize, usize) {
        let plan = ChunkPolicy { available_memory: gibibytes << 30, processors }.plan(hosts);
        (plan.size, plan.concurrent)
    }

    #[test]
    fn a_few_hosts_are_one_process_and_memory_limits_the_rest() {
        assert_eq!(plan(24, 2, 1), (1, 2));
        assert_eq!(plan(24, 2, 8), (8, 1));
        assert_eq!(plan(64, 16, 40), (8, 4));
        assert_eq!(plan(64, 2, 40), (8, 2));
        assert_eq!(plan(6, 8, 8), (3, 1));
        assert_eq!(plan(0, 8, 8), (1, 1));
        assert_eq!(plan(8, 4, 0), (1, 4));
    }

    #[test]
    fn free_memory_is_what_the_kernel_calls_available() {
        let text = "MemTotal:       24669016 kB\nMemFree:        10 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(mem_available(text), Some(2 << 20));
        assert_eq!(mem_available("MemTotal: 1 kB"), None);
    }
}
