//! What a process or a thread has cost: processor time by the kernel's clocks (ticks would be too coarse for work that
//! comes every millisecond), memory and context switches from `/proc`.

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::time::Duration;

/// Of one process, since its start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cost {
    pub processor: Duration,
    pub resident_kib: u64,
    pub switches: u64,
}

impl Cost {
    /// Of the process `pid`; what cannot be read (it has ended) is 0.
    pub fn of(pid: u32) -> Cost {
        let clock = clock_getcpuclockid(Pid::from_raw(pid as i32)).and_then(clock_gettime);
        let processor = clock.map(Duration::from).unwrap_or_default();
        let resident_kib = field(&format!("/proc/{pid}/status"), "VmRSS:");
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let switches = tasks
            .map(|task| task.path().join("status").to_string_lossy().into_owned())
            .map(|status| field(&status, "voluntary_ctxt_switches:") + field(&status, "nonvoluntary_ctxt_switches:"))
            .sum();
        Cost { processor, resident_kib, switches }
    }
}

/// Processor time of the calling thread.
pub fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// The wall clock as packets are stamped by the kernel.
pub fn wall() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen_in_this_process_and_this_thread() {
        let (process, thread) = (Cost::of(std::process::id()), thread_time());
        let mut sum = 0u64;
        (0..20_000_000u64).for_each(|number| sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number)));
        let after = Cost::of(std::process::id());
        assert!(thread_time() > thread, "{sum}");
        assert!(after.processor > process.processor);
        assert!(after.resident_kib > 100);
    }
}
