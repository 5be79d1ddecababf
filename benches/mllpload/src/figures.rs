//! What the kernel knows about a process.

use std::fs::read_to_string;

use rustix::param::clock_ticks_per_second;

/// Processor time up to now, in seconds.
#[derive(Clone, Copy, Default)]
pub struct CpuTimes {
    pub server_user: f64,
    pub server_system: f64,
    pub own: f64,
    /// Of everyone on the machine.
    pub all: f64,
}

impl CpuTimes {
    pub fn now(server: u32) -> Self {
        let (server_user, server_system) = times(&server.to_string());
        let (user, system) = times("self");
        Self { server_user, server_system, own: user + system, all: all() }
    }

    pub fn since(self, start: Self) -> Self {
        Self {
            server_user: self.server_user - start.server_user,
            server_system: self.server_system - start.server_system,
            own: self.own - start.own,
            all: self.all - start.all,
        }
    }

    pub fn server(self) -> f64 {
        self.server_user + self.server_system
    }

    /// Time that neither the server nor we took: it was taken from the measurement.
    pub fn foreign(self) -> f64 {
        (self.all - self.server() - self.own).max(0.0)
    }
}

/// User and system time of a process; zero for one that does not exist.
fn times(process: &str) -> (f64, f64) {
    let text = read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold spaces. utime and stime are fields 14 and 15.
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let mut fields = after_name.split_whitespace().skip(11).map(seconds);
    (fields.next().unwrap_or_default(), fields.next().unwrap_or_default())
}

fn all() -> f64 {
    let text = read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let fields = first.split_whitespace().skip(1).map(seconds).enumerate();
    // user, nice, system, irq, softirq and steal; neither idle nor iowait, nor guest, which is a
    // part of user.
    fields.filter(|(at, _)| matches!(at, 0..=2 | 5..=7)).map(|(_, value)| value).sum()
}

fn seconds(ticks: &str) -> f64 {
    ticks.parse::<f64>().unwrap_or_default() / clock_ticks_per_second() as f64
}

/// A number of `/proc/PID/status`, such as `VmRSS` in KiB; 0 where there is none.
pub fn status(process: u32, key: &str) -> u64 {
    let text = read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
